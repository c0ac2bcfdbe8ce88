/* clicked, judge, sample: values of clicks by hand, grades on a scale, people beside clicks, queries drawn. */
#include "trainer/jobs/judge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/jobs/sample.h"

/* ---- clicked: a is at the top of three searches and second of one, b the other way round, c last and never clicked ---- */

static const struct str docs[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
static const uint32_t abc[] = { 0, 1, 2 }, bac[] = { 1, 0, 2 };
static const struct serp_pattern patterns[] = {
    { .docs = abc, .n = 3, .clicked = 1, .count = 2 }, /* a */
    { .docs = abc, .n = 3, .clicked = 2, .count = 1 }, /* b, a passed over */
    { .docs = bac, .n = 3, .clicked = 3, .count = 1 }, /* b and a */
};
static const struct serp_query lamp = { .text = { "lamp", 4 },
                                        .docs = docs,
                                        .patterns = patterns,
                                        .docs_count = 3,
                                        .patterns_count = 3,
                                        .sessions = 4,
                                        .clicks = 5 };

static struct click_judgeds judged(enum click_formula formula, double prior, double least)
{
    struct click_judgeds out = { .count = 0 };
    struct click_totals t;
    const struct click_rules rules = { .formula = formula, .prior = prior, .min_evidence = least, .positions = 3 };
    clicked_totals(&lamp, 1, &t);
    cr_assert(eq(u64, t.shown[0], 4));
    cr_assert(eq(u64, t.clicked[0], 3)); /* ctr 3/4, 2/4, 0 */
    cr_assert(eq(u64, t.clicked[1], 2));
    cr_assert(eq(u64, t.clicks, 5));
    cr_assert(eq(u64, t.skips, 1));
    clicked_judge(&lamp, &t, &rules, &out);
    return out;
}

Test(clicked, coec_adds_up_what_is_expected_where_a_document_stood)
{
    struct click_judgeds j = judged(CLICKED_COEC, 1, 0);
    cr_assert(eq(sz, j.count, 3));
    cr_assert(epsilon_eq(dbl, j.items[0].value, (3 + 1.0) / (3 * 0.75 + 0.5 + 1), 1e-15));
    cr_assert(epsilon_eq(dbl, j.items[1].value, (2 + 1.0) / (0.75 + 3 * 0.5 + 1), 1e-15));
    cr_assert(eq(dbl, j.items[2].value, 1)); /* nothing is expected of the last place */
    cr_assert(eq(dbl, j.items[2].evidence, 4));
    click_judgeds_release(&j);
}

Test(clicked, the_workbenchs_coec_takes_the_best_place_for_all_and_has_no_last_one)
{
    struct click_judgeds j = judged(CLICKED_COEC_SRW, 1, 0);
    cr_assert(eq(dbl, j.items[0].value, 1));     /* 3 / (3/4 · 4) */
    cr_assert(eq(dbl, j.items[1].value, 0.667)); /* 2 / (3/4 · 4), three digits */
    cr_assert(eq(dbl, j.items[2].value, 0));
    click_judgeds_release(&j);
}

Test(clicked, click_skip_counts_what_was_passed_over_above_a_click)
{
    struct click_judgeds j = judged(CLICKED_SKIP, 0, 1);
    cr_assert(eq(sz, j.count, 2)); /* of c nothing is known */
    cr_assert(eq(u64, j.too_little, 1));
    cr_assert(eq(dbl, j.items[0].value, 0.75));
    cr_assert(eq(dbl, j.items[0].evidence, 4));
    cr_assert(eq(dbl, j.items[1].value, 1));
    cr_assert(eq(dbl, j.items[1].evidence, 2));
    cr_assert(lt(dbl, j.items[1].confidence, j.items[0].confidence + 0.2));
    click_judgeds_release(&j);
}

/* ---- judge ---- */

static struct click_judgeds values(const double *v, size_t n)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    struct click_judgeds j = { .count = 0 };
    for (size_t i = 0; i < n; i++) /* the last one first: grades sort */
        click_judgeds_add(&j, &(struct click_judged){ .query = STR("lamp"),
                                                      .doc = str_of(names[n - 1 - i]),
                                                      .value = v[n - 1 - i],
                                                      .confidence = 0.5,
                                                      .evidence = 9 });
    return j;
}

Test(judge, grades_are_linear_up_to_the_top_or_by_quantiles)
{
    const double v[] = { 0, 0.2, 0.5, 0.5, 0.9, 3 };
    struct click_judgeds j = values(v, 6);
    double top;
    judge_grades(&j, &(struct judge_rules){ .scale = JUDGE_LINEAR, .max_grade = 3, .whole = true }, &top);
    const double linear[] = { 0, 1, 2, 2, 3, 3 };
    cr_assert(eq(dbl, top, 1));
    for (size_t i = 0; i < 6; i++)
        cr_assert(eq(dbl, j.items[i].grade, linear[i]), "%zu is %g", i, j.items[i].grade);
    judge_grades(&j, &(struct judge_rules){ .scale = JUDGE_QUANTILE, .max_grade = 2, .whole = true }, &top);
    const double quantile[] = { 0, 0, 1, 1, 2, 2 };
    for (size_t i = 0; i < 6; i++)
        cr_assert(eq(dbl, j.items[i].grade, quantile[i]), "%zu is %g", i, j.items[i].grade);
    judge_grades(&j, &(struct judge_rules){ .scale = JUDGE_LINEAR, .max_grade = 3, .relative = true }, &top);
    cr_assert(eq(dbl, top, 3)); /* the 99th percentile of six is the highest */
    cr_assert(eq(dbl, j.items[2].grade, 0.5));
    click_judgeds_release(&j);
}

static struct judgment_set people(struct judgment *rows, uint32_t n, float max)
{
    static struct judged_query queries[2];
    static size_t used;
    struct judged_query *q = &queries[used++];
    *q = (struct judged_query){ .query = STR("lamp"), .text = STR("Lamp"), .docs = rows, .count = n };
    return (struct judgment_set){ .queries = q, .count = 1, .max_grade = max };
}

Test(judge, people_win_and_other_scales_are_brought_to_this_one)
{
    const double v[] = { 0, 0.3, 0.6, 1 };
    struct click_judgeds j = values(v, 4);
    struct judgment graded[] = { { .doc = STR("b"), .grade = 10, .human = true },
                                 { .doc = STR("d"), .grade = 10, .human = true },
                                 { .doc = STR("z"), .grade = 0, .human = true } };
    struct judgment put_in[] = { { .doc = STR("a"), .grade = 0, .human = true, .edited = true },
                                 { .doc = STR("c"), .grade = 1 } };
    const struct judgment_set human = people(graded, 3, 10), own = people(put_in, 2, 3);
    const struct judge_rules rules = {
        .scale = JUDGE_LINEAR, .max_grade = 3, .whole = true, .conflict = 2, .conflicts_told = 9
    };
    struct judged_set s;
    double top;
    judge_grades(&j, &rules, &top);
    judge_merge(&j, &human, &own, &rules, &s);
    cr_assert(eq(sz, s.count, 4)); /* b, c, d, z: a is kept where it is */
    cr_assert(str_eq_c(s.rows[0].doc, "b") && s.rows[0].human);
    cr_assert(eq(dbl, s.rows[0].grade, 3));
    cr_assert(str_eq_c(s.rows[1].doc, "c") && !s.rows[1].human);
    cr_assert(eq(dbl, s.rows[1].grade, 2));
    cr_assert(str_eq_c(s.rows[1].query, "Lamp"));
    cr_assert(eq(u64, s.both, 3));
    cr_assert(eq(u64, s.kept, 1));
    cr_assert(eq(u64, s.conflicts, 1)); /* b: 3 and 1 */
    cr_assert(eq(dbl, s.told[0].human, 3));
    cr_assert(eq(dbl, s.told[0].clicks, 1));
    cr_assert(eq(u64, s.table[3 * 4 + 1], 1));
    cr_assert(eq(u64, s.table[3 * 4 + 3], 1));
    cr_assert(eq(u64, s.table[0], 1));
    cr_assert(s.has_kappa && s.has_tau);
    cr_assert(epsilon_eq(dbl, s.kappa, 1 - 4 / ((1 * 0 + 1 * 1 + 1 * 9 + 2 * (9 + 4 + 0)) / 3.0), 1e-12));
    judged_set_release(&s);
    click_judgeds_release(&j);
}

/* ---- sample ---- */

static void make(struct sample_query *q)
{
    static const char *const texts[] = { "a", "b", "c", "d", "e", "f" };
    static const uint64_t searches[] = { 1, 50, 2, 30, 7, 10 };
    for (size_t i = 0; i < 6; i++)
        q[i] = (struct sample_query){ .text = str_of(texts[i]), .searches = searches[i] };
}

Test(sample, topn_is_the_most_searched_and_pptss_draws_size_times)
{
    struct sample_query q[6];
    struct sample_stratum s[SAMPLE_STRATA];
    make(q);
    cr_assert(eq(sz, sample_queries(q, 6, &(struct sample_rules){ .sampling = SAMPLE_TOPN, .size = 2 }, s), 2));
    cr_assert(str_eq_c(q[0].text, "b") && str_eq_c(q[1].text, "d"));
    cr_assert(eq(dbl, q[1].weight, 30));
    make(q);
    size_t n = sample_queries(q, 6, &(struct sample_rules){ .sampling = SAMPLE_PPTSS, .size = 1000, .seed = 3 }, s);
    double drawn = 0;
    for (size_t i = 0; i < n; i++)
        drawn += q[i].weight;
    cr_assert(eq(dbl, drawn, 1000));
    cr_assert(lt(dbl, fabs(q[0].weight - 500), 4 * sqrt(1000 * 0.5 * 0.5)));
    cr_assert(lt(dbl, fabs(q[1].weight - 300), 4 * sqrt(1000 * 0.3 * 0.7)));
}

Test(sample, strata_that_have_too_few_give_their_places_to_others)
{
    struct sample_query q[6];
    struct sample_stratum s[SAMPLE_STRATA];
    const struct sample_rules rules = {
        .sampling = SAMPLE_STRATIFIED, .size = 4, .head = 0.5, .torso = 0.4, .head_size = 0.5, .torso_size = 0.25
    };
    make(q);
    cr_assert(eq(sz, sample_queries(q, 6, &rules, s), 4));
    cr_assert(eq(sz, s[0].queries, 1)); /* b has half of it all; d and f the torso; e, c, a the tail */
    cr_assert(eq(sz, s[1].queries, 2));
    cr_assert(eq(sz, s[2].queries, 3));
    cr_assert(eq(sz, s[0].drawn, 1));
    cr_assert(eq(sz, s[1].drawn, 2)); /* one for itself, one that the head had no query for */
    cr_assert(eq(sz, s[2].drawn, 1));
    cr_assert(eq(dbl, q[0].weight, 50));
    cr_assert(eq(dbl, q[1].weight, 30));
}

Test(sample, random_draws_do_not_depend_on_the_order_of_others)
{
    struct sample_query q[6], r[5];
    struct sample_stratum s[SAMPLE_STRATA];
    const struct sample_rules rules = { .sampling = SAMPLE_RANDOM, .size = 3, .seed = 1, .equal_weights = true };
    make(q);
    cr_assert(eq(sz, sample_queries(q, 6, &rules, s), 3));
    for (size_t i = 0; i < 5; i++)
        r[i] = (struct sample_query){ .text = q[i].text,
                                      .searches = q[i].searches }; /* without one that was not drawn */
    cr_assert(eq(sz, sample_queries(r, 5, &rules, s), 3));
    for (size_t i = 0; i < 3; i++) {
        cr_assert(str_eq(q[i].text, r[i].text));
        cr_assert(eq(dbl, r[i].weight, 1));
    }
    cr_assert(eq(sz, sample_queries(q, 0, &rules, s), 0));
}
