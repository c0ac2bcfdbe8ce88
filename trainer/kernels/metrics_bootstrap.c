/* "metrics.bootstrap@1": the unit-day records of one range of buckets → what each variant is in each replicate. */
#include "trainer/kernels/metrics_bootstrap.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "trainer/kernels/bootstrap.h"
#include "trainer/kernels/unit_reading.h"
#include "trainer/kernels/unit_value.h"

enum { TICK_UNITS = 256 };

struct params {
    struct metrics_params of;
    uint32_t metric;
    size_t replicates; /* with the data */
    bool pooled;
    uint64_t seed; /* as bootstrap_seed makes it */
    double *caps;  /* of each; NULL: none */
};

struct drawing {
    struct unit_reading reading;
    const struct params *params;
    const struct program_metric *metric;
    struct bootstrap_arm *arms; /* of each variant; pooled: one */
    size_t arms_count;
    unsigned *weights; /* one unit's */
    double *values;
    size_t values_room;
};

static bool read_caps(struct params *p, const json_t *list, struct arena *arena, struct err *err)
{
    if (!list)
        return true;
    if (json_array_size(list) != p->replicates)
        return err_set(err, ERR_INVALID, "params: there are %zu caps for %zu replicates", json_array_size(list),
                       p->replicates);
    p->caps = arena_alloc(arena, p->replicates * sizeof *p->caps);
    for (size_t r = 0; r < p->replicates; r++)
        p->caps[r] = json_number_value(json_array_get(list, r));
    return true;
}

static bool read_params(struct str text, struct params *p, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    json_t *caps = NULL;
    struct json_reader r;
    struct str of = { NULL, 0 };
    int64_t metric = 0, replicates = 0, seed = 0;
    if (!root)
        return false;
    *p = (struct params){ .caps = NULL };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "of", JSON_REQUIRED, &of, arena);
    (void)json_get_i64(&r, "metric", JSON_REQUIRED, &metric);
    (void)json_get_i64(&r, "replicates", JSON_REQUIRED, &replicates);
    (void)json_get_i64(&r, "seed", JSON_REQUIRED, &seed);
    (void)json_get_bool(&r, "pooled", JSON_REQUIRED, &p->pooled);
    (void)json_get_array(&r, "caps", JSON_OPTIONAL, &caps);
    if (!json_reader_close(&r, err) || !metrics_params_read(of, &p->of, arena, err))
        return false;
    if (p->of.count != 1 || metric < 0 || (size_t)metric >= p->of.program.metrics_count || replicates < 1 ||
        replicates > BOOTSTRAP_REPLICATES_MAX || seed < 0 || seed > UINT32_MAX)
        return err_set(err, ERR_INVALID, "params: no such metric, too many replicates, or a seed out of range");
    p->seed = bootstrap_seed((uint32_t)seed);
    p->metric = (uint32_t)metric;
    p->replicates = (size_t)replicates + 1;
    return read_caps(p, caps, arena, err);
}

/* ---- units ---- */

static bool add_values(struct drawing *d, struct bootstrap_arm *arm, const struct total *t, struct err *err)
{
    const struct unit_totals *totals = d->reading.totals;
    size_t n = unit_total_values(totals, t, d->metric->x, d->values, d->values_room);
    if (n > d->values_room) {
        d->values_room = n * 2;
        d->values = mem_realloc(d->values, d->values_room * sizeof *d->values);
        n = unit_total_values(totals, t, d->metric->x, d->values, d->values_room);
    }
    for (size_t i = 0; i < n; i++)
        if (!bootstrap_add_value(arm, d->weights, d->values[i], err))
            return false;
    return true;
}

static bool add_unit(struct drawing *d, const struct total *t, struct err *err)
{
    const struct unit_totals *totals = d->reading.totals;
    struct bootstrap_arm *arm = &d->arms[d->params->pooled ? 0 : t->variant];
    uint64_t hash = unit_total_hash(totals, t) ^ d->params->seed;
    for (uint32_t r = 0; r < d->params->replicates; r++)
        d->weights[r] = bootstrap_weight(hash, r);
    if (d->params->pooled)
        return bootstrap_add_value(arm, d->weights, unit_total_sum(totals, t, d->metric->x), err);
    if (d->metric->def.form == METRIC_FORM_QUANTILE)
        return add_values(d, arm, t, err);
    for (size_t r = 0; r < d->params->replicates; r++) {
        double cap = unit_value_cap(d->metric, d->params->caps ? d->params->caps[r] : (double)NAN);
        struct unit_value v = unit_value_of(totals, t, d->metric, cap);
        bootstrap_add(arm, r, d->weights[r], v.values[0], program_is_ratio(d->metric) ? v.values[1] : 0);
    }
    return true;
}

/* Behind the last day of an experiment nothing is known. */
static int64_t end_us_of(const struct drawing *d)
{
    int32_t last_day = d->params->of.experiments[0].last_day;
    int64_t end_us = unit_reading_end_us(&d->reading), last_us = ((int64_t)last_day + 1) * US_PER_DAY;
    return last_day < d->reading.day && last_us < end_us ? last_us : end_us;
}

static bool add_units(struct drawing *d, struct err *err)
{
    const struct unit_totals *t = d->reading.totals;
    int64_t end_us = end_us_of(d);
    for (size_t i = 0; i < unit_totals_count(t, 0); i++) {
        const struct total *total = unit_totals_at(t, 0, i);
        if (i % TICK_UNITS == 0 && !task_tick(d->reading.task, 0, err))
            return false;
        if (total_counts(total) && unit_value_is_known(d->metric, total, end_us) && !add_unit(d, total, err))
            return err_prefix(err, "metric \"" STR_FMT "\": ", STR_ARG(d->metric->def.key));
    }
    return true;
}

static bool collect(struct drawing *d, struct err *err)
{
    bool ok = true;
    for (uint32_t v = 0; ok && v < d->arms_count; v++) {
        AUTO(buf_release) struct buf b;
        buf_init(&b, TASK_COLLECT_MAX);
        bootstrap_write(&b, d->params->pooled ? STR("") : unit_totals_variant(d->reading.totals, v).key, &d->arms[v]);
        ok = buf_ok(&b, "the replicates of a variant", err) && task_collect(d->reading.task, buf_str(&b), err);
    }
    return ok;
}

static bool draw(struct drawing *d, struct err *err)
{
    if (!unit_reading_run(&d->reading, NULL, NULL, err))
        return false;
    d->arms_count = d->params->pooled ? 1 : unit_totals_variants(d->reading.totals);
    d->arms = arena_alloc(task_arena(d->reading.task), (d->arms_count + 1) * sizeof *d->arms);
    for (size_t i = 0; i < d->arms_count; i++)
        bootstrap_init(&d->arms[i], d->params->replicates);
    bool ok = add_units(d, err) && collect(d, err);
    for (size_t i = 0; i < d->arms_count; i++)
        bootstrap_release(&d->arms[i]);
    mem_free(d->values);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct params p;
    if (!read_params(task_params(t), &p, task_arena(t), err))
        return false;
    const struct total_rules rules = metrics_rules(&p.of);
    struct drawing d = { .reading = { .task = t, .params = &p.of, .totals = unit_totals_new(&rules) },
                         .params = &p,
                         .metric = &p.of.program.metrics[p.metric],
                         .weights = arena_alloc(task_arena(t), p.replicates * sizeof *d.weights) };
    bool ok = draw(&d, err);
    unit_totals_free(d.reading.totals);
    return ok;
}

const struct kernel kernel_metrics_bootstrap = { "metrics.bootstrap@1", run };
