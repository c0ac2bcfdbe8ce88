/* "metrics.day@1": exposures and signals of one day and range of buckets, read by binary COPY in the run's snapshot → unit-day records. */
#include <endian.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/metrics.h"

enum { RECORD_MAX = 1 << 20, TICK_ROWS = 4096, SQL_MAX = 1024 };
#define POSTGRES_EPOCH_US (INT64_C(946684800) * US_PER_SECOND) /* 2000-01-01 */

struct reading {
    struct task *task;
    const struct metrics_params *params;
    struct arena *arena;
    struct day_event *events;
    size_t count, room;
    uint64_t rows;
};

static struct day_event *event_new(struct reading *r)
{
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 4096;
        r->events = mem_realloc(r->events, r->room * sizeof *r->events);
    }
    r->events[r->count] = (struct day_event){ .value = NAN };
    return &r->events[r->count++];
}

/* ---- fields of a binary COPY row ---- */

static bool field(struct str *row, struct str *out)
{
    uint32_t n;
    if (row->n < 4)
        return false;
    memcpy(&n, row->p, 4);
    n = be32toh(n);
    row->p += 4;
    row->n -= 4;
    *out = (struct str){ NULL, 0 };
    if (n == UINT32_MAX)
        return true;
    if (row->n < n)
        return false;
    *out = (struct str){ row->p, n };
    row->p += n;
    row->n -= n;
    return true;
}

static uint64_t number(struct str f)
{
    uint64_t v = 0;
    for (size_t i = 0; i < f.n && i < 8; i++)
        v = v << 8 | (unsigned char)f.p[i];
    return v;
}

static double real(struct str f)
{
    uint64_t bits = number(f);
    double v;
    memcpy(&v, &bits, sizeof v);
    return f.n == 8 ? v : NAN;
}

static bool add_exposure(struct reading *r, struct str row)
{
    struct str at, experiment, variant, unit;
    if (!field(&row, &at) || !field(&row, &experiment) || !field(&row, &variant) || !field(&row, &unit))
        return false;
    int64_t at_us = (int64_t)number(at) + POSTGRES_EPOCH_US;
    for (size_t i = 0; i < r->params->count; i++) {
        if (!str_eq(r->params->keys[i], experiment) || at_us < r->params->first_us[i])
            continue;
        struct day_event *e = event_new(r);
        e->kind = EVENT_EXPOSURE;
        e->at_us = at_us;
        e->experiment = (uint32_t)i;
        e->query_id = arena_str(r->arena, variant);
        e->unit = arena_str(r->arena, unit);
    }
    return true;
}

static bool add_signal(struct reading *r, struct str row)
{
    struct str at, type, unit, query_id, position, value;
    if (!field(&row, &at) || !field(&row, &type) || !field(&row, &unit) || !field(&row, &query_id) ||
        !field(&row, &position) || !field(&row, &value))
        return false;
    struct day_event *e = event_new(r);
    e->kind = str_eq(type, STR("click")) ? EVENT_CLICK : str_eq(type, STR("request")) ? EVENT_REQUEST : EVENT_RESPONSE;
    e->at_us = (int64_t)number(at) + POSTGRES_EPOCH_US;
    e->unit = arena_str(r->arena, unit);
    e->query_id = query_id.p ? arena_str(r->arena, query_id) : query_id;
    e->position = position.p ? (int32_t)number(position) : 0;
    e->value = real(value);
    return true;
}

/* One message is the header, a row, or the trailer. */
static bool take_message(struct reading *r, struct str message, bool (*add)(struct reading *, struct str),
                         struct err *err)
{
    static const char signature[11] = "PGCOPY\n\377\r\n";
    if (message.n >= 19 && memcmp(message.p, signature, sizeof signature) == 0)
        message = (struct str){ message.p + 19, message.n - 19 };
    while (message.n >= 2) {
        int16_t columns = (int16_t)number((struct str){ message.p, 2 });
        if (columns < 0)
            return true;
        struct str row = { message.p + 2, message.n - 2 }, skipped, rest = row;
        for (int16_t i = 0; i < columns; i++)
            if (!field(&rest, &skipped))
                return err_set(err, ERR_DB, "a COPY row is damaged");
        if (!add(r, row))
            return err_set(err, ERR_DB, "a COPY row has the wrong shape");
        if (++r->rows % TICK_ROWS == 0 && !task_tick(r->task, TICK_ROWS, err))
            return false;
        message = rest;
    }
    return true;
}

static bool copy_rows(struct reading *r, struct pg *pg, const char *sql, bool (*add)(struct reading *, struct str),
                      struct err *err)
{
    char *message;
    int n;
    bool ok = true;
    PGresult *started = PQexec(pg->conn, sql);
    if (PQresultStatus(started) != PGRES_COPY_OUT) {
        (void)pg_err(pg->conn, started, "reading signals", err);
        PQclear(started);
        return false;
    }
    PQclear(started);
    while (ok && (n = PQgetCopyData(pg->conn, &message, 0)) > 0) {
        ok = take_message(r, (struct str){ message, (size_t)n }, add, err);
        PQfreemem(message);
    }
    PGresult *ended = ok ? PQgetResult(pg->conn) : NULL;
    if (ok && PQresultStatus(ended) != PGRES_COMMAND_OK)
        ok = pg_err(pg->conn, ended, "reading signals", err);
    PQclear(ended);
    while (ok && (ended = PQgetResult(pg->conn)))
        PQclear(ended);
    return ok;
}

/* COPY takes no parameters: the texts are made of numbers of ours alone. */
static bool read_day(struct reading *r, struct pg *pg, int64_t day, int64_t lo, int64_t hi, struct err *err)
{
    char sql[SQL_MAX], from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX], late[CLOCK_TEXT_MAX];
    (void)clock_format(day * US_PER_DAY, from);
    (void)clock_format((day + 1) * US_PER_DAY, to);
    (void)clock_format((day + 1) * US_PER_DAY + QUERY_WINDOW_US, late);
    (void)snprintf(sql, sizeof sql,
                   "copy (select at, experiment, variant, unit from exposures where at >= '%s' and at < '%s' "
                   "and bucket between %lld and %lld) to stdout (format binary)",
                   from, to, (long long)lo, (long long)hi);
    if (!copy_rows(r, pg, sql, add_exposure, err))
        return false;
    (void)snprintf(sql, sizeof sql,
                   "copy (select at, type, unit, query_id, position, value from signals where at >= '%s' and "
                   "(at < '%s' or (at <= '%s' and type = 'click')) and type in ('request', 'response', 'click') "
                   "and bucket between %lld and %lld) to stdout (format binary)",
                   from, to, late, (long long)lo, (long long)hi);
    return copy_rows(r, pg, sql, add_signal, err);
}

static bool emit(void *arg, const struct unit_day *u, struct err *err)
{
    struct buf b;
    buf_init(&b, RECORD_MAX);
    unit_day_write(&b, u);
    bool ok = buf_ok(&b, "a unit-day record", err) && task_emit(arg, buf_str(&b), err);
    buf_release(&b);
    return ok;
}

static bool read_desc(struct str desc, int64_t out[3], struct err *err)
{
    struct str rest = desc, word;
    for (int i = 0; i < 3; i++)
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &out[i], err))
            return err_set(err, ERR_INVALID, "split \"%.*s\" is not DAY LO HI", (int)desc.n, desc.p);
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    int64_t split[3];
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err) || !read_desc(task_desc(t), split, err))
        return false;
    struct reading r = { .task = t, .params = &p, .arena = task_arena(t) };
    struct pg *pg = pg_open(task_database_url(t), "trainer worker", NULL, 0, err);
    bool ok = pg && metrics_enter_snapshot(pg, p.snapshot, err) && read_day(&r, pg, split[0], split[1], split[2], err);
    pg_close(pg);
    ok = ok && task_tick(t, r.rows % TICK_ROWS, err) &&
         unit_days(r.events, r.count, (split[0] + 1) * US_PER_DAY, task_arena(t), emit, t, err);
    mem_free(r.events);
    return ok;
}

const struct kernel kernel_metrics_day = { "metrics.day@1", run };
