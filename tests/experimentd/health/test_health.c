/* Counts and moments are made by hand, so that each check sees one thing that is broken and the others see nothing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "experimentd/health/health.h"

enum { VARIANTS = 3, DAYS = 10, FIRST_DAY = 20000, PARTS_MAX = 64, COUNTS_MAX = 64 };

static struct arena arena;
static struct snapshot_metric ctr = { .key = STR("ctr"),
                                      .name = STR("CTR"),
                                      .kind = STR("proportion"),
                                      .direction = STR("increase"),
                                      .display = STR("share") };
static struct snapshot_variant variants[VARIANTS];
static struct snapshot_experiment experiment;
static struct result_metric metric;
static struct result_day last_day;
static struct result result;
static struct health_count counts[COUNTS_MAX];
static struct health_input in;

static struct result_arm *arms(void)
{
    return arena_zalloc(&arena, VARIANTS * sizeof(struct result_arm));
}

/* n units of which a share of p is 1. */
static struct moments2 share(int64_t n, double p)
{
    return (struct moments2){ .n = n, .mean_x = p, .m2_x = (double)n * p * (1 - p) };
}

static int64_t *three(int64_t a, int64_t b, int64_t c)
{
    int64_t *v = arena_alloc(&arena, VARIANTS * sizeof *v);
    v[0] = a, v[1] = b, v[2] = c;
    return v;
}

static struct health_count *add_count(const char *segment, int32_t day, int64_t a, int64_t b, int64_t c)
{
    struct health_count *k = &in.counts[in.counts_count++];
    *k = (struct health_count){ str_of(segment), day, three(a, b, c), three(0, 0, 0) };
    return k;
}

static struct result_arm *add_part(enum result_part_kind kind, const char *dimension, const char *value, int number)
{
    struct result_parts *parts = &metric.parts[kind];
    if (!parts->p)
        parts->p = arena_zalloc(&arena, PARTS_MAX * sizeof *parts->p);
    parts->p[parts->n] = (struct result_part){ str_of(dimension), str_of(value), number, arms() };
    return parts->p[parts->n++].arms;
}

/* A sound experiment: ten days of 2000 units, a quarter of them in the third variant; now is noon of the last day. */
static void setup(void)
{
    arena_init(&arena, 1 << 16);
    for (int i = 0; i < VARIANTS; i++)
        variants[i] = (struct snapshot_variant){ .key = (struct str){ &"abc"[i], 1 }, .weight = i == 2 ? 0.25 : 0.375 };
    experiment = (struct snapshot_experiment){
        .key = STR("x"), .status = EXPERIMENT_RUNNING, .variants = variants, .variants_count = VARIANTS, .phase = 1
    };
    experiment.metrics = arena_zalloc(&arena, sizeof *experiment.metrics);
    experiment.metrics[0].metric = ctr.key;
    experiment.metrics[0].role = STR("primary");
    experiment.metrics_count = 1;
    last_day = (struct result_day){ FIRST_DAY + DAYS - 1, arms() };
    metric = (struct result_metric){ .metric = &ctr,
                                     .role = STR("primary"),
                                     .kind = METRIC_PROPORTION,
                                     .level = 0.95,
                                     .days = &last_day,
                                     .days_count = 1 };
    result = (struct result){ .experiment = &experiment, .has_data = true, .metrics = &metric, .metrics_count = 1 };
    result.as_of_us = (FIRST_DAY + DAYS - 1) * US_PER_DAY + US_PER_DAY / 2;
    in = (struct health_input){
        .r = &result, .now_us = result.as_of_us, .loaded_us = result.as_of_us - US_PER_SECOND, .counts = counts
    };
    for (int i = 0; i < VARIANTS; i++)
        last_day.arms[i].m = share(i == 2 ? 5000 : 7500, 0.2);
    for (int d = 0; d < DAYS; d++)
        add_count("", FIRST_DAY + d, 750 + d, 750 - d, 500);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(health, .init = setup, .fini = teardown);

static struct health judge(void)
{
    struct health h;
    health_make(&in, &arena, &h);
    return h;
}

static void expect(const struct health *h, enum health_check check, enum health_state state, const char *part)
{
    const struct health_finding *f = &h->of[check];
    cr_assert(eq(int, f->state, state), "%s: %.*s", health_words[check].key, STR_ARG(f->text));
    cr_assert(memmem(f->text.p, f->text.n, part, strlen(part)) != NULL, "%s: %.*s", health_words[check].key,
              STR_ARG(f->text));
}

Test(health, a_sound_experiment_is_ok)
{
    struct health h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_OK, "7545, 7455 and 5000 where the weights ask for 7500, 7500 and 5000: p = 0.76");
    expect(&h, HEALTH_SPLIT_SEQUENTIAL, HEALTH_OK, "p = 1 after 10 days");
    expect(&h, HEALTH_SPLIT_DAYS, HEALTH_OK, "10 days; the least even is 2024-10-13");
    expect(&h, HEALTH_ZERO_WEIGHT, HEALTH_OK, "every variant has a weight above 0");
    expect(&h, HEALTH_MULTIPLE, HEALTH_OK, "0 in all, too few to compare");
    expect(&h, HEALTH_SILENCE, HEALTH_OK, "written 0 minutes ago");
    cr_assert(eq(int, h.worst, HEALTH_OK));
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_CHECK_COUNT));
}

Test(health, what_is_not_known_is_said)
{
    in.counts_count = 0;
    metric.days_count = 0;
    struct health h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_UNKNOWN, "0 units are too few to judge their split");
    expect(&h, HEALTH_SPLIT_DAYS, HEALTH_UNKNOWN, "no day has enough new units");
    expect(&h, HEALTH_SPLIT_SEGMENTS, HEALTH_UNKNOWN, "no dimension");
    expect(&h, HEALTH_MULTIPLE, HEALTH_UNKNOWN, "fewer than two arms have units");
    expect(&h, HEALTH_MARKED, HEALTH_UNKNOWN, "could not be counted");
    expect(&h, HEALTH_BEFORE, HEALTH_UNKNOWN, "no metric has covariates");
    expect(&h, HEALTH_NOVELTY, HEALTH_UNKNOWN, "fewer than 6 days since exposure");
    expect(&h, HEALTH_SIMPSON, HEALTH_UNKNOWN, "no dimension");
    expect(&h, HEALTH_HISTORY, HEALTH_UNKNOWN, "fewer than 8 A/A tests");
    result.has_data = false;
    h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_UNKNOWN, "nothing has been aggregated yet");
}

/* ---- the split ---- */

Test(health, without_first_exposures_the_units_of_a_metric_count)
{
    in.counts_count = 0;
    struct health h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_OK, "7500, 7500 and 5000 where the weights ask for 7500, 7500 and 5000: p = 1");
    expect(&h, HEALTH_SPLIT_SEQUENTIAL, HEALTH_UNKNOWN, "did not count first exposures by day");
    variants[2].weight = 0;
    h = judge();
    expect(&h, HEALTH_ZERO_WEIGHT, HEALTH_ALARM, "5000 units");
}

Test(health, lost_units_alarm_whether_looked_at_once_or_daily)
{
    for (size_t k = 0; k < in.counts_count; k++)
        in.counts[k].units[1] = 660;
    struct health h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_ALARM, "7545, 6600 and 5000");
    expect(&h, HEALTH_SPLIT_SEQUENTIAL, HEALTH_ALARM, "after 10 days");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_SPLIT));
    cr_assert(eq(int, h.worst, HEALTH_ALARM));
}

/* One day of ten is broken: the sum hardly shows it, and a p that was small stays small. */
Test(health, a_broken_day_is_named)
{
    in.counts[3].units[1] = 560;
    struct health h = judge();
    expect(&h, HEALTH_SPLIT_DAYS, HEALTH_ALARM, "the least even is 2024-10-07: 753, 560 and 500 where");
    expect(&h, HEALTH_SPLIT, HEALTH_OK, "p = 0.056");
    const struct health_finding *f = &h.of[HEALTH_SPLIT_DAYS];
    cr_assert(eq(sz, f->rows_count, DAYS));
    cr_assert(epsilon_eq(dbl, f->rows[0].adjusted, f->rows[0].log_p + log(DAYS), 1e-12)); /* Holm's first step */
    cr_assert(eq(i64, f->rows[0].observed[1], 560));
}

Test(health, a_broken_segment_is_named)
{
    for (int d = 0; d < 2; d++) {
        add_count("browser=firefox", FIRST_DAY + d, 300, 300, 200);
        add_count("browser=safari", FIRST_DAY + d, 450, 300, 300);
    }
    struct health_count *last = &in.counts[in.counts_count - 2]; /* rows come by segment */
    struct health_count swap = *last;
    *last = in.counts[in.counts_count - 3];
    in.counts[in.counts_count - 3] = swap;
    struct health h = judge();
    expect(&h, HEALTH_SPLIT_SEGMENTS, HEALTH_ALARM, "2 segments; the least even is browser=safari: 900, 600 and 600");
    expect(&h, HEALTH_SPLIT, HEALTH_OK, "7545");
}

Test(health, a_unit_without_a_chance_is_an_alarm_and_no_split)
{
    variants[2].weight = 0;
    struct health h = judge();
    expect(&h, HEALTH_ZERO_WEIGHT, HEALTH_ALARM, "5000 units are in a variant of weight 0, such as \"c\"");
    expect(&h, HEALTH_SPLIT, HEALTH_OK, "7545, 7455 and 5000 where the weights ask for 7500, 7500 and 0");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_ZERO_WEIGHT));
    for (size_t k = 0; k < in.counts_count; k++)
        in.counts[k].units[2] = 0;
    h = judge();
    expect(&h, HEALTH_ZERO_WEIGHT, HEALTH_OK, "1 variant of weight 0, and no unit in it");
}

Test(health, a_bandits_split_is_not_judged)
{
    experiment.live_weights = (double[]){ 0.1, 0.8, 0.1 };
    struct health h = judge();
    expect(&h, HEALTH_SPLIT, HEALTH_UNKNOWN, "a bandit's weights have moved");
    expect(&h, HEALTH_ZERO_WEIGHT, HEALTH_UNKNOWN, "no fixed ones");
}

/* ---- units ---- */

Test(health, many_units_of_two_variants_are_told_and_a_difference_alarms)
{
    for (size_t k = 0; k < in.counts_count; k++)
        in.counts[k].several = three(15, 15, 10);
    struct health h = judge();
    expect(&h, HEALTH_MULTIPLE, HEALTH_WARNING, "\"a\" 1.95 %");
    for (size_t k = 0; k < in.counts_count; k++)
        in.counts[k].several = three(3, 12, 4);
    h = judge();
    expect(&h, HEALTH_MULTIPLE, HEALTH_ALARM, "p = ");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_MULTIPLE));
    for (size_t k = 0; k < in.counts_count; k++)
        in.counts[k].several = three(150, 150, 100);
    h = judge();
    expect(&h, HEALTH_MULTIPLE, HEALTH_ALARM, "\"a\" 16.6 %");
}

Test(health, marks_that_depend_on_the_variant_alarm)
{
    in.marked = three(90, 100, 70);
    in.marked_share = 1;
    struct health h = judge();
    expect(&h, HEALTH_MARKED, HEALTH_OK, "\"a\" 1.18 %");
    in.marked = three(90, 200, 70);
    h = judge();
    expect(&h, HEALTH_MARKED, HEALTH_ALARM, "\"b\" 2.61 %");
}

Test(health, silence_is_told_after_hours_and_alarms_after_a_day)
{
    in.loaded_us = in.now_us - 7 * 3600 * US_PER_SECOND;
    struct health h = judge();
    expect(&h, HEALTH_SILENCE, HEALTH_WARNING, "no signal has been written for 7.0 hours");
    in.loaded_us = in.now_us - 30 * 3600 * US_PER_SECOND;
    h = judge();
    expect(&h, HEALTH_SILENCE, HEALTH_ALARM, "30.0 hours");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_CHECK_COUNT)); /* what came until then is right */
    experiment.status = EXPERIMENT_STOPPED;
    h = judge();
    expect(&h, HEALTH_SILENCE, HEALTH_UNKNOWN, "it does not run");
}

Test(health, a_day_without_new_units_alarms_where_many_are_usual)
{
    in.counts[DAYS - 2].units = three(0, 0, 0);
    struct health h = judge();
    expect(&h, HEALTH_SILENCE, HEALTH_ALARM, "no unit entered on 2024-10-12, where 2000 a day are usual");
    for (size_t k = 0; k < in.counts_count - 2; k++)
        in.counts[k].units = three(2, 3, 2);
    h = judge();
    expect(&h, HEALTH_SILENCE, HEALTH_OK, "written 0 minutes ago"); /* of so few a day, none is no surprise */
}

/* ---- effects ---- */

static const struct cross *before(int64_t n, double mean)
{
    struct cross *c = arena_alloc(&arena, sizeof *c);
    *c = cross_none(2);
    for (int64_t i = 0; i < n; i++)
        cross_add(c, (double[]){ (double)(i % 2), mean + (double)(i % 3) });
    return c;
}

Test(health, variants_that_differed_before_alarm)
{
    for (int i = 0; i < VARIANTS; i++)
        last_day.arms[i].pre = before(3000, 5);
    struct health h = judge();
    expect(&h, HEALTH_BEFORE, HEALTH_OK, "2 comparisons; the largest difference is ctr, b: +0, adjusted p = 1");
    last_day.arms[2].pre = before(3000, 5.2);
    h = judge();
    expect(&h, HEALTH_BEFORE, HEALTH_ALARM, "the largest difference is ctr, c: +0.2");
    last_day.arms[2].pre = before(99, 5.2);
    h = judge();
    expect(&h, HEALTH_BEFORE, HEALTH_OK, "1 comparison; the largest difference is ctr, b");
}

/* On the day of its first exposure every unit is there, later few: the difference falls, the lift does not. */
Test(health, units_that_are_there_less_often_later_are_no_novelty)
{
    for (int d = 0; d < 12; d++) {
        struct result_arm *a = add_part(RESULT_SINCE, "", "", d);
        a[0].m = share(5000, d ? 0.1 : 0.5);
        a[1].m = a[2].m = share(5000, d ? 0.12 : 0.6);
    }
    struct health h = judge();
    expect(&h, HEALTH_NOVELTY, HEALTH_OK, "\"b\": +20.0 % on the first 3 days, +20.0 % later (steady, p = 1)");
}

Test(health, an_effect_that_wears_off_is_told)
{
    for (int d = 0; d < 12; d++) {
        struct result_arm *a = add_part(RESULT_SINCE, "", "", d);
        a[0].m = share(5000, 0.2);
        a[1].m = share(5000, d < 3 ? 0.26 : 0.2);
        a[2].m = share(5000, 0.21);
    }
    struct health h = judge();
    expect(&h, HEALTH_NOVELTY, HEALTH_WARNING, "\"b\": +30.0 % on the first 3 days, +0.0 % later (fades, p = ");
    expect(&h, HEALTH_NOVELTY, HEALTH_WARNING, "\"c\": +5.0 % on the first 3 days, +5.0 % later (steady, p = 1)");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_CHECK_COUNT));
}

/* More of b's units are in the part that clicks more: b is worse in both and better in the sum. */
Test(health, a_reversal_by_segment_is_told)
{
    for (int v = 0; v < 2; v++) {
        struct result_arm *a = add_part(RESULT_SEGMENT, "device", v ? "phone" : "desk", 0);
        a[0].m = share(v ? 4000 : 2000, v ? 0.1 : 0.4);
        a[1].m = share(v ? 2000 : 4000, v ? 0.08 : 0.38);
        a[2].m = share(v ? 4000 : 2000, v ? 0.1 : 0.4);
    }
    struct health h = judge();
    expect(&h, HEALTH_SIMPSON, HEALTH_WARNING, "\"b\" by device: +0.08 in the sum, -0.02 within its 2 values");
    metric.parts[RESULT_SEGMENT].p[0].arms[1].m = share(2000, 0.38);
    metric.parts[RESULT_SEGMENT].p[1].arms[1].m = share(4000, 0.08);
    h = judge();
    expect(&h, HEALTH_SIMPSON, HEALTH_OK, "2 comparisons by dimension, none reversed");
}

Test(health, aa_tests_that_reject_too_often_are_told)
{
    struct health_aa history[20];
    in.history = history;
    in.history_count = 20;
    for (int i = 0; i < 20; i++)
        history[i] = (struct health_aa){ ctr.key, (i + 0.5) / 20 };
    struct health h = judge();
    expect(&h, HEALTH_HISTORY, HEALTH_OK, "ctr: 20 tests, 5 % below 0.05");
    for (int i = 0; i < 8; i++)
        history[i].p = 0.01;
    h = judge();
    expect(&h, HEALTH_HISTORY, HEALTH_ALARM, "ctr: 20 tests, 40 % below 0.05");
    cr_assert(eq(int, health_spoilt_by(&h), HEALTH_CHECK_COUNT));
}

Test(health, a_verdict_is_told_what_spoils_it_and_how_units_come)
{
    health_tell(&in, &result, &arena);
    cr_assert(eq(sz, result.spoilt.n, 0));
    cr_assert(eq(dbl, result.first_exposures.days, DAYS));
    cr_assert(eq(dbl, result.first_exposures.units, DAYS * 2000));
    cr_assert(epsilon_eq(dbl, result.first_exposures.growth, 1, 1e-9)); /* 2000 each day */
    in.counts[3].units[1] = 560;
    health_tell(&in, &result, &arena);
    cr_assert(str_starts(result.spoilt, STR("Units by variant, day by day: 10 days; the least even is 2024-10-07")));
}

Test(health, the_answer_is_json_with_every_check)
{
    struct health h = judge();
    struct buf b;
    struct jsonw w;
    struct err err;
    buf_init(&b, 1 << 20);
    jsonw_init(&w, &b);
    health_write(&w, &in, &h);
    json_auto_t *root = json_parse(buf_str(&b), &err);
    cr_assert(ne(ptr, root, NULL), "%s", err.text);
    json_t *findings = json_object_get(root, "findings");
    cr_assert(eq(sz, json_array_size(findings), HEALTH_CHECK_COUNT));
    cr_assert(str_eq_c(str_of(json_string_value(json_object_get(root, "state"))), "ok"));
    for (size_t i = 0; i < HEALTH_CHECK_COUNT; i++) {
        json_t *f = json_array_get(findings, i);
        cr_assert(json_string_length(json_object_get(f, "text")) > 0);
        cr_assert(json_string_length(json_object_get(f, "means")) > 40);
    }
    buf_release(&b);
}
