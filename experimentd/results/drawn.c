#include "experimentd/results/drawn.h"

#include <math.h>

#include "base/pg.h"
#include "experimentd/results/json_metric.h"

/* Columns of QUERY_RESULTS_BOOTSTRAP, in this order. */
enum column {
    COLUMN_METRIC,
    COLUMN_VARIANT,
    COLUMN_CONTROL,
    COLUMN_N,
    COLUMN_CONTROL_N,
    COLUMN_DIFFERENCE, /* and its standard error and interval */
    COLUMN_LIFT = COLUMN_DIFFERENCE + 4,
    COLUMN_LEVEL = COLUMN_LIFT + 4,
    COLUMN_REPLICATES,
    COLUMN_SEED,
    COLUMN_RUN,
    COLUMN_STARTED,
    COLUMN_STALE
};

/* ---- rows ---- */

static struct result_drawn_interval interval_at(const PGresult *r, int row, int column)
{
    return (struct result_drawn_interval){ pg_get_double(r, row, column), pg_get_double(r, row, column + 1),
                                           pg_get_double(r, row, column + 2), pg_get_double(r, row, column + 3) };
}

const struct result_drawn *drawn_read(const PGresult *r, struct arena *arena, size_t *out_count)
{
    size_t n = (size_t)PQntuples(r);
    struct result_drawn *drawn = arena_alloc(arena, (n + 1) * sizeof *drawn);
    for (size_t i = 0; i < n; i++) {
        int row = (int)i;
        drawn[i] = (struct result_drawn){
            .metric = arena_str(arena, pg_get(r, row, COLUMN_METRIC)),
            .variant = arena_str(arena, pg_get(r, row, COLUMN_VARIANT)),
            .control = arena_str(arena, pg_get(r, row, COLUMN_CONTROL)),
            .run = arena_str(arena, pg_get(r, row, COLUMN_RUN)),
            .n = pg_get_i64(r, row, COLUMN_N),
            .control_n = pg_get_i64(r, row, COLUMN_CONTROL_N),
            .replicates = pg_get_i64(r, row, COLUMN_REPLICATES),
            .seed = pg_get_i64(r, row, COLUMN_SEED),
            .difference = interval_at(r, row, COLUMN_DIFFERENCE),
            .lift = interval_at(r, row, COLUMN_LIFT),
            .level = pg_get_double(r, row, COLUMN_LEVEL),
            .as_of_us = pg_get_i64(r, row, COLUMN_STARTED),
            .stale = pg_get_bool(r, row, COLUMN_STALE),
        };
    }
    *out_count = n;
    return drawn;
}

/* ---- the answer ---- */

/* NULL: none, or one against another control. */
static const struct result_drawn *drawn_of(const struct result *r, struct str metric, size_t variant)
{
    const struct snapshot_variant *variants = r->experiment->variants;
    for (size_t i = 0; i < r->drawn_count; i++) {
        const struct result_drawn *d = &r->drawn[i];
        if (str_eq(d->metric, metric) && str_eq(d->variant, variants[variant].key) &&
            str_eq(d->control, variants[0].key))
            return d;
    }
    return NULL;
}

static void write_interval(struct jsonw *w, const struct result_drawn_interval *i, const char *estimate, const char *se,
                           const char *ci)
{
    jsonw_double(w, estimate, i->estimate);
    jsonw_double(w, se, i->se);
    metric_write_interval(w, ci, i->lo, i->hi);
}

static void write_lift(struct jsonw *w, const struct result_drawn_interval *i)
{
    if (isfinite(i->estimate)) {
        write_interval(w, i, "lift", "lift_se", "lift_ci");
        return;
    }
    jsonw_null(w, "lift");
    jsonw_null(w, "lift_se");
    jsonw_null(w, "lift_ci");
}

void drawn_write(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant)
{
    const struct result_drawn *d = drawn_of(r, m->metric->key, variant);
    if (!d) {
        jsonw_null(w, "bootstrap");
        return;
    }
    jsonw_open(w, "bootstrap", '{');
    jsonw_text(w, "method",
               "Poisson bootstrap: in each replicate a unit counts as often as a Poisson variable with mean 1 says; "
               "interval from the quantiles of the replicates");
    jsonw_time(w, "as_of", d->as_of_us);
    jsonw_bool(w, "stale", d->stale);
    jsonw_text(w, "text",
               d->stale
                   ? "Older than these results: drawn from what had come when its run began. Not adjusted, and right "
                     "when looked at once."
                   : "Drawn from what had come when its run began. Not adjusted, and right when looked at once.");
    jsonw_i64(w, "n", d->n);
    jsonw_i64(w, "control_n", d->control_n);
    write_interval(w, &d->difference, "difference", "difference_se", "difference_ci");
    write_lift(w, &d->lift);
    jsonw_double(w, "level", d->level);
    jsonw_i64(w, "replicates", d->replicates);
    jsonw_i64(w, "seed", d->seed);
    jsonw_str(w, "run", d->run);
    jsonw_close(w);
}
