#include "experimentd/results/model.h"

#include "base/clock.h"
#include "base/pg.h"

static const struct moments2 nothing;

static enum metric_kind kind_of(struct str kind)
{
    if (str_eq(kind, STR("proportion")))
        return METRIC_PROPORTION;
    return str_eq(kind, STR("ratio")) ? METRIC_RATIO : METRIC_MEAN;
}

static size_t variant_index(const struct snapshot_experiment *e, struct str key)
{
    for (size_t i = 0; i < e->variants_count; i++)
        if (str_eq(e->variants[i].key, key))
            return i;
    return SIZE_MAX;
}

static struct result_metric *metric_of(struct result *out, struct str key)
{
    for (size_t i = 0; i < out->metrics_count; i++)
        if (str_eq(out->metrics[i].metric->key, key))
            return &out->metrics[i];
    return NULL;
}

static void init_metrics(struct result *out, const struct snapshot *snapshot, size_t days_max, struct arena *arena)
{
    const struct snapshot_experiment *e = out->experiment;
    out->metrics = arena_zalloc(arena, e->metrics_count * sizeof *out->metrics);
    for (size_t i = 0; i < e->metrics_count; i++) {
        const struct snapshot_metric *metric = snapshot_metric(snapshot, e->metrics[i].metric);
        if (!metric)
            continue;
        struct result_metric *m = &out->metrics[out->metrics_count++];
        m->metric = metric;
        m->role = e->metrics[i].role;
        m->kind = kind_of(metric->kind);
        m->days = arena_zalloc(arena, days_max * sizeof *m->days);
    }
}

/* Rows come ordered by day within a metric, so a new day is always behind the last one. */
static struct result_day *day_of(struct result *out, struct result_metric *m, int32_t day, struct arena *arena)
{
    if (m->days_count && m->days[m->days_count - 1].day == day)
        return &m->days[m->days_count - 1];
    struct result_day *d = &m->days[m->days_count++];
    d->day = day;
    d->arms = arena_zalloc(arena, out->experiment->variants_count * sizeof *d->arms);
    return d;
}

static double or_zero(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) ? 0 : pg_get_double(r, row, column);
}

static void read_moments(struct result *out, const PGresult *r, int row, struct arena *arena)
{
    struct result_metric *m = metric_of(out, pg_get(r, row, RC_METRIC));
    size_t variant = variant_index(out->experiment, pg_get(r, row, RC_VARIANT));
    if (!m || variant == SIZE_MAX)
        return;
    int32_t day = (int32_t)pg_get_i64(r, row, RC_DAY);
    day_of(out, m, day, arena)->arms[variant] = (struct moments2){
        .n = pg_get_i64(r, row, RC_N),
        .mean_x = pg_get_double(r, row, RC_MEAN_X),
        .m2_x = pg_get_double(r, row, RC_M2_X),
        .mean_y = or_zero(r, row, RC_MEAN_Y),
        .m2_y = or_zero(r, row, RC_M2_Y),
        .cxy = or_zero(r, row, RC_CXY),
    };
}

static void read_head(struct result *out, const PGresult *r, int row, struct arena *arena)
{
    out->has_data = true;
    out->as_of_us = pg_get_i64(r, row, RC_AS_OF);
    out->published_us = pg_get_i64(r, row, RC_PUBLISHED_AT);
    out->units = pg_get_i64(r, row, RC_UNITS);
    out->multiple_exposures = pg_get_i64(r, row, RC_MULTIPLE);
    out->marked_units = pg_get_i64(r, row, RC_MARKED);
    out->run = (struct result_run){
        .id = arena_str(arena, pg_get(r, row, RC_RUN)),
        .engine = arena_str(arena, pg_get(r, row, RC_ENGINE)),
        .workers = pg_get_i64(r, row, RC_WORKERS),
        .rows_in = pg_get_i64(r, row, RC_ROWS_IN),
        .retries = pg_get_i64(r, row, RC_RETRIES),
        .splits = pg_get_i64(r, row, RC_SPLITS),
        .seconds = pg_get_double(r, row, RC_SECONDS),
    };
}

void result_read(struct result *out, const struct snapshot *snapshot, const struct snapshot_experiment *experiment,
                 const PGresult *r, struct arena *arena)
{
    *out = (struct result){ .experiment = experiment };
    size_t rows = 0;
    for (int row = 0; row < PQntuples(r); row++)
        rows += str_eq(pg_get(r, row, RC_EXPERIMENT), experiment->key);
    init_metrics(out, snapshot, rows, arena);
    for (int row = 0; row < PQntuples(r); row++) {
        if (!str_eq(pg_get(r, row, RC_EXPERIMENT), experiment->key))
            continue;
        if (!out->has_data)
            read_head(out, r, row, arena);
        if (!PQgetisnull(r, row, RC_METRIC))
            read_moments(out, r, row, arena);
    }
}

const struct moments2 *result_latest(const struct result_metric *m, size_t variant)
{
    return m->days_count ? &m->days[m->days_count - 1].arms[variant] : &nothing;
}
