/* Interleaving without a preference: how often each test says that there is one. Units have tastes of their own and some ask far more than others,
 * so that their queries resemble each other: the tests over units keep their level, looked at once and at any time; the sign test does not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/interleave/preference.h"
#include "stats/sequential/confseq.h"

enum { RUNS = 4000, UNITS = 300, FIRST_LOOK = 100, EVERY = 20 };
#define ALPHA 0.05

struct seen {
    struct preference_counts counts;
    struct moments means;
    struct moments2 sums;
};

/* A unit's queries: by its taste A wins or B; a third are ties. Tastes are symmetric: nobody is preferred by all of them together. */
static void add_unit(struct draw *d, struct seen *s)
{
    double taste = 0.5 + 0.4 * (2 * draw_uniform(d) - 1), queries = 1 + draw_geometric(d, 0.15), score = 0;
    for (double q = 0; q < queries; q++) {
        if (draw_uniform(d) < 1.0 / 3) {
            s->counts.ties++;
            continue;
        }
        bool a = draw_uniform(d) < taste;
        s->counts.wins_a += a;
        s->counts.wins_b += !a;
        score += a ? 1 : -1;
    }
    moments_add(&s->means, score / queries);
    moments2_add(&s->sums, score, queries);
}

static bool always_valid(const struct seen *s, double rho)
{
    struct preference_users u;
    struct confseq c;
    struct err err;
    cr_assert(preference_moments(&s->means, &s->sums, &u, &err), "%s", err.text);
    cr_assert(confseq_asymptotic(u.mean, u.se, (double)s->means.n, rho, ALPHA, CONFSEQ_TWO, &c, &err), "%s", err.text);
    return c.log_p < log(ALPHA);
}

Test(preference_sim, over_units_the_level_holds_and_over_queries_it_does_not)
{
    struct draw d = { 17 };
    int by_units = 0, by_queries = 0, clustered = 0, by_sign = 0, ever = 0;
    double rho;
    cr_assert(confseq_rho_exact(UNITS, ALPHA, CONFSEQ_TWO, &rho, NULL));
    for (int run = 0; run < RUNS; run++) {
        struct seen s = { 0 };
        struct preference_users u;
        struct preference p;
        struct err err;
        bool rejected = false;
        for (int i = 1; i <= UNITS; i++) {
            add_unit(&d, &s);
            rejected = rejected || (i >= FIRST_LOOK && i % EVERY == 0 && always_valid(&s, rho));
        }
        cr_assert(preference_moments(&s.means, &s.sums, &u, &err), "%s", err.text);
        cr_assert(preference_test(&s.counts, ALPHA, &p, &err), "%s", err.text);
        by_units += u.log_p < log(ALPHA);
        clustered += fabs(u.query_mean) > 1.96 * u.query_se;
        by_sign += p.log_p < log(ALPHA);
        by_queries += p.delta_ci.lo > 0 || p.delta_ci.hi < 0;
        ever += rejected;
    }
    nominal(by_units, RUNS, ALPHA, 0, "t over units");
    nominal(clustered, RUNS, ALPHA, 0.01, "mean over queries, clustered by unit");
    nominal_at_most(ever, RUNS, ALPHA, "confidence sequence over units, looked at 11 times");
    cr_log_info("sign test: %.3f, delta over queries: %.3f", (double)by_sign / RUNS, (double)by_queries / RUNS);
    cr_assert(gt(int, by_sign, 2 * (int)(ALPHA * RUNS)), "the sign test is too sure: %d of %d", by_sign, RUNS);
    cr_assert(gt(int, by_queries, 2 * (int)(ALPHA * RUNS)), "so is delta's own interval: %d of %d", by_queries, RUNS);
}
