/* A million queries with the daemon's coins: the teams own each position as often as each other, and clicks without reading prefer none. Query
 * ids are fixed, so the outcome never changes from run to run. Prints chi-square and its p; fails below 0.001. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "experimentd/interleave/coins.h"
#include "stats/interleave/optimized.h"
#include "stats/special/special.h"
#include "stats/srm.h"

#define P_LEAST 0.001
enum { QUERIES = 1000000, LENGTH = 12, DOCS = 23 };

/* What a million lists add up to. */
struct tally {
    int64_t owned[LENGTH][INTERLEAVE_RANKINGS_MAX], top[INTERLEAVE_RANKINGS_MAX], docs[INTERLEAVE_RANKINGS_MAX];
    double credit[LENGTH], credit_squared[LENGTH]; /* of the first ranking less the second, by position */
};

static struct interleave_rankings rankings_of(int32_t docs[][DOCS], size_t count, size_t length)
{
    struct interleave_rankings r = { .count = count, .docs_count = DOCS };
    for (size_t t = 0; t < count; t++) {
        r.docs[t] = docs[t];
        r.lengths[t] = length;
        for (size_t i = 0; i < length; i++) /* all hold the same documents, at other ranks */
            docs[t][i] = (int32_t)((i * (2 * t + 1) + 3 * t) % DOCS);
    }
    return r;
}

static void add(struct tally *t, const struct interleave_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        int owner = (int)l->owners[i];
        double d = owner == INTERLEAVE_NEUTRAL ? 0 : owner ? -l->credit[i] : l->credit[i];
        t->credit[i] += d;
        t->credit_squared[i] += d * d;
        if (owner == INTERLEAVE_NEUTRAL)
            continue;
        t->owned[i][owner]++;
        t->docs[owner]++;
    }
    if (l->owners[0] != INTERLEAVE_NEUTRAL)
        t->top[l->owners[0]]++;
}

static void run(enum interleave_method method, const struct interleave_rankings *r, size_t length, struct tally *t)
{
    int32_t docs[LENGTH];
    int8_t owners[LENGTH];
    double credit[LENGTH];
    struct interleave_list l = { 0, docs, owners, credit };
    *t = (struct tally){ 0 };
    for (unsigned q = 0; q < QUERIES; q++) {
        char id[32];
        int n = snprintf(id, sizeof id, "query-%u", q);
        struct coins_stream s;
        coins_start(&s, STR("fair"), (struct str){ id, (size_t)n });
        interleave_merge(method, r, length, &(struct interleave_coins){ coins_toss, &s }, &l);
        add(t, &l);
    }
}

static void expect_even(const char *what, const int64_t *counts, size_t teams)
{
    double weights[INTERLEAVE_RANKINGS_MAX];
    struct srm s;
    struct err err;
    for (size_t t = 0; t < teams; t++)
        weights[t] = 1;
    cr_assert(srm_test(counts, weights, teams, NULL, &s, &err), "%s", err.text);
    (void)fprintf(stderr, "%-28s", what);
    for (size_t t = 0; t < teams; t++)
        (void)fprintf(stderr, " %lld", (long long)counts[t]);
    (void)fprintf(stderr, "  chi2 %.3f df %.0f p %.4f\n", s.chi2, s.df, s.p);
    cr_expect(s.p > P_LEAST, "%s: p %g", what, s.p);
}

static void draft(enum interleave_method method, size_t teams)
{
    static int32_t docs[INTERLEAVE_RANKINGS_MAX][DOCS];
    struct interleave_rankings r = rankings_of(docs, teams, DOCS);
    struct tally t;
    run(method, &r, LENGTH, &t);
    for (size_t i = 0; i < LENGTH; i++) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s of %zu, position %zu", interleave_method_names[method], teams, i + 1);
        expect_even(what, t.owned[i], teams);
    }
    for (size_t a = 1; a < teams; a++) /* whole rounds: as many documents each, not only nearly */
        cr_expect(eq(i64, t.docs[a], t.docs[0]));
}

Test(fair, team_draft)
{
    draft(INTERLEAVE_TEAM_DRAFT, 2);
}

Test(fair, multileave_of_three)
{
    draft(INTERLEAVE_MULTILEAVE, 3);
}

Test(fair, multileave_of_four)
{
    draft(INTERLEAVE_MULTILEAVE, 4);
}

Test(fair, balanced_starts_with_either)
{
    static int32_t docs[INTERLEAVE_RANKINGS_MAX][DOCS];
    struct interleave_rankings r = rankings_of(docs, 2, DOCS);
    struct tally t;
    run(INTERLEAVE_BALANCED, &r, LENGTH, &t);
    expect_even("balanced, position 1", t.top, 2);
}

/* The mean credit of a click on each position is 0: its z is normal, the sum of squares of all positions chi-square (positions depend on each
 * other, so Bonferroni's bound is taken instead: the largest |z|). */
Test(fair, optimized)
{
    static int32_t docs[INTERLEAVE_RANKINGS_MAX][DOCS];
    enum { POSITIONS = 6 };
    struct interleave_rankings r = rankings_of(docs, 2, POSITIONS);
    struct tally t;
    size_t tested = 0;
    run(INTERLEAVE_OPTIMIZED, &r, POSITIONS, &t);
    for (size_t i = 0; i < POSITIONS; i++) {
        double mean = t.credit[i] / QUERIES, variance = t.credit_squared[i] / QUERIES - mean * mean;
        double z = variance > 0 ? mean / sqrt(variance / QUERIES) : 0, p = 2 * exp(special_log_normal_q(fabs(z)));
        (void)fprintf(stderr, "optimized, position %zu: owned %lld %lld, mean credit %+.6f, z %+.3f, p %.4f\n", i + 1,
                      (long long)t.owned[i][0], (long long)t.owned[i][1], mean, z, p);
        tested += variance > 0;
        cr_expect(p * POSITIONS > P_LEAST && (variance > 0 || mean == 0), "position %zu: z %g", i + 1, z);
    }
    cr_expect(tested >= 2, "the rankings of this test leave nothing to decide");
}
