/* The job "metrics": signals and exposures → moments of every metric, variant and day of the experiments.
 *
 * Pass 1 over (day × bucket range) makes unit-day records; pass 2 over bucket ranges makes cumulative moments of them; the coordinator
 * merges those over the ranges by a tree of fixed shape and publishes them in one fenced transaction. All workers read one snapshot of
 * the database, exported here, so that a retry sees what the first attempt saw. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/metrics.h"

enum { RANGES_DEFAULT = 16, RANGES_MAX = 1024, DESC_MAX = 64, JSON_MAX = 8 << 20, COPY_MAX = 512 << 20 };

enum stmt { SNAPSHOT, EXPERIMENTS, DAYS, STMT_COUNT };
static const struct pg_stmt plan_statements[STMT_COUNT] = {
    [SNAPSHOT] = { "plan_snapshot", 0, "select pg_export_snapshot()" },
    /* $1: a key, or '' for all. Only those with a unit; days since 1970; nothing counts behind the day on which it was stopped, nor
     * exposures of phases before the current one, in which units may have had other variants; a bandit compares within cohorts. */
    [EXPERIMENTS] = { "plan_experiments", 1,
                      "select e.key, coalesce((e.stopped_at at time zone 'UTC')::date - date '1970-01-01', "
                      "2147483647), "
                      "case when e.phase > 1 then us(e.phase_started_at) else 0 end, e.kind = 'bandit' "
                      "from experiments e "
                      "where ($1 = '' or e.key = $1) and (exists (select 1 from exposures x where x.experiment = "
                      "e.key) "
                      "or exists (select 1 from archived_exposures x where x.experiment = e.key)) "
                      "order by e.key collate \"C\"" },
    /* Days that have a partition or files, from the first exposure on, with a weight. */
    [DAYS] = { "plan_days", 0,
               "with d as (select to_date(right(c.relname, 8), 'YYYYMMDD') as day, (select "
               "coalesce(sum(pg_relation_size(s.inhrelid)), 0) from pg_inherits s where s.inhparent = c.oid) as bytes "
               "from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'signals'::regclass "
               "union all select day, bytes from archives) "
               "select day - date '1970-01-01', sum(bytes)::bigint from d where day >= least("
               "(select (min(at) at time zone 'UTC')::date from exposures), "
               "(select min(day) from archives where of_table = 'exposures')) group by day order by day" },
};

static const struct pg_stmt delete_moments = { "metrics_delete", 1, "delete from moments where experiment = $1" };
static const struct pg_stmt write_current = {
    "metrics_current", 6,
    "insert into moments_current (experiment, run, as_of, units, multiple_exposures, marked_units) "
    "values ($1, $2::uuid, to_timestamp($3::float8), $4::bigint, $5::bigint, $6::bigint) on conflict (experiment) do "
    "update set "
    "run = excluded.run, as_of = excluded.as_of, units = excluded.units, multiple_exposures = "
    "excluded.multiple_exposures, marked_units = excluded.marked_units, "
    "published_at = now()"
};

struct plan {
    struct arena arena;
    struct str params;
    struct str *keys;
    size_t experiments;
    int32_t *days;
    uint64_t *weights;
    size_t days_count;
    uint32_t ranges;
};

/* ---- planning ---- */

static bool plan_experiments(struct plan *p, struct pg *pg, const struct run_context *run, struct str snapshot,
                             struct err *err)
{
    const char *only = run->param(run, "experiment"), *params[] = { only ? only : "" };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &plan_statements[EXPERIMENTS], params, err);
    struct buf b;
    struct jsonw w;
    if (!r)
        return false;
    p->experiments = (size_t)PQntuples(r);
    p->keys = arena_zalloc(&p->arena, p->experiments * sizeof *p->keys);
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "snapshot", snapshot);
    jsonw_text(&w, "archive", run->archive_dir);
    jsonw_open(&w, "experiments", '[');
    for (int i = 0; i < (int)p->experiments; i++) {
        p->keys[i] = arena_str(&p->arena, pg_get(r, i, 0));
        jsonw_open(&w, NULL, '[');
        jsonw_str(&w, NULL, p->keys[i]);
        jsonw_i64(&w, NULL, pg_get_i64(r, i, 1));
        jsonw_i64(&w, NULL, pg_get_i64(r, i, 2));
        jsonw_bool(&w, NULL, pg_get_bool(r, i, 3));
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    bool ok = buf_ok(&b, "the list of experiments", err);
    p->params = arena_str(&p->arena, buf_str(&b));
    buf_release(&b);
    return ok;
}

static bool plan_days(struct plan *p, struct pg *pg, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &plan_statements[DAYS], NULL, err);
    if (!r)
        return false;
    p->days_count = (size_t)PQntuples(r);
    p->days = arena_zalloc(&p->arena, p->days_count * sizeof *p->days);
    p->weights = arena_zalloc(&p->arena, p->days_count * sizeof *p->weights);
    for (int i = 0; i < (int)p->days_count; i++) {
        p->days[i] = (int32_t)pg_get_i64(r, i, 0);
        p->weights[i] = (uint64_t)pg_get_i64(r, i, 1);
    }
    return true;
}

static bool read_ranges(const struct run_context *run, uint32_t *out, struct err *err)
{
    const char *text = run->param(run, "ranges");
    *out = RANGES_DEFAULT;
    if (text && (!parse_u32(str_of(text), out, NULL) || *out < 1 || *out > RANGES_MAX || (*out & (*out - 1)) != 0))
        return err_set(err, ERR_INVALID, "--param ranges=%s: must be a power of two from 1 to %d", text, RANGES_MAX);
    return true;
}

/* ---- the passes ---- */

static bool pass_days(struct run_context *run, struct plan *p, struct err *err)
{
    uint32_t width = BUCKET_COUNT / p->ranges, count = (uint32_t)p->days_count * p->ranges;
    struct engine_split *splits = arena_zalloc(&p->arena, count * sizeof *splits);
    struct engine_result result;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t range = i % p->ranges;
        splits[i].desc = arena_printf(&p->arena, "%d %u %u", p->days[i / p->ranges], range * width,
                                      (range + 1) * width - 1);
        splits[i].weight = p->weights[i / p->ranges];
    }
    struct engine_pass pass = { .name = "days",
                                .kernel = "metrics.day@1",
                                .params = p->params,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = -1,
                                .out = ENGINE_DATASET };
    if (!run_pass(run, &pass, &result, err))
        return false;
    engine_result_release(&result);
    return true;
}

static bool pass_units(struct run_context *run, struct plan *p, struct engine_result *out, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&p->arena, p->ranges * sizeof *splits);
    uint32_t width = BUCKET_COUNT / p->ranges;
    struct buf days;
    buf_init(&days, JSON_MAX);
    for (size_t d = 0; d < p->days_count; d++)
        buf_addf(&days, " %d", p->days[d]);
    struct str all = arena_str(&p->arena, buf_str(&days));
    buf_release(&days);
    for (uint32_t i = 0; i < p->ranges; i++) {
        uint32_t *inputs = arena_alloc(&p->arena, p->days_count * sizeof *inputs);
        for (size_t d = 0; d < p->days_count; d++)
            inputs[d] = (uint32_t)d * p->ranges + i;
        struct str desc = arena_printf(&p->arena, "%u %u" STR_FMT, i * width, (i + 1) * width - 1, STR_ARG(all));
        splits[i] = (struct engine_split){ .desc = desc, .weight = 1, .inputs = inputs, .inputs_count = p->days_count };
    }
    struct engine_pass pass = { .name = "units",
                                .kernel = "metrics.units@2",
                                .params = p->params,
                                .splits = splits,
                                .splits_count = p->ranges,
                                .input_pass = 0,
                                .out = ENGINE_COLLECT };
    return run_pass(run, &pass, out, err);
}

/* ---- merging: cells of one (experiment, variant, day), or of a cohort, one part per split ---- */

struct cell {
    uint32_t experiment;
    struct str variant;
    int32_t day;
    bool cohort;
    struct moments2 *parts; /* metric-major: [metric * ranges + split] */
};

struct merged {
    struct cell *cells;
    size_t count, room;
    struct total_counts *counts; /* per experiment */
};

static struct cell *cell_of(struct merged *m, const struct plan *p, struct arena *arena, const struct total_cell *c)
{
    for (size_t i = m->count; i > 0; i--) {
        struct cell *cell = &m->cells[i - 1];
        if (cell->experiment == c->experiment && cell->day == c->day && cell->cohort == c->cohort &&
            str_eq(cell->variant, c->variant))
            return cell;
    }
    if (m->count == m->room) {
        m->room = m->room ? m->room * 2 : 64;
        m->cells = mem_realloc(m->cells, m->room * sizeof *m->cells);
    }
    struct cell *cell = &m->cells[m->count++];
    *cell = (struct cell){
        .experiment = c->experiment, .variant = arena_str(arena, c->variant), .day = c->day, .cohort = c->cohort
    };
    cell->parts = arena_zalloc(arena, (size_t)TOTAL_METRIC_COUNT * p->ranges * sizeof *cell->parts);
    return cell;
}

static bool merge_part(struct merged *m, struct plan *p, uint32_t split, struct str bytes, struct err *err)
{
    while (bytes.n) {
        struct total_cell c;
        struct total_counts counts;
        uint32_t experiment = 0;
        int kind = metrics_read(&bytes, &c, &experiment, &counts);
        if ((kind == METRICS_CELL || kind == METRICS_COHORT) && c.experiment < p->experiments) {
            struct cell *cell = cell_of(m, p, &p->arena, &c);
            for (int k = 0; k < TOTAL_METRIC_COUNT; k++)
                cell->parts[(uint32_t)k * p->ranges + split] = c.metrics[k];
        } else if (kind == METRICS_COUNTS && experiment < p->experiments) {
            m->counts[experiment].units += counts.units;
            m->counts[experiment].several += counts.several;
            m->counts[experiment].marked += counts.marked;
            if (counts.last_us > m->counts[experiment].last_us)
                m->counts[experiment].last_us = counts.last_us;
        } else {
            return err_set(err, ERR_SYSTEM, "the result of split %u is damaged", split);
        }
    }
    return true;
}

static bool merge(struct merged *m, struct plan *p, const struct engine_result *r, struct err *err)
{
    m->counts = arena_zalloc(&p->arena, (p->experiments + 1) * sizeof *m->counts);
    for (uint32_t split = 0; split < r->count; split++)
        if (!merge_part(m, p, split, buf_str(&r->parts[split]), err))
            return false;
    return true;
}

/* ---- publishing ---- */

static void add_row(struct buf *b, const struct plan *p, const struct cell *c, enum total_metric metric)
{
    struct moments2 m = moments2_tree(&c->parts[(size_t)metric * p->ranges], p->ranges);
    bool ratio = total_metric_is_ratio(metric);
    pg_copy_row(b, 11);
    pg_copy_text(b, p->keys[c->experiment]);
    pg_copy_text(b, str_of(total_metric_keys[metric]));
    pg_copy_text(b, c->variant);
    pg_copy_text(b, c->cohort ? STR(MOMENTS_COHORT) : STR(""));
    pg_copy_date(b, c->day);
    pg_copy_i64(b, m.n);
    pg_copy_double(b, m.mean_x);
    pg_copy_double(b, m.m2_x);
    if (ratio) {
        pg_copy_double(b, m.mean_y);
        pg_copy_double(b, m.m2_y);
        pg_copy_double(b, m.cxy);
    } else {
        pg_copy_null(b);
        pg_copy_null(b);
        pg_copy_null(b);
    }
}

static bool copy_moments(struct run_context *run, const struct plan *p, const struct merged *m, struct err *err)
{
    struct buf b;
    uint64_t rows;
    buf_init(&b, COPY_MAX);
    pg_copy_header(&b);
    for (size_t i = 0; i < m->count; i++)
        for (int k = 0; k < TOTAL_METRIC_COUNT; k++)
            add_row(&b, p, &m->cells[i], (enum total_metric)k);
    pg_copy_trailer(&b);
    bool ok = buf_ok(&b, "the moments", err) &&
              pg_copy_begin(
                  run->pg,
                  "copy moments (experiment, metric, variant, segment, day, n, mean_x, m2_x, mean_y, m2_y, cxy) "
                  "from stdin (format binary)",
                  err) &&
              pg_copy_send(run->pg, buf_str(&b), err) && pg_copy_end(run->pg, &rows, err);
    buf_release(&b);
    return ok;
}

static bool write_counts(struct run_context *run, const struct plan *p, const struct merged *m, size_t i,
                         struct err *err)
{
    char at[40], units[24], several[24], left_out[24];
    const char *key = p->keys[i].p;
    const char *delete_params[] = { key };
    (void)snprintf(at, sizeof at, "%.6f", (double)m->counts[i].last_us / 1e6);
    (void)snprintf(units, sizeof units, "%lld", (long long)m->counts[i].units);
    (void)snprintf(several, sizeof several, "%lld", (long long)m->counts[i].several);
    (void)snprintf(left_out, sizeof left_out, "%lld", (long long)m->counts[i].marked);
    const char *params[] = { key, run->id, at, units, several, left_out };
    AUTO(pg_result_free) PGresult *d = pg_run(run->pg, &delete_moments, delete_params, err);
    AUTO(pg_result_free) PGresult *c = d ? pg_run(run->pg, &write_current, params, err) : NULL;
    return c != NULL;
}

static bool publish(struct run_context *run, const struct plan *p, const struct merged *m, struct err *err)
{
    if (!run_publish_begin(run, err))
        return false;
    for (size_t i = 0; i < p->experiments; i++)
        if (!write_counts(run, p, m, i, err))
            return false;
    return copy_moments(run, p, m, err) && run_publish_end(run, err);
}

/* ---- the job ---- */

static bool compute(struct run_context *run, struct plan *p, struct err *err)
{
    struct engine_result units;
    struct merged merged = { 0 };
    if (!pass_days(run, p, err) || !pass_units(run, p, &units, err))
        return false;
    bool ok = merge(&merged, p, &units, err) && publish(run, p, &merged, err);
    engine_result_release(&units);
    mem_free(merged.cells);
    return ok;
}

/* The planning connection holds the snapshot open, and the files where they are, until the passes have ended. */
static bool plan_and_compute(struct run_context *run, struct plan *p, struct pg *pg, struct err *err)
{
    const char *only = run->param(run, "experiment");
    if (!read_ranges(run, &p->ranges, err) || !archive_lock_readers(pg, false, err) ||
        !pg_exec(pg, "begin isolation level repeatable read read only", err))
        return false;
    AUTO(pg_result_free) PGresult *snapshot = pg_run(pg, &plan_statements[SNAPSHOT], NULL, err);
    if (!snapshot || !plan_experiments(p, pg, run, pg_get(snapshot, 0, 0), err) || !plan_days(p, pg, err))
        return false;
    if (only && p->experiments == 0)
        return err_set(err, ERR_INVALID, "experiment \"%s\" is not known or has no exposure yet", only);
    if (p->experiments == 0) {
        (void)fputs("no experiment has an exposure yet: nothing to compute\n", stderr);
        return run_publish_begin(run, err) && run_publish_end(run, err);
    }
    return compute(run, p, err);
}

static bool run_metrics(struct run_context *run, struct err *err)
{
    struct plan p = { 0 };
    arena_init(&p.arena, 1 << 16);
    struct pg *pg = pg_open(run->database_url, "trainer plan", plan_statements, STMT_COUNT, err);
    bool ok = pg && plan_and_compute(run, &p, pg, err);
    pg_close(pg);
    arena_release(&p.arena);
    return ok;
}

const struct job job_metrics = { "metrics", "signals and exposures → moments of every metric, variant and day",
                                 "               experiment=KEY  only this one (default: all with an exposure)\n"
                                 "               ranges=N        ranges of buckets, a power of two (default 16)\n",
                                 run_metrics };
