/* The job "interleave": impressions and clicks → what users preferred, of every pair of variants of experiments of kind interleave, by day.
 *
 * One pass over ranges of buckets; a unit is in one of them, so what ranges found is added up. The queries themselves were randomised, by the
 * coins of their lists; so units that were seen outside the experiment, too, stay in. Units that are marked do not count. Rows of the
 * experiments are published together, in place of those that were there. Running it again gives the same rows. */
#include <inttypes.h>
#include <stdio.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/contests.h"

enum { JSON_MAX = 8 << 20, COPY_MAX = 256 << 20 };

enum stmt { SNAPSHOT, EXPERIMENTS, DELETE, CURRENT, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [SNAPSHOT] = { "interleave_snapshot", 0, "select pg_export_snapshot(), us(now())" },
    /* $1: a key, or '' for all. As plan_experiments of the job "metrics" has it: the current phase alone, nothing behind the day of the stop. */
    [EXPERIMENTS] = { "interleave_experiments", 1,
                      "select e.key, case when e.phase > 1 then us(e.phase_started_at) else 0 end, "
                      "coalesce((e.stopped_at at time zone 'UTC')::date - date '1970-01-01', 2147483647), "
                      "(select json_agg(v.key order by v.position) from variants v where v.experiment = e.key) "
                      "from experiments e where e.kind = 'interleave' and e.started_at is not null and ($1 = '' or "
                      "e.key = $1) order by e.key collate \"C\"" },
    [DELETE] = { "interleave_delete", 1, "delete from preferences where experiment = $1" },
    [CURRENT] = { "interleave_current", 3,
                  "insert into preferences_current (experiment, run, as_of) values ($1, $2::uuid, "
                  "to_timestamp($3::float8)) on conflict (experiment) do update set run = excluded.run, as_of = "
                  "excluded.as_of, published_at = now()" },
};

struct plan {
    struct arena arena;
    struct contests_params params;
    struct str json, snapshot;
    int64_t now_us;
    uint32_t ranges;
};

/* ---- the plan ---- */

static void write_experiment(struct jsonw *w, const PGresult *r, int i)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "key", pg_get(r, i, 0));
    jsonw_i64(w, "from_us", pg_get_i64(r, i, 1));
    jsonw_i64(w, "to_day", pg_get_i64(r, i, 2));
    jsonw_raw(w, "variants", pg_get(r, i, 3));
    jsonw_close(w);
}

/* The kernel's parameters, and from them what it will read them as. */
static bool make_params(const struct run_context *run, struct plan *p, const PGresult *experiments, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", run->archive_dir);
    jsonw_i64(&w, "to_us", p->now_us + US_PER_DAY); /* clocks of clients may be ahead */
    jsonw_open(&w, "experiments", '[');
    for (int i = 0; i < PQntuples(experiments); i++)
        write_experiment(&w, experiments, i);
    jsonw_close(&w);
    jsonw_close(&w);
    p->json = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err) && contests_params_read(p->json, &p->params, &p->arena, err);
}

static bool read_plan(struct run_context *run, struct plan *p, struct pg *pg, struct err *err)
{
    const char *only = run->param(run, "experiment");
    const char *params[] = { only ? only : "" };
    p->ranges = (uint32_t)run_whole(run, "ranges");
    if (!archive_lock_readers(pg, false, err) || !pg_exec(pg, "begin isolation level repeatable read read only", err))
        return false;
    AUTO(pg_result_free) PGresult *snapshot = pg_run(pg, &statements[SNAPSHOT], NULL, err);
    AUTO(pg_result_free) PGresult *rows = snapshot ? pg_run(pg, &statements[EXPERIMENTS], params, err) : NULL;
    if (!rows)
        return false;
    if (only && PQntuples(rows) == 0)
        return err_set(err, ERR_INVALID, "experiment \"%s\" is no experiment of kind interleave that has started",
                       only);
    p->snapshot = arena_str(&p->arena, pg_get(snapshot, 0, 0));
    p->now_us = pg_get_i64(snapshot, 0, 1);
    return make_params(run, p, rows, err);
}

/* ---- the pass ---- */

static bool pass_ranges(struct run_context *run, struct plan *p, struct engine_result *out, struct err *err)
{
    uint32_t width = BUCKET_COUNT / p->ranges;
    int64_t from_us = p->params.experiments[0].from_us;
    struct engine_split *splits = arena_zalloc(&p->arena, p->ranges * sizeof *splits);
    for (size_t i = 1; i < p->params.experiments_count; i++)
        if (p->params.experiments[i].from_us < from_us)
            from_us = p->params.experiments[i].from_us;
    for (uint32_t i = 0; i < p->ranges; i++) {
        splits[i].desc = arena_printf(&p->arena, "%d %u %u", clock_day(from_us), i * width, (i + 1) * width - 1);
        splits[i].weight = 1;
    }
    const struct engine_pass pass = { .name = "contests",
                                      .kernel = "contests.range@1",
                                      .params = p->json,
                                      .snapshot = p->snapshot,
                                      .reads_database = true,
                                      .splits = splits,
                                      .splits_count = p->ranges,
                                      .input_pass = -1,
                                      .out = ENGINE_COLLECT };
    return run_pass(run, &pass, out, err);
}

/* ---- publishing ---- */

struct writing {
    struct plan *plan;
    struct buf rows;
    uint64_t count;
};

static bool add_row(void *arg, const struct contest_cell *c, struct err *err)
{
    struct writing *w = arg;
    const struct contest_experiment *e = &w->plan->params.experiments[c->experiment];
    struct buf *b = &w->rows;
    const int64_t counts[] = { c->wins_a, c->wins_b, c->ties, c->means.n };
    const double sums[] = { c->means.mean,  c->means.m2,  c->sums.mean_x, c->sums.m2_x,
                            c->sums.mean_y, c->sums.m2_y, c->sums.cxy };
    (void)err;
    pg_copy_row(b, 4 + COUNT_OF(counts) + COUNT_OF(sums));
    pg_copy_text(b, e->key);
    pg_copy_text(b, e->variants[c->a]);
    pg_copy_text(b, e->variants[c->b]);
    pg_copy_date(b, c->day);
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        pg_copy_i64(b, counts[i]);
    for (size_t i = 0; i < COUNT_OF(sums); i++)
        pg_copy_double(b, sums[i]);
    w->count++;
    return true;
}

static bool make_rows(struct writing *w, const struct engine_result *found, struct err *err)
{
    struct contest_cells *ranges = arena_zalloc(&w->plan->arena, (found->count + 1) * sizeof *ranges);
    for (uint32_t i = 0; i < found->count; i++) {
        struct str part = buf_str(&found->parts[i]);
        ranges[i].n = part.n / sizeof(struct contest_cell);
        if (part.n % sizeof(struct contest_cell) != 0)
            return err_set(err, ERR_SYSTEM, "range %" PRIu32 ": the worker sent %zu bytes, no whole cells", i, part.n);
        struct contest_cell *cells = arena_alloc(&w->plan->arena, part.n + 1);
        memcpy(cells, part.p, part.n);
        ranges[i].p = cells;
    }
    pg_copy_header(&w->rows);
    if (!contest_cells_merge(ranges, found->count, &w->plan->arena, add_row, w, err))
        return false;
    pg_copy_trailer(&w->rows);
    return buf_ok(&w->rows, "the preferences", err);
}

static bool replace(struct run_context *run, const struct plan *p, size_t i, struct err *err)
{
    char at[40];
    const char *key = p->params.experiments[i].key.p;
    const char *params[] = { key, run->id, at };
    (void)snprintf(at, sizeof at, "%.6f", (double)p->now_us / 1e6);
    AUTO(pg_result_free) PGresult *d = pg_run(run->pg, &statements[DELETE], params, err);
    AUTO(pg_result_free) PGresult *c = d ? pg_run(run->pg, &statements[CURRENT], params, err) : NULL;
    return c != NULL;
}

static bool publish(struct run_context *run, const struct plan *p, const struct writing *w, struct err *err)
{
    uint64_t rows;
    if (!run_publish_begin(run, err))
        return false;
    for (size_t i = 0; i < p->params.experiments_count; i++)
        if (!replace(run, p, i, err))
            return false;
    return pg_copy_begin(run->pg,
                         "copy preferences (experiment, a, b, day, wins_a, wins_b, ties, units, mean_unit, m2_unit, "
                         "mean_x, m2_x, mean_y, m2_y, cxy) from stdin (format binary)",
                         err) &&
           pg_copy_send(run->pg, buf_str(&w->rows), err) && pg_copy_end(run->pg, &rows, err) &&
           run_publish_end(run, err);
}

/* ---- the job ---- */

/* The planning connection holds the snapshot open, and the files where they are, until the pass has ended. */
static bool plan_and_compute(struct run_context *run, struct plan *p, struct pg *pg, struct err *err)
{
    struct engine_result found;
    struct writing w = { .plan = p };
    if (!read_plan(run, p, pg, err))
        return false;
    if (p->params.experiments_count == 0) {
        run_say(run, "no experiment of kind interleave has started: nothing to compute");
        return run_publish_begin(run, err) && run_publish_end(run, err);
    }
    if (!pass_ranges(run, p, &found, err))
        return false;
    buf_init(&w.rows, COPY_MAX);
    bool ok = make_rows(&w, &found, err);
    run_result(run, "{\"rows\":%" PRIu64 ",\"experiments\":%zu}", w.count, p->params.experiments_count);
    ok = ok && publish(run, p, &w, err);
    buf_release(&w.rows);
    engine_result_release(&found);
    if (ok)
        run_say(run, "interleave: %" PRIu64 " rows of pairs and days, %zu experiments", w.count,
                p->params.experiments_count);
    return ok;
}

static bool run_interleave(struct run_context *run, struct err *err)
{
    struct plan p = { .ranges = 0 };
    arena_init(&p.arena, 1 << 16);
    struct pg *pg = pg_open(run->database_url, "trainer plan", NULL, 0, err);
    bool ok = pg && plan_and_compute(run, &p, pg, err);
    pg_close(pg);
    arena_release(&p.arena);
    return ok;
}

const struct job job_interleave = { "interleave", run_interleave };
