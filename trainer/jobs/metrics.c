/* The job "metrics": signals and exposures → moments of every metric, variant and day of the experiments.
 *
 * Pass 1 over (day × bucket range) makes unit-day records; pass 2 over bucket ranges makes cumulative moments of them; the coordinator
 * merges those over the ranges and publishes them in one fenced transaction. The records of days that are as they were are kept from
 * an earlier run (day_plan.h). When a metric is capped at a percentile, a pass between the two
 * finds what its values are capped at. All workers read one snapshot of the database, exported by the plan, so that a retry sees
 * what the first attempt saw. */
#include <stdio.h>

#include "stats/ranks/sketch_bytes.h"
#include "trainer/jobs/metrics_passes.h"
#include "trainer/jobs/metrics_plan.h"

enum { COPY_MAX = 512 << 20, PRE_MAX = 2 * CROSS_MAX + CROSS_MAX * (CROSS_MAX + 1) / 2 };

/* Two runs at once: what the second one deletes has to be what the first one wrote, so it looks only when that is there. */
static const struct pg_stmt lock_published = { "metrics_lock", 0,
                                               "select pg_advisory_xact_lock(hashtext('experimentd moments'))" };
static const struct pg_stmt delete_moments = { "metrics_delete", 1, "delete from moments where experiment = $1" };
static const struct pg_stmt delete_exposures = { "metrics_delete_exposures", 1,
                                                 "delete from exposure_counts where experiment = $1" };
static const struct pg_stmt write_current = {
    "metrics_current", 6,
    "insert into moments_current (experiment, run, as_of, units, multiple_exposures, marked_units) "
    "values ($1, $2::uuid, to_timestamp($3::float8), $4::bigint, $5::bigint, $6::bigint) on conflict (experiment) do "
    "update set "
    "run = excluded.run, as_of = excluded.as_of, units = excluded.units, multiple_exposures = "
    "excluded.multiple_exposures, marked_units = excluded.marked_units, "
    "published_at = now()"
};

/* ---- publishing ---- */

/* As migrations/0010_moments.sql says. */
static size_t pack_pre(const struct cross *c, double out[PRE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < c->vars; i++) {
        out[n++] = c->mean[i];
        out[n++] = c->rest[i];
    }
    for (size_t i = 0; i < c->vars; i++)
        for (size_t j = i; j < c->vars; j++)
            out[n++] = c->m2[i][j];
    return n;
}

static void add_pair(struct buf *b, const struct moments2 *m, bool has_y)
{
    if (has_y) {
        pg_copy_double(b, m->mean_y);
        pg_copy_double(b, m->m2_y);
        pg_copy_double(b, m->cxy);
        return;
    }
    for (int i = 0; i < 3; i++)
        pg_copy_null(b);
}

static void add_moments(struct buf *b, const struct metrics_plan *p, const struct merged_cell *c)
{
    static unsigned char bytes[SKETCH_BYTES_MAX];
    const struct program_metric *m = &p->program.metrics[c->metric];
    double pre[PRE_MAX];
    size_t pre_count = c->pre ? pack_pre(c->pre, pre) : 0;
    size_t sketch_bytes = c->sketch ? sketch_bytes_write(c->sketch, bytes) : 0;
    pg_copy_row(b, 13);
    pg_copy_text(b, p->keys[c->experiment]);
    pg_copy_text(b, m->def.key);
    pg_copy_text(b, c->variant);
    pg_copy_text(b, c->segment);
    pg_copy_date(b, c->day);
    pg_copy_i64(b, c->m.n);
    pg_copy_double(b, c->m.mean_x);
    pg_copy_double(b, c->m.m2_x);
    add_pair(b, &c->m, program_is_ratio(m) || m->def.form == METRIC_FORM_QUANTILE);
    pg_copy_doubles(b, c->pre ? pre : NULL, pre_count);
    pg_copy_text(b, (struct str){ c->sketch ? (const char *)bytes : NULL, sketch_bytes });
}

static void add_exposures(struct buf *b, const struct metrics_plan *p, const struct merged_cell *c)
{
    pg_copy_row(b, 6);
    pg_copy_text(b, p->keys[c->experiment]);
    pg_copy_text(b, c->variant);
    pg_copy_text(b, c->segment);
    pg_copy_date(b, c->day);
    pg_copy_i64(b, c->units);
    pg_copy_i64(b, c->several);
}

static bool copy_rows(struct run_context *run, const char *sql, struct buf *b, struct err *err)
{
    uint64_t rows;
    pg_copy_trailer(b);
    return buf_ok(b, "the moments", err) && pg_copy_begin(run->pg, sql, err) &&
           pg_copy_send(run->pg, buf_str(b), err) && pg_copy_end(run->pg, &rows, err);
}

static bool copy_cells(struct run_context *run, const struct metrics_plan *p, const struct merged *m, struct err *err)
{
    AUTO(buf_release) struct buf moments;
    AUTO(buf_release) struct buf exposures;
    buf_init(&moments, COPY_MAX);
    buf_init(&exposures, COPY_MAX);
    pg_copy_header(&moments);
    pg_copy_header(&exposures);
    for (size_t i = 0; i < m->count; i++)
        if (m->cells[i].metric == PROGRAM_NONE)
            add_exposures(&exposures, p, &m->cells[i]);
        else
            add_moments(&moments, p, &m->cells[i]);
    return copy_rows(run,
                     "copy moments (experiment, metric, variant, segment, day, n, mean_x, m2_x, mean_y, m2_y, cxy, "
                     "pre, sketch) from stdin (format binary)",
                     &moments, err) &&
           copy_rows(run,
                     "copy exposure_counts (experiment, variant, segment, day, units, several) from stdin (format "
                     "binary)",
                     &exposures, err);
}

static bool write_counts(struct run_context *run, const struct metrics_plan *p, const struct merged *m, size_t i,
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
    AUTO(pg_result_free) PGresult *e = d ? pg_run(run->pg, &delete_exposures, delete_params, err) : NULL;
    AUTO(pg_result_free) PGresult *c = e ? pg_run(run->pg, &write_current, params, err) : NULL;
    return c != NULL;
}

static bool publish(struct run_context *run, const struct metrics_plan *p, const struct merged *m, struct err *err)
{
    if (!run_publish_begin(run, err))
        return false;
    AUTO(pg_result_free) PGresult *locked = pg_run(run->pg, &lock_published, NULL, err);
    if (!locked)
        return false;
    for (size_t i = 0; i < p->experiments; i++)
        if (!write_counts(run, p, m, i, err))
            return false;
    run_result(run, "{\"experiments\":%zu,\"rows\":%zu,\"days\":%zu,\"splits\":%zu,\"kept\":%zu}", p->experiments,
               m->count, p->by_day.days_count, p->by_day.days_count * p->by_day.ranges, day_plan_kept(&p->by_day));
    return copy_cells(run, p, m, err) && run_publish_end(run, err);
}

/* ---- the job ---- */

struct metrics {
    struct run_context *run;
    struct metrics_plan plan;
};

static bool compute(void *arg, struct err *err)
{
    struct metrics *m = arg;
    struct metrics_plan *p = &m->plan;
    struct metrics_cap *caps;
    size_t caps_count;
    struct str params;
    struct merged merged;
    if (!metrics_pass_days(p, err) || !metrics_pass_caps(m->run, p, &caps, &caps_count, err) ||
        !metrics_plan_params(p, false, caps, caps_count, &params, err) ||
        !metrics_pass_merged(m->run, p, "units", params, &merged, err))
        return false;
    bool ok = publish(m->run, p, &merged, err);
    merged_release(&merged);
    return ok;
}

static bool plan_and_compute(struct metrics *m, struct err *err)
{
    const char *only = m->run->param(m->run, "experiment");
    if (!metrics_plan_read(&m->plan, m->run, err))
        return false;
    if (only && m->plan.experiments == 0)
        return err_set(err, ERR_INVALID, "experiment \"%s\" is not known or has no exposure yet", only);
    if (m->plan.experiments == 0) {
        run_say(m->run, "no experiment has an exposure yet: nothing to compute");
        return run_publish_begin(m->run, err) && run_publish_end(m->run, err);
    }
    return day_plan_compute(&m->plan.by_day, &m->plan.rules, compute, m, err);
}

static bool run_metrics(struct run_context *run, struct err *err)
{
    struct metrics m = { .run = run };
    metrics_plan_init(&m.plan);
    bool ok = plan_and_compute(&m, err);
    metrics_plan_release(&m.plan);
    return ok;
}

const struct job job_metrics = { "metrics", run_metrics };
