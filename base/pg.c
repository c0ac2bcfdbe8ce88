#include "base/pg.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { COPY_PIECE_BYTES = 1 << 20 };

/* PostgreSQL counts from 2000-01-01. */
static const int64_t epoch_us = INT64_C(10957) * US_PER_DAY;
static const int32_t epoch_day = 10957;

/* Results are read as text: their form must not depend on the server's configuration. */
static const char session_sql[] = "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set bytea_output = 'hex'; "
                                  "set client_min_messages = 'warning'; select " PG_NETWORK_SESSION;

static const struct {
    const char *prefix; /* of the SQLSTATE */
    enum err_kind kind;
} kinds[] = {
    { "23505", ERR_CONFLICT }, /* unique violation */
    { "22", ERR_INVALID },     /* data exception */
    { "23", ERR_INVALID },     /* integrity constraint violation */
};

static enum err_kind kind_of(const char *sqlstate)
{
    for (size_t i = 0; sqlstate && i < COUNT_OF(kinds); i++)
        if (strncmp(sqlstate, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return ERR_DB;
}

bool pg_err(const PGconn *conn, const PGresult *r, const char *what, struct err *err)
{
    const char *message = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *sqlstate = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    if (message)
        return err_set(err, kind_of(sqlstate), "%s: %s%s%s%s", what, message, sqlstate ? " (sqlstate " : "",
                       sqlstate ? sqlstate : "", sqlstate ? ")" : "");
    message = r ? PQresultErrorMessage(r) : "";
    if (!*message)
        message = PQerrorMessage(conn);
    /* libpq's own messages may have several lines; the first says it. */
    int first_line = (int)strcspn(message, "\n");
    return err_set(err, ERR_DB, "%s: %.*s", what, first_line, message);
}

static void log_notice(void *arg, const PGresult *r)
{
    (void)arg;
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("db_notice", "text=\"%s\"", message ? message : "");
}

/* NULL on failure; the statement is named by `what`. */
static PGresult *checked(struct pg *pg, PGresult *taken, const char *what, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = taken;
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        pg_err(pg->conn, r, what, err);
        return NULL;
    }
    return TAKE(r);
}

static bool prepare_session(struct pg *pg, struct err *err)
{
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return pg_err(pg->conn, NULL, "cannot connect to PostgreSQL", err);
    PQsetNoticeReceiver(pg->conn, log_notice, NULL);
    if (!pg_exec(pg, session_sql, err))
        return false;
    for (size_t i = 0; i < pg->table_count; i++) {
        const struct pg_stmt *stmt = &pg->table[i];
        AUTO(pg_result_free)
        PGresult *r = checked(pg, PQprepare(pg->conn, stmt->name, stmt->sql, stmt->params, NULL), stmt->name, err);
        if (!r)
            return err_prefix(err, "cannot prepare ");
    }
    return true;
}

struct pg *pg_open(const char *url, const char *who, const struct pg_stmt *table, size_t count, struct err *err)
{
    /* What stands before dbname the URL may override; what stands behind it is ours. */
    const char *const names[] = { PG_NETWORK_NAMES, "dbname", "application_name", "client_encoding", NULL };
    const char *const values[] = { PG_NETWORK_VALUES, url, who, "UTF8", NULL };
    AUTO(pg_close) struct pg *pg = mem_zalloc(sizeof *pg);
    pg->url = mem_strdup(url);
    pg->table = table;
    pg->table_count = table ? count : 0;
    pg->conn = PQconnectdbParams(names, values, 1);
    if (!prepare_session(pg, err))
        return NULL;
    return TAKE(pg);
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->conn);
    mem_free(pg->url);
    mem_free(pg);
}

bool pg_reopen(struct pg *pg, struct err *err)
{
    PQreset(pg->conn);
    return prepare_session(pg, err);
}

bool pg_is_alive(const struct pg *pg)
{
    return PQstatus(pg->conn) == CONNECTION_OK;
}

static bool is_prepared(const struct pg *pg, const struct pg_stmt *stmt)
{
    return pg->table && stmt >= pg->table && stmt < pg->table + pg->table_count;
}

PGresult *pg_run_binary(struct pg *pg, const struct pg_stmt *stmt, const char *const *values, const int *lengths,
                        const int *formats, struct err *err)
{
    PGresult *r = is_prepared(pg, stmt)
                      ? PQexecPrepared(pg->conn, stmt->name, stmt->params, values, lengths, formats, 0)
                      : PQexecParams(pg->conn, stmt->sql, stmt->params, NULL, values, lengths, formats, 0);
    return checked(pg, r, stmt->name, err);
}

PGresult *pg_run(struct pg *pg, const struct pg_stmt *stmt, const char *const *params, struct err *err)
{
    return pg_run_binary(pg, stmt, params, NULL, NULL, err);
}

bool pg_exec(struct pg *pg, const char *sql, struct err *err)
{
    char what[41];
    size_t n = strcspn(sql, "\n");
    if (n >= sizeof what)
        n = sizeof what - 1;
    memcpy(what, sql, n);
    what[n] = '\0';
    AUTO(pg_result_free) PGresult *r = checked(pg, PQexec(pg->conn, sql), what, err);
    return r != NULL;
}

bool pg_begin(struct pg *pg, struct err *err)
{
    return pg_exec(pg, "begin", err);
}

bool pg_commit(struct pg *pg, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = checked(pg, PQexec(pg->conn, "commit"), "commit", err);
    if (!r)
        return false;
    /* The commit of a failed transaction succeeds as a rollback: that is no commit. */
    if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
        return err_set(err, ERR_DB, "commit: the transaction had failed and was rolled back");
    return true;
}

/* Ends a COPY that was left in the middle and reads away what the server still has to say. */
static void drain(struct pg *pg)
{
    PGresult *r;
    while ((r = PQgetResult(pg->conn))) {
        bool copying = PQresultStatus(r) == PGRES_COPY_IN;
        PQclear(r);
        if (copying && PQputCopyEnd(pg->conn, "given up") != 1)
            return;
    }
}

void pg_rollback(struct pg *pg)
{
    if (PQtransactionStatus(pg->conn) == PQTRANS_ACTIVE)
        drain(pg);
    PGTransactionStatusType status = PQtransactionStatus(pg->conn);
    if (status == PQTRANS_INTRANS || status == PQTRANS_INERROR)
        PQclear(PQexec(pg->conn, "rollback"));
}

bool pg_copy_begin(struct pg *pg, const char *copy_sql, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = PQexec(pg->conn, copy_sql);
    if (PQresultStatus(r) != PGRES_COPY_IN)
        return pg_err(pg->conn, r, "copy", err);
    return true;
}

bool pg_copy_send(struct pg *pg, struct str bytes, struct err *err)
{
    while (bytes.n) {
        int piece = bytes.n > COPY_PIECE_BYTES ? COPY_PIECE_BYTES : (int)bytes.n;
        if (PQputCopyData(pg->conn, bytes.p, piece) != 1)
            return pg_err(pg->conn, NULL, "copy", err);
        bytes.p += piece;
        bytes.n -= (size_t)piece;
    }
    return true;
}

bool pg_copy_end(struct pg *pg, uint64_t *out_rows, struct err *err)
{
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return pg_err(pg->conn, NULL, "copy", err);
    AUTO(pg_result_free) PGresult *r = PQgetResult(pg->conn);
    drain(pg);
    uint64_t rows;
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return pg_err(pg->conn, r, "copy", err);
    if (!parse_u64(str_of(PQcmdTuples(r)), &rows, err))
        return err_prefix(err, "copy: number of rows: ");
    *out_rows = rows;
    return true;
}

void pg_copy_header(struct buf *b)
{
    buf_add(b, "PGCOPY\n\377\r\n\0", 11);
    buf_add_be32(b, 0); /* flags */
    buf_add_be32(b, 0); /* extension */
}

void pg_copy_row(struct buf *b, unsigned columns)
{
    buf_add_be16(b, (uint16_t)columns);
}

void pg_copy_null(struct buf *b)
{
    buf_add_be32(b, UINT32_MAX);
}

void pg_copy_text(struct buf *b, struct str s)
{
    if (!s.p) {
        pg_copy_null(b);
        return;
    }
    buf_add_be32(b, (uint32_t)s.n);
    buf_add_str(b, s);
}

void pg_copy_i16(struct buf *b, int16_t v)
{
    buf_add_be32(b, 2);
    buf_add_be16(b, (uint16_t)v);
}

void pg_copy_i32(struct buf *b, int32_t v)
{
    buf_add_be32(b, 4);
    buf_add_be32(b, (uint32_t)v);
}

void pg_copy_i64(struct buf *b, int64_t v)
{
    buf_add_be32(b, 8);
    buf_add_be64(b, (uint64_t)v);
}

void pg_copy_double(struct buf *b, double v)
{
    uint64_t bits;
    if (isnan(v)) {
        pg_copy_null(b);
        return;
    }
    memcpy(&bits, &v, sizeof bits);
    buf_add_be32(b, 8);
    buf_add_be64(b, bits);
}

void pg_copy_time(struct buf *b, int64_t us)
{
    pg_copy_i64(b, us - epoch_us);
}

void pg_copy_date(struct buf *b, int32_t day)
{
    pg_copy_i32(b, day - epoch_day);
}

void pg_copy_uuid(struct buf *b, const unsigned char id[16])
{
    buf_add_be32(b, 16);
    buf_add(b, id, 16);
}

void pg_copy_jsonb(struct buf *b, struct str json)
{
    if (!json.p) {
        pg_copy_null(b);
        return;
    }
    buf_add_be32(b, (uint32_t)json.n + 1);
    buf_add_byte(b, 1); /* version of the format */
    buf_add_str(b, json);
}

void pg_copy_doubles(struct buf *b, const double *v, size_t count)
{
    enum { FLOAT8_OID = 701, ARRAY_HEAD_BYTES = 20, ELEMENT_BYTES = 12 };
    if (!v) {
        pg_copy_null(b);
        return;
    }
    buf_add_be32(b, (uint32_t)(ARRAY_HEAD_BYTES + ELEMENT_BYTES * count));
    buf_add_be32(b, 1); /* dimensions */
    buf_add_be32(b, 0); /* no element is null */
    buf_add_be32(b, FLOAT8_OID);
    buf_add_be32(b, (uint32_t)count);
    buf_add_be32(b, 1); /* the first index */
    for (size_t i = 0; i < count; i++)
        pg_copy_double(b, v[i]);
}

void pg_copy_trailer(struct buf *b)
{
    buf_add_be16(b, UINT16_MAX);
}

struct str pg_get(const PGresult *r, int row, int column)
{
    assert(row >= 0 && row < PQntuples(r) && column >= 0 && column < PQnfields(r));
    if (PQgetisnull(r, row, column))
        return (struct str){ NULL, 0 };
    return (struct str){ PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column) };
}

int64_t pg_get_i64(const PGresult *r, int row, int column)
{
    struct str s = pg_get(r, row, column);
    int64_t v = 0;
    bool ok = !s.p || parse_i64(s, &v, NULL);
    assert(ok);
    return v;
}

double pg_get_double(const PGresult *r, int row, int column)
{
    struct str s = pg_get(r, row, column);
    double v = NAN;
    if (str_eq_c(s, "Infinity"))
        return INFINITY;
    if (str_eq_c(s, "-Infinity"))
        return -INFINITY;
    bool ok = !s.p || str_eq_c(s, "NaN") || parse_double(s, &v, NULL);
    assert(ok);
    return v;
}

bool pg_get_bool(const PGresult *r, int row, int column)
{
    struct str s = pg_get(r, row, column);
    assert(!s.p || str_eq_c(s, "t") || str_eq_c(s, "f"));
    return str_eq_c(s, "t");
}

int64_t pg_get_time(const PGresult *r, int row, int column)
{
    struct str s = pg_get(r, row, column);
    int64_t us = 0;
    bool ok = !s.p || clock_parse(s, &us, NULL);
    assert(ok);
    return us;
}
