/* "sessions.day@2": signals of one day, one gap before it and one day behind it, of a range of buckets → the day's sessions as rows of the table. A session that goes on for longer than the day behind ends there: nobody searches for 24 hours without a pause. */
#include <math.h>

#include "archive/scan.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/session.h"
#include "trainer/kernels/sessions.h"

enum { ROW_MAX = 64 << 10, TICK_ROWS = 4096 };

struct reading {
    struct task *task;
    int32_t day;
    struct session_event *events;
    size_t count, room;
    uint64_t rows;
};

static struct str kept(struct reading *r, const struct archive_value *v)
{
    return v->null ? (struct str){ NULL, 0 } : arena_str(task_arena(r->task), v->s);
}

static bool add_signal(void *arg, const struct archive_value *row, struct err *err)
{
    enum { AT, TYPE, UNIT, SESSION, QUERY, VALUE };
    struct reading *r = arg;
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 4096;
        r->events = mem_realloc(r->events, r->room * sizeof *r->events);
    }
    enum session_kind kind = session_kind_of(row[TYPE].s);
    r->events[r->count++] = (struct session_event){
        .at_us = row[AT].i,
        .unit = kept(r, &row[UNIT]),
        .session = kept(r, &row[SESSION]),
        .query = kind == SESSION_QUERY ? kept(r, &row[QUERY]) : (struct str){ NULL, 0 },
        .kind = kind,
        .value = row[VALUE].null ? NAN : row[VALUE].d,
    };
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

static bool read_signals(struct reading *r, const struct sessions_params *p, uint32_t lo, uint32_t hi, struct err *err)
{
    static const struct archive_column columns[] = { { STR("at"), ARCHIVE_TIME },    { STR("type"), ARCHIVE_TEXT },
                                                     { STR("unit"), ARCHIVE_TEXT },  { STR("session"), ARCHIVE_TEXT },
                                                     { STR("query"), ARCHIVE_TEXT }, { STR("value"), ARCHIVE_REAL } };
    const struct archive_scan scan = { .table = "signals",
                                       .columns = columns,
                                       .columns_count = COUNT_OF(columns),
                                       .from_us = r->day * US_PER_DAY - p->gap_us,
                                       .to_us = (r->day + 2) * US_PER_DAY,
                                       .lo = lo,
                                       .hi = hi };
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && archive_scan(pg, p->archive.p, &scan, add_signal, r, err);
}

static bool put(void *arg, const struct session *s, struct err *err)
{
    struct reading *r = arg;
    struct buf b;
    buf_init(&b, ROW_MAX);
    pg_copy_row(&b, SESSIONS_COLUMNS);
    pg_copy_date(&b, r->day);
    pg_copy_i16(&b, (int16_t)hash_bucket(s->unit));
    pg_copy_text(&b, s->unit);
    pg_copy_text(&b, s->id);
    pg_copy_time(&b, s->started_us);
    pg_copy_time(&b, s->ended_us);
    pg_copy_i64(&b, s->signals);
    for (int k = SESSION_QUERY; k < SESSION_KIND_COUNT; k++)
        pg_copy_i64(&b, s->counts[k]);
    pg_copy_double(&b, s->revenue);
    pg_copy_text(&b, s->first_query);
    pg_copy_text(&b, s->last_query);
    bool ok = buf_ok(&b, "a session", err) && task_put(r->task, buf_str(&b), err);
    buf_release(&b);
    return ok;
}

bool sessions_params_read(struct str json, struct sessions_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct sessions_params){ 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_i64(&r, "gap_us", JSON_REQUIRED, &out->gap_us);
    return json_reader_close(&r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct sessions_params p;
    struct day_split split;
    if (!sessions_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .day = split.day };
    bool ok = read_signals(&r, &p, split.lo, split.hi, err) && task_tick(t, r.rows % TICK_ROWS, err) &&
              sessions_find(r.events, r.count, r.day * US_PER_DAY, (r.day + 1) * US_PER_DAY, p.gap_us, put, &r, err);
    mem_free(r.events);
    return ok;
}

const struct kernel kernel_sessions_day = { SESSIONS_DAY_KERNEL, run };
