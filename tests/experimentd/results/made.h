/* made.h - results built by hand: two or three variants, metrics with the moments that a test wants. */
#pragma once
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/results/analysis.h"
#include "experimentd/results/verdict.h"

static struct arena arena;
static __attribute__((unused)) struct snapshot_metric made_ctr = { .key = STR("ctr"),
                                                                   .name = STR("Click-through"),
                                                                   .description = STR("share"),
                                                                   .kind = STR("proportion"),
                                                                   .direction = STR("increase"),
                                                                   .display = STR("share") };
static __attribute__((unused)) struct snapshot_metric made_revenue = { .key = STR("revenue"),
                                                                       .name = STR("Revenue"),
                                                                       .description = STR("money"),
                                                                       .kind = STR("mean"),
                                                                       .direction = STR("increase"),
                                                                       .display = STR("number") };
static __attribute__((unused)) struct snapshot_metric made_zero = { .key = STR("zero"),
                                                                    .name = STR("Zero-result rate"),
                                                                    .description = STR("rate"),
                                                                    .kind = STR("ratio"),
                                                                    .direction = STR("decrease"),
                                                                    .display = STR("share") };
static struct snapshot_variant made_variants[] = {
    { STR("a"), STR(""), 0.5, STR("1") },
    { STR("b"), STR("New ranker"), 0.5, STR("2") },
    { STR("c"), STR(""), 0.5, STR("3") },
};
static struct experiment_metric made_settings[8];
static struct snapshot_experiment experiment;

/* Two variants, a fixed horizon that has ended, everything else as the defaults are. */
static void made_setup(void)
{
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT_OF(made_settings); i++)
        made_settings[i] = (struct experiment_metric){ .margin = 0 };
    experiment = (struct snapshot_experiment){
        .key = STR("shop"),
        .name = STR("Shop"),
        .hypothesis = STR(""),
        .hash_attribute = STR("id"),
        .seed = STR("shop"),
        .origin = STR("live"),
        .status = EXPERIMENT_STOPPED,
        .hash_version = 2,
        .coverage = 1,
        .version = 3,
        .default_json = STR("null"),
        .variants = made_variants,
        .variants_count = 2,
        .metrics = made_settings,
        .analysis = { .method = ANALYSIS_FIXED, .level = 0.95 },
        .adjustment = ADJUSTMENT_CUPED,
        .mde = 0.05,
    };
}

static void made_teardown(void)
{
    arena_release(&arena);
}

/* n units of which x are 1: mean p, m2 = n p (1 - p). */
static inline struct moments2 share(int64_t n, int64_t x)
{
    double p = (double)x / (double)n;
    return (struct moments2){ .n = n, .mean_x = p, .m2_x = (double)n * p * (1 - p) };
}

static inline struct moments2 mean(int64_t n, double value, double sd)
{
    return (struct moments2){ .n = n, .mean_x = value, .m2_x = (double)(n - 1) * sd * sd };
}

/* n units with about one query each, a share of which is `rate`. */
static inline struct moments2 rate(int64_t n, double rate)
{
    double units = (double)n;
    return (struct moments2){
        .n = n, .mean_x = rate, .m2_x = units * rate * (1 - rate), .mean_y = 1, .m2_y = 0.01 * units
    };
}

static inline struct result made_result(void)
{
    struct result r = {
        .experiment = &experiment, .has_data = true, .days_seen = 14, .as_of_us = 2, .published_us = 2
    };
    r.metrics = arena_zalloc(&arena, COUNT_OF(made_settings) * sizeof *r.metrics);
    return r;
}

/* Adds a metric with the moments of each variant, two or three. */
static inline struct result_metric *made_add(struct result *r, struct snapshot_metric *metric, const char *role,
                                             struct moments2 a, struct moments2 b, struct moments2 c)
{
    struct result_metric *m = &r->metrics[r->metrics_count];
    experiment.metrics[r->metrics_count++] = (struct experiment_metric){ metric->key, str_of(role), 0, 0 };
    experiment.metrics_count = r->metrics_count;
    *m = (struct result_metric){
        .metric = metric, .role = str_of(role), .level = experiment.analysis.level, .days_count = 1
    };
    m->kind = str_eq(metric->kind, STR("ratio"))  ? METRIC_RATIO
              : str_eq(metric->kind, STR("mean")) ? METRIC_MEAN
                                                  : METRIC_PROPORTION;
    m->days = arena_zalloc(&arena, sizeof *m->days);
    m->days[0] = (struct result_day){ .day = 20000, .arms = arena_zalloc(&arena, 3 * sizeof(struct result_arm)) };
    m->days[0].arms[0].m = a;
    m->days[0].arms[1].m = b;
    m->days[0].arms[2].m = c;
    r->units = a.n + b.n + c.n;
    return m;
}

static inline struct analysis made_analysis(const struct result *r)
{
    struct analysis a;
    analysis_make(&a, r, &arena);
    return a;
}
