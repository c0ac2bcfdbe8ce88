/* Suite = module, test = the sentence it proves. The rows are those of a statement, made without a server. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "experimentd/results/model.h"
#include "stats/ranks/sketch_bytes.h"

static struct arena arena;
static struct snapshot_metric metrics[] = {
    { .key = STR("ctr"),
      .name = STR("Click-through"),
      .description = STR("share"),
      .kind = STR("proportion"),
      .direction = STR("increase"),
      .display = STR("share") },
    { .key = STR("mrr"),
      .name = STR("Reciprocal rank"),
      .description = STR("mean"),
      .kind = STR("ratio"),
      .direction = STR("increase"),
      .display = STR("score") },
};
static struct snapshot snapshot = { .metrics = metrics, .metrics_count = 2 };
static struct snapshot_variant variants[] = { { STR("a"), STR(""), 0.5, STR("1") },
                                              { STR("b"), STR(""), 0.5, STR("2") } };
static struct snapshot_experiment experiment = { .key = STR("shop"), .variants = variants, .variants_count = 2 };

static void setup(void)
{
    arena_init(&arena, 4096);
    experiment.metrics_count = 2;
    experiment.metrics = arena_zalloc(&arena, 2 * sizeof *experiment.metrics);
    experiment.metrics[0].metric = STR("mrr");
    experiment.metrics[0].role = STR("secondary");
    experiment.metrics[1].metric = STR("ctr");
    experiment.metrics[1].role = STR("primary");
}

static void teardown(void)
{
    arena_release(&arena);
}

struct row {
    const char *metric, *variant, *segment;
    int day, n;
};
static const char *const *pre, *const *sketch; /* of each row; NULL: of none */

static void set(PGresult *r, int row, int column, const char *text)
{
    char copy[4096];
    if (!text) {
        cr_assert(PQsetvalue(r, row, column, NULL, -1));
        return;
    }
    snprintf(copy, sizeof copy, "%s", text);
    cr_assert(PQsetvalue(r, row, column, copy, (int)strlen(copy)));
}

static PGresult *rows_of(const struct row *rows, int count)
{
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[RC_COUNT] = { 0 };
    for (int i = 0; i < RC_COUNT; i++)
        columns[i].name = "column";
    cr_assert(PQsetResultAttrs(r, RC_COUNT, columns));
    for (int i = 0; i < count; i++) {
        char number[32];
        for (int column = 0; column < RC_COUNT; column++)
            set(r, i, column, "0");
        set(r, i, RC_EXPERIMENT, "shop");
        set(r, i, RC_METRIC, rows[i].metric);
        set(r, i, RC_VARIANT, rows[i].variant);
        set(r, i, RC_SEGMENT, rows[i].segment);
        snprintf(number, sizeof number, "%d", rows[i].day);
        set(r, i, RC_DAY, number);
        snprintf(number, sizeof number, "%d", rows[i].n);
        set(r, i, RC_N, number);
        set(r, i, RC_MEAN_X, "0.25");
        set(r, i, RC_PRE, pre ? pre[i] : NULL);
        set(r, i, RC_SKETCH, sketch ? sketch[i] : NULL);
    }
    return r;
}

static struct result read(const struct row *rows, int count)
{
    struct result out;
    PGresult *r = rows_of(rows, count);
    result_read(&out, &snapshot, &experiment, r, &arena);
    PQclear(r);
    return out;
}

TestSuite(model, .init = setup, .fini = teardown);

Test(model, days_hold_an_arm_a_variant_and_the_last_day_counts)
{
    const struct row rows[] = { { "ctr", "a", "", 1, 10 }, { "ctr", "b", "", 1, 11 }, { "ctr", "b", "", 3, 21 },
                                { "ctr", "a", "", 3, 20 }, { "mrr", "a", "", 3, 20 }, { "mrr", "gone", "", 3, 99 } };
    struct result r = read(rows, COUNT_OF(rows));
    cr_assert(eq(sz, r.metrics_count, 2));
    const struct result_metric *ctr = &r.metrics[1];
    cr_assert(eq(sz, ctr->days_count, 2));
    cr_assert(eq(int, ctr->days[0].day, 1));
    cr_assert(eq(i64, ctr->days[0].arms[1].m.n, 11));
    cr_assert(eq(i64, result_latest(ctr, 0)->n, 20));
    cr_assert(eq(i64, result_latest(ctr, 1)->n, 21));
    cr_assert(eq(i64, result_latest(&r.metrics[0], 1)->n, 0));
    cr_assert(result_primary(&r) == ctr);
}

Test(model, parts_are_told_apart_and_numbers_come_in_their_order)
{
    const struct row rows[] = {
        { "ctr", "a", "", 9, 20 },           { "ctr", "a", ":first_day", 8, 5 }, { "ctr", "b", ":first_day", 8, 6 },
        { "ctr", "a", ":first_day", 9, 7 },  { "ctr", "a", "country=de", 9, 3 }, { "ctr", "b", "country=de", 9, 4 },
        { "ctr", "a", "country=a=b", 9, 1 }, { "ctr", "a", "since:0", 9, 20 },   { "ctr", "a", "since:10", 9, 2 },
        { "ctr", "a", "since:2", 9, 9 },     { "ctr", "a", "step:1", 9, 20 },    { "ctr", "a", "since:x", 9, 9 },
    };
    struct result r = read(rows, COUNT_OF(rows));
    const struct result_parts *parts = r.metrics[1].parts;
    cr_assert(eq(sz, r.metrics[1].days_count, 1));
    cr_assert(eq(sz, parts[RESULT_COHORT].n, 2));
    cr_assert(eq(int, parts[RESULT_COHORT].p[1].number, 9));
    cr_assert(eq(i64, parts[RESULT_COHORT].p[0].arms[1].m.n, 6));
    cr_assert(eq(sz, parts[RESULT_SEGMENT].n, 2));
    cr_assert(str_eq(parts[RESULT_SEGMENT].p[0].dimension, STR("country")));
    cr_assert(str_eq(parts[RESULT_SEGMENT].p[0].value, STR("de")));
    cr_assert(eq(i64, parts[RESULT_SEGMENT].p[0].arms[1].m.n, 4));
    cr_assert(str_eq(parts[RESULT_SEGMENT].p[1].value, STR("a=b")));
    cr_assert(eq(sz, parts[RESULT_SINCE].n, 3));
    cr_assert(eq(int, parts[RESULT_SINCE].p[1].number, 2));
    cr_assert(eq(int, parts[RESULT_SINCE].p[2].number, 10));
    cr_assert(eq(sz, parts[RESULT_STEP].n, 1));
}

Test(model, many_parts_fit)
{
    struct row rows[300];
    char text[300][32];
    for (int i = 0; i < 300; i++) {
        snprintf(text[i], sizeof text[i], "country=%03d", i / 2);
        rows[i] = (struct row){ "ctr", i % 2 ? "b" : "a", text[i], 9, i + 1 };
    }
    struct result r = read(rows, 300);
    const struct result_parts *parts = &r.metrics[1].parts[RESULT_SEGMENT];
    cr_assert(eq(sz, parts->n, 150));
    for (size_t i = 0; i < 150; i++)
        cr_assert(eq(i64, parts->p[i].arms[1].m.n, 2 * (int64_t)i + 2));
}

Test(model, covariates_are_unpacked_and_what_does_not_fit_is_none)
{
    static const char *const texts[] = { "{0.5,1e-18,2,0,4,-1,9}", "{0.5,0,2}", "{0.5,0,2,0}", "{}" };
    const struct row rows[] = {
        { "ctr", "a", "", 1, 10 }, { "ctr", "b", "", 1, 10 }, { "ctr", "a", "", 2, 10 }, { "ctr", "b", "", 2, 10 }
    };
    pre = texts;
    struct result r = read(rows, COUNT_OF(rows));
    const struct cross *c = r.metrics[1].days[0].arms[0].pre;
    cr_assert(c != NULL);
    cr_assert(eq(i64, c->n, 10));
    cr_assert(eq(sz, c->vars, 2));
    cr_assert(eq(dbl, c->mean[0], 0.5));
    cr_assert(eq(dbl, c->rest[0], 1e-18));
    cr_assert(eq(dbl, c->mean[1], 2));
    cr_assert(eq(dbl, c->m2[0][0], 4));
    cr_assert(eq(dbl, c->m2[0][1], -1));
    cr_assert(eq(dbl, c->m2[1][0], -1));
    cr_assert(eq(dbl, c->m2[1][1], 9));
    cr_assert(r.metrics[1].days[0].arms[1].pre != NULL); /* one variable: no covariate, but moments */
    cr_assert(r.metrics[1].days[1].arms[0].pre == NULL);
    cr_assert(r.metrics[1].days[1].arms[1].pre == NULL);
}

Test(model, a_sketch_comes_back_as_it_went_and_a_torn_one_is_none)
{
    static struct sketch s;
    static unsigned char bytes[SKETCH_BYTES_MAX];
    static char text[4096] = "\\x";
    double events[] = { 1.5, 3, 3, -2 };
    sketch_init(&s);
    cr_assert(sketch_add_unit(&s, events, 4, NULL));
    size_t n = sketch_bytes_write(&s, bytes);
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 + 2 * i, 3, "%02x", bytes[i]);
    const char *const texts[] = { text, "\\x0109" };
    const struct row rows[] = { { "ctr", "a", "", 1, 10 }, { "ctr", "b", "", 1, 10 } };
    sketch = texts;
    struct result r = read(rows, COUNT_OF(rows));
    const struct sketch *got = r.metrics[1].days[0].arms[0].sketch;
    cr_assert(got != NULL);
    cr_assert(eq(i64, got->events, 4));
    cr_assert(eq(sz, got->used, s.used));
    cr_assert(eq(i64, got->buckets[0].key, s.buckets[0].key));
    cr_assert(r.metrics[1].days[0].arms[1].sketch == NULL);
}
