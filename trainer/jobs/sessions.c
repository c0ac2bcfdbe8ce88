/* The job "sessions": signals → the sessions of days.
 *
 * One pass over those (day × range of buckets) of which anything changed that their sessions depend on: signals of the day, of the one before it or of
 * the one behind it. What was computed of what stands in session_days, published together with the rows. So a run reads what is new, and the rows are the same
 * as if it had read everything.
 *
 * Marked units have no sessions, which no split knows: rows of units that were marked since go when rows are published, and a mark that was taken back
 * makes the unit's range of buckets be computed anew. */
#include "trainer/kernels/sessions.h"

#include <inttypes.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/params.h"
#include "trainer/jobs/unit_rows.h"

enum { JSON_MAX = 8192, ARENA_FIRST = 1 << 16, LIST_MAX = 64 << 20 };

enum plan_stmt { READ_SEEN, READ_UNMARKED, PLAN_STMT_COUNT };
static const struct pg_stmt plan_statements[PLAN_STMT_COUNT] = {
    [READ_SEEN] = { "sessions_seen", 0,
                    "select day - date '1970-01-01', bucket_lo, bucket_hi, seen from session_days order by 1, 2" },
    /* Left out of what is published, and marked no longer. */
    [READ_UNMARKED] = { "sessions_unmarked", 0,
                        "select s.unit, s.bucket from session_marks s where not exists (select 1 from marked_units m "
                        "where m.unit = s.unit and m.mark <> 0) order by 1" },
};

/* $1: JSON, a list of what was computed: [{"day": days since 1970, "lo": …, "hi": …, "seen": …}]. */
#define COMPUTED                                                                                                       \
    "with c as (select date '1970-01-01' + day as day, lo, hi, seen from jsonb_to_recordset($1::jsonb) as c(day int, " \
    "lo int, hi int, seen text)) "
enum publish_stmt {
    DELETE_ROWS,
    DELETE_SEEN,
    INSERT_SEEN,
    DELETE_MARKS,
    INSERT_MARKS,
    DELETE_OTHER_ROWS,
    DELETE_OTHER_SEEN,
    PUBLISH_STMT_COUNT
};
static const struct pg_stmt publish_statements[PUBLISH_STMT_COUNT] = {
    [DELETE_ROWS] = { "sessions_delete", 1,
                      COMPUTED
                      "delete from sessions s using c where s.day = c.day and s.bucket between c.lo and c.hi" },
    [DELETE_SEEN] = { "sessions_delete_seen", 1,
                      COMPUTED "delete from session_days s using c where s.day = c.day and s.bucket_lo <= c.hi and "
                               "s.bucket_hi >= c.lo" },
    [INSERT_SEEN] = { "sessions_insert_seen", 1,
                      COMPUTED "insert into session_days (day, bucket_lo, bucket_hi, seen) select day, lo, hi, seen "
                               "from c where seen <> ''" },
    [DELETE_MARKS] = { "sessions_delete_marks", 1,
                       "delete from session_marks where unit in (select jsonb_array_elements_text($1::jsonb))" },
    [INSERT_MARKS] = { "sessions_insert_marks", 0,
                       "with fresh as (insert into session_marks (unit, bucket) select unit, bucket from marked_units "
                       "where "
                       "mark <> 0 on conflict do nothing returning unit, bucket) "
                       "delete from sessions s using fresh f where s.bucket = f.bucket and s.unit = f.unit" },
    [DELETE_OTHER_ROWS] = { "sessions_delete_others", 1,
                            "delete from sessions where day not in (select date '1970-01-01' + d::int from "
                            "jsonb_array_elements_text($1::jsonb) d)" },
    [DELETE_OTHER_SEEN] = { "sessions_delete_other_seen", 1,
                            "delete from session_days where day not in (select date '1970-01-01' + d::int from "
                            "jsonb_array_elements_text($1::jsonb) d)" },
};

struct unmarked {
    struct str unit;
    unsigned bucket;
};

/* One to be computed. */
struct part {
    int32_t day;
    unsigned lo, hi;
    struct str seen;
};

struct plan {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct kept_rules rules;
    struct str params;
    bool all_days; /* no other has sessions */
    struct unmarked *unmarked;
    size_t unmarked_count;
    struct part *parts;
    struct engine_split *splits;
    uint32_t count;
    int pass;
};

/* ---- parameters ---- */

static bool write_params(struct plan *p, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", p->run->archive_dir);
    jsonw_i64(&w, "gap_us", run_whole(p->run, "gap_minutes") * 60 * US_PER_SECOND);
    jsonw_close(&w);
    p->params = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool plan_days(struct plan *p, struct err *err)
{
    int32_t from = run_day(p->run, "from", 0), to = run_day(p->run, "to", INT32_MAX);
    p->all_days = !p->run->param(p->run, "from") && !p->run->param(p->run, "to");
    if (from > to)
        return err_set(err, ERR_INVALID, "parameter \"from\" is a day behind \"to\"");
    return write_params(p, err) && day_plan_days(&p->days, from, to, err);
}

/* ---- what has to be computed ---- */

static bool read_unmarked(struct plan *p, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(p->days.pg, &plan_statements[READ_UNMARKED], NULL, err);
    if (!r)
        return false;
    p->unmarked_count = (size_t)PQntuples(r);
    p->unmarked = arena_alloc(&p->arena, (p->unmarked_count + 1) * sizeof *p->unmarked);
    for (size_t i = 0; i < p->unmarked_count; i++)
        p->unmarked[i] = (struct unmarked){ arena_str(&p->arena, pg_get(r, (int)i, 0)),
                                            (unsigned)pg_get_i64(r, (int)i, 1) };
    return true;
}

static bool has_unmarked(const struct plan *p, const struct part *part)
{
    for (size_t i = 0; i < p->unmarked_count; i++)
        if (p->unmarked[i].bucket >= part->lo && p->unmarked[i].bucket <= part->hi)
            return true;
    return false;
}

/* Whether the table's rows were computed of just this. Rows of `seen` and parts come in one order; *at goes along. */
static bool is_published(const PGresult *seen, int *at, const struct part *part)
{
    for (; *at < PQntuples(seen); ++*at) {
        int64_t day = pg_get_i64(seen, *at, 0), lo = pg_get_i64(seen, *at, 1);
        if (day > part->day || (day == part->day && lo >= part->lo))
            return day == part->day && lo == part->lo && pg_get_i64(seen, *at, 2) == part->hi && part->seen.n &&
                   str_eq(pg_get(seen, *at, 3), part->seen);
    }
    return false;
}

static struct part part_of(struct plan *p, const struct kept_days *k, uint32_t i)
{
    uint32_t width = BUCKET_COUNT / p->days.ranges, range = i % p->days.ranges;
    return (struct part){ .day = p->days.days[i / p->days.ranges],
                          .lo = range * width,
                          .hi = (range + 1) * width - 1,
                          .seen = k ? arena_str(&p->arena, kept_days_seen(k, i)) : (struct str){ NULL, 0 } };
}

static void plan_parts(struct plan *p, const PGresult *seen, const struct kept_days *k)
{
    uint32_t all = (uint32_t)p->days.days_count * p->days.ranges;
    bool full = run_flag(p->run, "full");
    int at = 0;
    p->parts = arena_alloc(&p->arena, (all + 1) * sizeof *p->parts);
    p->splits = arena_zalloc(&p->arena, (all + 1) * sizeof *p->splits);
    for (uint32_t i = 0; i < all; i++) {
        struct part part = part_of(p, k, i);
        if (!full && is_published(seen, &at, &part) && !has_unmarked(p, &part))
            continue;
        p->splits[p->count] = (struct engine_split){ .desc = arena_printf(&p->arena, "%d %u %u", part.day, part.lo,
                                                                          part.hi),
                                                     .weight = p->days.weights[i / p->days.ranges],
                                                     .seen = part.seen };
        p->parts[p->count++] = part;
    }
    run_say(p->run, "%u of %u days and ranges of buckets are as they were", all - p->count, all);
}

/* What a day's sessions depend on is told as for data sets that are kept, though none is. */
static bool find_changes(struct plan *p, struct err *err)
{
    AUTO(kept_days_free) struct kept_days *k = NULL;
    struct err why;
    p->rules = (struct kept_rules){ .kernel = SESSIONS_DAY_KERNEL,
                                    .program = p->params,
                                    .neighbours = true,
                                    .days = p->days.days,
                                    .days_count = p->days.days_count,
                                    .ranges = p->days.ranges };
    AUTO(pg_result_free) PGresult *seen = pg_run(p->days.pg, &plan_statements[READ_SEEN], NULL, err);
    if (!seen || !read_unmarked(p, err))
        return false;
    if (!p->run->archive_dir)
        run_say(p->run, "all days are read: there is no folder for what was seen: give --archive-dir DIR");
    else if (!archive_store_make(p->run->pg, p->run->archive_dir, &why) ||
             !(k = kept_days_open(p->days.pg, p->run->archive_dir, &p->rules, &why)))
        log_warn("days_not_kept", LOG_ERR, LOG_ERR_ARG(&why));
    plan_parts(p, seen, k);
    return true;
}

static bool pass_days(struct plan *p, struct err *err)
{
    struct engine_pass pass = { .name = "days",
                                .kernel = SESSIONS_DAY_KERNEL,
                                .params = p->params,
                                .snapshot = p->days.snapshot,
                                .splits = p->splits,
                                .splits_count = p->count,
                                .input_pass = -1,
                                .out = ENGINE_PUBLISH,
                                .table = "sessions",
                                .columns = SESSIONS_COLUMN_NAMES,
                                .reads_database = true };
    return run_pass_numbered(p->run, &pass, &p->pass, err);
}

/* ---- publishing ---- */

static void computed_json(struct plan *p, struct buf *b)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '[');
    for (uint32_t i = 0; i < p->count; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "day", p->parts[i].day);
        jsonw_i64(&w, "lo", p->parts[i].lo);
        jsonw_i64(&w, "hi", p->parts[i].hi);
        jsonw_str(&w, "seen", p->parts[i].seen.p ? p->parts[i].seen : STR(""));
        jsonw_close(&w);
    }
    jsonw_close(&w);
}

static void units_json(struct plan *p, struct buf *b)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < p->unmarked_count; i++)
        jsonw_str(&w, NULL, p->unmarked[i].unit);
    jsonw_close(&w);
}

static void days_json(struct plan *p, struct buf *b)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < p->days.days_count; i++)
        jsonw_i64(&w, NULL, p->days.days[i]);
    jsonw_close(&w);
}

static bool execute(struct plan *p, enum publish_stmt stmt, const struct buf *param, struct err *err)
{
    const char *params[] = { param ? param->p : NULL };
    if (param && !buf_ok(param, "what was computed", err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(p->run->pg, &publish_statements[stmt], params, err);
    return r != NULL;
}

static bool move_rows(struct plan *p, const struct buf *computed, uint64_t *rows, struct err *err)
{
    *rows = 0;
    return execute(p, DELETE_ROWS, computed, err) && execute(p, DELETE_SEEN, computed, err) &&
           execute(p, INSERT_SEEN, computed, err) &&
           unit_rows_insert(p->run, "sessions", SESSIONS_COLUMN_NAMES, engine_staging(p->run->engine, p->pass),
                            "not exists (select 1 from session_marks m where m.unit = s.unit)", rows, err) &&
           unit_rows_drop(p->run, engine_staging(p->run->engine, p->pass), err);
}

static bool publish_rows(struct plan *p, uint64_t *rows, struct err *err)
{
    AUTO(buf_release) struct buf computed;
    AUTO(buf_release) struct buf units;
    AUTO(buf_release) struct buf days;
    buf_init(&computed, LIST_MAX);
    buf_init(&units, LIST_MAX);
    buf_init(&days, LIST_MAX);
    computed_json(p, &computed);
    units_json(p, &units);
    days_json(p, &days);
    return unit_rows_lock(p->run, "sessions", err) && execute(p, DELETE_MARKS, &units, err) &&
           execute(p, INSERT_MARKS, NULL, err) && move_rows(p, &computed, rows, err) &&
           (!p->all_days || (execute(p, DELETE_OTHER_ROWS, &days, err) && execute(p, DELETE_OTHER_SEEN, &days, err)));
}

static bool publish(struct plan *p, struct err *err)
{
    uint64_t rows;
    if (!run_publish_begin(p->run, err) || !publish_rows(p, &rows, err))
        return false;
    run_result(p->run, "{\"rows\":%" PRIu64 ",\"computed\":%u}", rows, p->count);
    if (!run_publish_end(p->run, err))
        return false;
    run_say(p->run, "sessions: %" PRIu64 " of %u days and ranges of buckets", rows, p->count);
    return true;
}

/* ---- the job ---- */

static bool run_sessions(struct run_context *run, struct err *err)
{
    struct plan p = { .run = run };
    arena_init(&p.arena, ARENA_FIRST);
    bool ok = day_plan_open(&p.days, run, &p.arena, plan_statements, PLAN_STMT_COUNT, err) && plan_days(&p, err) &&
              find_changes(&p, err) && pass_days(&p, err) && publish(&p, err);
    day_plan_close(&p.days);
    arena_release(&p.arena);
    return ok;
}

const struct job job_sessions = { "sessions", run_sessions };
