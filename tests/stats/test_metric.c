#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "stats/ranking/metric.h"

/* The oracle: what trec_eval 10.0-rc3 says of qrels q1{a:3,b:2,c:0,d:1} q2{x:1} q3{z:2} and the run q1: c 5.0, a 4.0, u 4.0, b 3.0; q2: y 1.0, x 1.0; q3 nothing. */
struct oracle {
    struct ranking_scored run[4];
    size_t n;
    const char *docs[4]; /* the qrels */
    double grades[4];
    size_t judged_n;
};
static const struct oracle oracles[] = {
    { { { "c", 5, 0 }, { "a", 4, 1 }, { "u", 4, 2 }, { "b", 3, 3 } }, 4, { "a", "b", "c", "d" }, { 3, 2, 0, 1 }, 4 },
    { { { "y", 1, 0 }, { "x", 1, 1 } }, 2, { "x" }, { 1 }, 1 },
    { { { NULL, 0, 0 } }, 0, { "z" }, { 2 }, 1 },
};

static double of_oracle(const struct oracle *o, const char *metric)
{
    struct ranking_scored run[4];
    double grades[4], judged[4];
    struct ranking_metric m;
    struct err err;
    memcpy(run, o->run, sizeof run);
    memcpy(judged, o->grades, sizeof judged);
    ranking_sort_scored(run, o->n);
    ranking_sort_judged(judged, o->judged_n);
    for (size_t i = 0; i < o->n; i++) {
        grades[i] = NAN;
        for (size_t j = 0; j < o->judged_n; j++)
            if (strcmp(run[i].doc, o->docs[j]) == 0)
                grades[i] = o->grades[j];
    }
    struct ranking_query q = { grades, o->n, judged, o->judged_n, 3, 1, RANKING_UNJUDGED_ZERO };
    cr_assert(ranking_query_check(&q, &err), "%s", err.text);
    cr_assert(ranking_metric_parse(metric, &m, &err), "%s", err.text);
    return ranking_metric_value(&m, &q);
}

Test(metric, equals_trec_eval_on_the_oracle)
{
    static const struct {
        const char *name;
        double q1, q2; /* as printed: 4 decimals */
    } expected[] = { { "map", .2778, .5 },           { "recip_rank", .3333, .5 }, { "P_3", .3333, .3333 },
                     { "recall_3", .3333, 1 },       { "ndcg", .4959, .6309 },    { "ndcg_cut_3", .3150, .6309 },
                     { "ndcg_cut_10", .4959, .6309 } };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        cr_assert(epsilon_eq(dbl, of_oracle(&oracles[0], expected[i].name), expected[i].q1, 5e-5), "%s",
                  expected[i].name);
        cr_assert(epsilon_eq(dbl, of_oracle(&oracles[1], expected[i].name), expected[i].q2, 5e-5), "%s",
                  expected[i].name);
        cr_assert(eq(dbl, of_oracle(&oracles[2], expected[i].name), 0));
    }
    double map = 0, ndcg = 0;
    for (int i = 0; i < 3; i++) {
        map += of_oracle(&oracles[i], "map") / 3;
        ndcg += of_oracle(&oracles[i], "ndcg") / 3;
    }
    cr_assert(epsilon_eq(dbl, map, .2593, 5e-5)); /* as -c has it: a query without results counts 0 */
    cr_assert(epsilon_eq(dbl, ndcg, .3756, 5e-5));
}

/* trec_eval holds a score as float: what differs less is a tie. */
Test(metric, scores_are_compared_as_float32)
{
    struct ranking_scored docs[] = { { "a", 1.00000001, 0 }, { "b", 1, 1 }, { "c", 2, 2 }, { "B", 1, 3 } };
    ranking_sort_scored(docs, 4);
    cr_assert(eq(int, strcmp(docs[0].doc, "c"), 0));
    cr_assert(eq(int, strcmp(docs[1].doc, "b"), 0));
    cr_assert(eq(int, strcmp(docs[2].doc, "a"), 0));
    cr_assert(eq(int, strcmp(docs[3].doc, "B"), 0));
}

static double value(const char *name, struct ranking_query q)
{
    struct ranking_metric m;
    struct err err;
    cr_assert(ranking_metric_parse(name, &m, &err), "%s", err.text);
    cr_assert(ranking_query_check(&q, &err), "%s", err.text);
    return ranking_metric_value(&m, &q);
}

/* Where tools differ, by hand: a list of three (2, not judged, 1) of judged documents 2, 2, 1, 0. */
Test(metric, variants_differ_where_the_tools_do)
{
    const double grades[] = { 2, NAN, 1 }, judged[] = { 2, 2, 1, 0 };
    struct ranking_query zero = { grades, 3, judged, 4, 2, 1, RANKING_UNJUDGED_ZERO }, skip = zero;
    skip.unjudged = RANKING_UNJUDGED_SKIPPED;
    cr_assert(epsilon_eq(dbl, value("precision@5", zero), 2.0 / 5, 1e-15));
    cr_assert(epsilon_eq(dbl, value("precision_returned@5", zero), 2.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("precision_returned@2", zero), 1.0 / 2, 1e-15));
    cr_assert(epsilon_eq(dbl, value("precision", zero), 2.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("judged@5", zero), 2.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("judged@2", skip), 1.0 / 2, 1e-15));
    cr_assert(epsilon_eq(dbl, value("precision@2", skip), 1, 1e-15));
    cr_assert(epsilon_eq(dbl, value("r_precision", zero), 2.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("map", zero), (1 + 2.0 / 3) / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("map", skip), 2.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, value("ndcg@2", zero), 2 / (2 + 2 / log2(3)), 1e-15));
    cr_assert(epsilon_eq(dbl, value("ndcg_burges@2", zero), 3 / (3 + 3 / log2(3)), 1e-15));
    cr_assert(epsilon_eq(dbl, value("ndcg_burges_uncut@2", zero), 3 / (3 + 3 / log2(3) + 0.5), 1e-15));
    cr_assert(epsilon_eq(dbl, value("err", zero), 0.75 + 0.25 / 3 * 0.25, 1e-15));
    cr_assert(epsilon_eq(dbl, value("err(max=4)", zero), 3.0 / 16 + 13.0 / 16 / 3 / 16, 1e-15));
    cr_assert(epsilon_eq(dbl, value("rbp(0.5)", zero), 0.5 + 0.125, 1e-15));
    cr_assert(epsilon_eq(dbl, value("rbp_graded(p=0.5)", zero), 0.5 + 0.125 / 2, 1e-15));
    cr_assert(epsilon_eq(dbl, value("recall(rel=2)@3", zero), 0.5, 1e-15));
    cr_assert(eq(dbl, value("success@1", zero), 1));
    cr_assert(eq(dbl, value("success(rel=2)@1", (struct ranking_query){ judged + 2, 2, judged, 4, 2, 1, 0 }), 0));
}

Test(metric, names_read_back)
{
    static const char *const same[] = {
        "ndcg",        "ndcg@10",  "err(max=4)@20", "rbp(p=0.95)", "precision(rel=2)@5", "rbp(p=0.5,rel=2)@7",
        "r_precision", "judged@10"
    };
    static const char *const others[][2] = { { "nDCG@10", "ndcg@10" },
                                             { "ndcg_cut_10", "ndcg@10" },
                                             { "P_5", "precision@5" },
                                             { "AP(rel=2)@100", "map(rel=2)@100" },
                                             { "RR", "mrr" },
                                             { "Rprec", "r_precision" },
                                             { "recall_100", "recall@100" },
                                             { "rbp(0.8)", "rbp" },
                                             { "err(4)", "err(max=4)" },
                                             { "set_P", "precision" },
                                             { "R@5", "recall@5" },
                                             { "hit_rate@10", "success@10" } };
    struct ranking_metric m;
    struct err err;
    char name[RANKING_METRIC_NAME_MAX];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        cr_assert(ranking_metric_parse(same[i], &m, &err), "%s", err.text);
        ranking_metric_name(&m, name);
        cr_assert(eq(int, strcmp(name, same[i]), 0), "%s", name);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_assert(ranking_metric_parse(others[i][0], &m, &err), "%s", err.text);
        ranking_metric_name(&m, name);
        cr_assert(eq(int, strcmp(name, others[i][1]), 0), "%s", name);
    }
}

Test(metric, names_that_are_none_are_refused)
{
    static const char *const bad[][2] = {
        { "", "there is no metric" },
        { "ndgc@10", "there is no metric \"ndgc@10\"; there are ndcg " },
        { "ndcg@", "no rank from 1" },
        { "ndcg@0", "no rank from 1" },
        { "ndcg@1e3", "no rank" },
        { "ndcg@99999999", "no rank" },
        { "ndcg 10", "no metric" },
        { "ndcg(10", "not closed" },
        { "ndcg(p=0.8)", "has no option \"p\"" },
        { "rbp(p=1)", "not between 0 and 1" },
        { "rbp(p=x)", "\"x\" is no number" },
        { "rbp()", "\"\" is no number" },
        { "rbp(p=nan)", "no number" },
        { "precision(rel=0)@5", "not above 0" },
        { "r_precision@5", "a rank of its own" },
        { "err(max=4)10", "is no rank" },
        { "ndcg(rel=2)", "no option" },
    };
    struct ranking_metric m = { .k = 77 };
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert(not(ranking_metric_parse(bad[i][0], &m, &err)), "%s", bad[i][0]);
        cr_assert(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s: %s", bad[i][0], err.text);
        cr_assert(eq(sz, m.k, 77));
    }
}

/* Without unjudged documents the policies are one; and every measure is within 0 and 1, but the sums. */
Test(metric, policies_agree_where_all_is_judged)
{
    struct draw d = { 7 };
    for (int round = 0; round < 300; round++) {
        double grades[9], judged[9];
        for (int i = 0; i < 9; i++)
            judged[i] = grades[i] = (double)(draw_u64(&d) % 4);
        ranking_sort_judged(judged, 9);
        struct ranking_query q = { grades, 9, judged, 9, 3, 1, RANKING_UNJUDGED_ZERO }, s = q;
        s.unjudged = RANKING_UNJUDGED_SKIPPED;
        for (int measure = 0; measure < RANKING_MEASURES; measure++) {
            struct ranking_metric m = { .measure = (enum ranking_measure)measure,
                                        .k = measure == RANKING_R_PRECISION ? 0 : 5,
                                        .p = 0.8 };
            double v = ranking_metric_value(&m, &q);
            cr_assert(eq(dbl, v, ranking_metric_value(&m, &s)));
            cr_assert(ge(dbl, v, 0));
            if (!ranking_metric_unbounded(&m))
                cr_assert(le(dbl, v, 1 + 1e-15), "%s", ranking_measure_names[measure]);
        }
    }
}
