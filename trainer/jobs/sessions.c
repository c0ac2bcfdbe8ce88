/* The job "sessions": signals → the sessions of some days.
 *
 * One pass over (day × bucket range); the rows of all days are published together, in place of those that were there. A day is final once
 * the day behind it is over: until then a session may go on. Running it again for a day gives the same rows. */
#include <inttypes.h>
#include <stdio.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/sessions.h"

enum { RANGES = 16, DAYS_DEFAULT = 2, DAYS_MAX = 3660, JSON_MAX = 8192 };

static const struct pg_stmt export_snapshot = { "sessions_snapshot", 0, "select pg_export_snapshot()" };
static const struct pg_stmt delete_days = { "sessions_delete", 2,
                                            "delete from sessions where day between $1::date and $2::date" };

struct plan {
    struct arena arena;
    struct str params, snapshot;
    int32_t from, to; /* days since 1970, inclusive */
    uint32_t gap_minutes;
};

/* ---- parameters ---- */

static bool read_day(const struct run_context *run, const char *name, int32_t *out, struct err *err)
{
    const char *text = run->param(run, name);
    int64_t at_us;
    if (!text)
        return true;
    AUTO(mem_free) char *whole = mem_printf("%sT00:00:00Z", text);
    if (!clock_parse(str_of(whole), &at_us, err))
        return false;
    *out = clock_day(at_us);
    return true;
}

static bool read_params(const struct run_context *run, struct plan *p, struct err *err)
{
    p->to = clock_day(clock_now_us());
    p->gap_minutes = (uint32_t)run_whole(run, "gap_minutes");
    if (!read_day(run, "to", &p->to, err))
        return false;
    p->from = p->to - (DAYS_DEFAULT - 1);
    if (!read_day(run, "from", &p->from, err))
        return false;
    if (p->from > p->to || p->to - p->from >= DAYS_MAX)
        return err_set(err, ERR_INVALID, "parameters \"from\" and \"to\": %" PRId32 " days, not 1 to %d",
                       p->to - p->from + 1, DAYS_MAX);
    return true;
}

static bool write_params(const struct run_context *run, struct plan *p, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", run->archive_dir);
    jsonw_i64(&w, "gap_us", (int64_t)p->gap_minutes * 60 * US_PER_SECOND);
    jsonw_close(&w);
    p->params = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

/* ---- the pass ---- */

static bool pass_days(struct run_context *run, struct plan *p, struct engine_result *out, struct err *err)
{
    uint32_t width = BUCKET_COUNT / RANGES, count = (uint32_t)(p->to - p->from + 1) * RANGES;
    struct engine_split *splits = arena_zalloc(&p->arena, count * sizeof *splits);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t range = i % RANGES;
        splits[i].desc = arena_printf(&p->arena, "%d %u %u", p->from + (int32_t)(i / RANGES), range * width,
                                      (range + 1) * width - 1);
        splits[i].weight = 1;
    }
    struct engine_pass pass = { .name = "days",
                                .kernel = "sessions.day@1",
                                .params = p->params,
                                .snapshot = p->snapshot,
                                .reads_database = true,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = -1,
                                .out = ENGINE_COLLECT };
    return run_pass(run, &pass, out, err);
}

/* ---- publishing ---- */

static bool send(struct run_context *run, const struct engine_result *r, uint64_t *out_rows, struct err *err)
{
    AUTO(buf_release) struct buf head;
    AUTO(buf_release) struct buf end;
    buf_init(&head, 64);
    buf_init(&end, 64);
    pg_copy_header(&head);
    pg_copy_trailer(&end);
    if (!pg_copy_begin(run->pg,
                       "copy sessions (day, bucket, unit, session, started_at, ended_at, signals, queries, clicks, "
                       "carts, purchases, revenue, first_query, last_query) from stdin (format binary)",
                       err) ||
        !pg_copy_send(run->pg, buf_str(&head), err))
        return false;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->parts[i].n && !pg_copy_send(run->pg, buf_str(&r->parts[i]), err))
            return false;
    return pg_copy_send(run->pg, buf_str(&end), err) && pg_copy_end(run->pg, out_rows, err);
}

static bool publish(struct run_context *run, const struct plan *p, const struct engine_result *r, struct err *err)
{
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    uint64_t rows = 0;
    const char *days[] = { clock_format_day(p->from, from), clock_format_day(p->to, to) };
    if (!run_publish_begin(run, err))
        return false;
    AUTO(pg_result_free) PGresult *d = pg_run(run->pg, &delete_days, days, err);
    if (!d || !send(run, r, &rows, err))
        return false;
    run_result(run, "{\"rows\":%" PRIu64 ",\"from\":\"%s\",\"to\":\"%s\"}", rows, from, to);
    if (!run_publish_end(run, err))
        return false;
    run_say(run, "sessions: %" PRIu64 " that began from %s to %s", rows, from, to);
    return true;
}

/* ---- the job ---- */

/* The planning connection holds the snapshot open, and the files where they are, until the pass has ended. */
static bool plan_and_compute(struct run_context *run, struct plan *p, struct pg *pg, struct err *err)
{
    struct engine_result found;
    if (!read_params(run, p, err) || !archive_lock_readers(pg, false, err) ||
        !pg_exec(pg, "begin isolation level repeatable read read only", err))
        return false;
    AUTO(pg_result_free) PGresult *snapshot = pg_run(pg, &export_snapshot, NULL, err);
    if (!snapshot)
        return false;
    p->snapshot = arena_str(&p->arena, pg_get(snapshot, 0, 0));
    if (!write_params(run, p, err) || !pass_days(run, p, &found, err))
        return false;
    bool ok = publish(run, p, &found, err);
    engine_result_release(&found);
    return ok;
}

static bool run_sessions(struct run_context *run, struct err *err)
{
    struct plan p = { 0 };
    arena_init(&p.arena, 1 << 16);
    struct pg *pg = pg_open(run->database_url, "trainer plan", NULL, 0, err);
    bool ok = pg && plan_and_compute(run, &p, pg, err);
    pg_close(pg);
    arena_release(&p.arena);
    return ok;
}

const struct job job_sessions = { "sessions", run_sessions };
