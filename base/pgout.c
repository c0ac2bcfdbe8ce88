#include "base/pgout.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <poll.h>

#include "base/clock.h"

enum { HEADER_BYTES = 19, WAIT_MS = 1000 };
static const char signature[11] = "PGCOPY\n\377\r\n";
static const int64_t epoch_us = INT64_C(10957) * US_PER_DAY; /* 2000-01-01 */

/* ---- fields ---- */

static uint64_t big_endian(struct str f)
{
    uint64_t v = 0;
    for (size_t i = 0; i < f.n && i < 8; i++)
        v = v << 8 | (unsigned char)f.p[i];
    return v;
}

int64_t pg_field_i64(struct str f)
{
    uint64_t v = big_endian(f);
    return f.n == 2 ? (int16_t)v : f.n == 4 ? (int32_t)v : (int64_t)v;
}

double pg_field_double(struct str f)
{
    uint64_t bits = big_endian(f);
    double v;
    memcpy(&v, &bits, sizeof v);
    return f.n == 8 ? v : NAN;
}

int64_t pg_field_time(struct str f)
{
    return pg_field_i64(f) + epoch_us;
}

/* ---- rows ---- */

static bool take_field(struct str *in, struct str *out)
{
    uint32_t n;
    if (in->n < 4)
        return false;
    memcpy(&n, in->p, 4);
    n = be32toh(n);
    *out = (struct str){ NULL, 0 };
    in->p += 4;
    in->n -= 4;
    if (n == UINT32_MAX)
        return true;
    if (in->n < n)
        return false;
    *out = (struct str){ in->p, n };
    in->p += n;
    in->n -= n;
    return true;
}

/* A message is the header, rows, or the trailer, or the header and rows. */
static bool take_message(struct str message, const char *what, pg_row_fn fn, void *arg, struct err *err)
{
    struct str fields[PG_FIELDS_MAX];
    if (message.n >= HEADER_BYTES && memcmp(message.p, signature, sizeof signature) == 0)
        message = (struct str){ message.p + HEADER_BYTES, message.n - HEADER_BYTES };
    while (message.n >= 2) {
        int64_t count = pg_field_i64((struct str){ message.p, 2 });
        message = (struct str){ message.p + 2, message.n - 2 };
        if (count < 0)
            return true;
        if (count > PG_FIELDS_MAX)
            return err_set(err, ERR_DB, "%s: a row of %lld fields", what, (long long)count);
        for (int64_t i = 0; i < count; i++)
            if (!take_field(&message, &fields[i]))
                return err_set(err, ERR_DB, "%s: a row is damaged", what);
        if (!fn(arg, fields, (size_t)count, err))
            return false;
    }
    return true;
}

static bool finish(struct pg *pg, const char *what, struct err *err)
{
    PGresult *r = PQgetResult(pg->conn);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || pg_err(pg->conn, r, what, err);
    for (; r; r = PQgetResult(pg->conn))
        PQclear(r);
    return ok;
}

bool pg_copy_out(struct pg *pg, const char *copy_sql, const char *what, pg_row_fn fn, void *arg, struct err *err)
{
    AUTO(pg_result_free) PGresult *started = PQexec(pg->conn, copy_sql);
    if (PQresultStatus(started) != PGRES_COPY_OUT)
        return pg_err(pg->conn, started, what, err);
    char *message;
    bool ok = true;
    for (int n; ok && (n = PQgetCopyData(pg->conn, &message, 0)) > 0;) {
        ok = take_message((struct str){ message, (size_t)n }, what, fn, arg, err);
        PQfreemem(message);
    }
    return ok && finish(pg, what, err);
}

/* ---- waiting ---- */

/* Until something has arrived; at most a second, and then the caller's word is asked for. */
static bool wait_input(struct pg *pg, const char *what, pg_wait_fn waiting, void *arg, struct err *err)
{
    struct pollfd fd = { .fd = PQsocket(pg->conn), .events = POLLIN };
    int n = poll(&fd, 1, WAIT_MS);
    if (n < 0 && errno != EINTR)
        return err_set_errno(err, "%s: waiting for rows", what);
    if (n > 0 && !PQconsumeInput(pg->conn))
        return pg_err(pg->conn, NULL, what, err);
    return waiting(arg, err);
}

static bool wait_started(struct pg *pg, const char *what, pg_wait_fn waiting, void *arg, struct err *err)
{
    while (PQisBusy(pg->conn))
        if (!wait_input(pg, what, waiting, arg, err))
            return false;
    AUTO(pg_result_free) PGresult *r = PQgetResult(pg->conn);
    return PQresultStatus(r) == PGRES_COPY_OUT || pg_err(pg->conn, r, what, err);
}

bool pg_copy_out_waiting(struct pg *pg, const char *copy_sql, const char *what, pg_row_fn fn, pg_wait_fn waiting,
                         void *arg, struct err *err)
{
    if (!PQsendQuery(pg->conn, copy_sql))
        return pg_err(pg->conn, NULL, what, err);
    if (!wait_started(pg, what, waiting, arg, err))
        return false;
    for (;;) {
        char *message;
        int n = PQgetCopyData(pg->conn, &message, 1);
        if (n < 0)
            return finish(pg, what, err);
        if (n == 0) {
            if (!wait_input(pg, what, waiting, arg, err))
                return false;
            continue;
        }
        bool ok = take_message((struct str){ message, (size_t)n }, what, fn, arg, err);
        PQfreemem(message);
        if (!ok)
            return false;
    }
}
