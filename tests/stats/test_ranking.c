#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "stats/ranking/ranking.h"

enum { N = 12 };
static const struct ranking_rules rules = { 8, 4, 2, 0.7, RANKING_UNJUDGED_REFUSED };

static struct ranking of(const double *grades, size_t n, const struct ranking_rules *r)
{
    double judged[N];
    struct ranking out;
    struct err err;
    memcpy(judged, grades, n * sizeof *grades);
    cr_assert(ranking_score(grades, n, judged, n, r, &out, &err), "%s", err.text);
    return out;
}

static void draw_grades(struct draw *d, double *grades)
{
    for (int i = 0; i < N; i++)
        grades[i] = (double)(draw_u64(d) % 5);
}

/* The example of Wikipedia's page on discounted cumulative gain. */
Test(ranking, the_example_of_everybody)
{
    struct ranking r = of((const double[]){ 3, 2, 3, 0, 1, 2 }, 6, &(struct ranking_rules){ 6, 3, 1, 0.8, 0 });
    cr_assert(epsilon_eq(dbl, r.dcg_lin, 6.861, 5e-4));
    cr_assert(epsilon_eq(dbl, r.idcg_lin, 7.141, 5e-4));
    cr_assert(epsilon_eq(dbl, r.ndcg_lin, 0.961, 5e-4));
}

static void all_between_0_and_1(const struct ranking *r)
{
    const double values[] = { r->ndcg_exp, r->ndcg_lin, r->rr, r->err, r->precision, r->recall, r->ap, r->rbp };
    for (int i = 0; i < 8; i++) {
        cr_assert(ge(dbl, values[i], 0));
        cr_assert(le(dbl, values[i], 1 + 1e-15));
    }
}

/* Moving a better document above a worse one makes no metric worse; the best order has the best of each. */
Test(ranking, a_better_order_scores_no_less)
{
    struct draw d = { 41 };
    for (int round = 0; round < 500; round++) {
        double grades[N];
        draw_grades(&d, grades);
        struct ranking a = of(grades, N, &rules);
        all_between_0_and_1(&a);
        size_t i = draw_u64(&d) % (N - 1);
        if (grades[i] < grades[i + 1]) {
            double swap = grades[i];
            grades[i] = grades[i + 1];
            grades[i + 1] = swap;
        }
        struct ranking b = of(grades, N, &rules);
        cr_assert(ge(dbl, b.ndcg_exp, a.ndcg_exp - 1e-15));
        cr_assert(ge(dbl, b.ndcg_lin, a.ndcg_lin - 1e-15));
        cr_assert(ge(dbl, b.err, a.err - 1e-15));
        cr_assert(ge(dbl, b.ap, a.ap - 1e-15));
        cr_assert(ge(dbl, b.rr, a.rr));
        cr_assert(ge(dbl, b.rbp, a.rbp - 1e-15));
    }
    struct ranking best = of((const double[]){ 4, 4, 3, 3, 2, 0, 0, 0 }, 8, &rules);
    cr_assert(epsilon_eq(dbl, best.ndcg_exp, 1, 1e-15));
    cr_assert(epsilon_eq(dbl, best.ap, 1, 1e-15));
    cr_assert(eq(dbl, best.rr, 1));
}

/* What is below rank k does not count for the list, and does for the ideal. */
Test(ranking, the_cut_is_at_k)
{
    const double grades[] = { 0, 2, 0, 4 }, cut[] = { 0, 2 };
    double judged[] = { 0, 2, 0, 4 };
    struct ranking_rules two = { 2, 4, 2, 0.7, 0 };
    struct ranking a = of(grades, 4, &two), b;
    struct err err;
    cr_assert(ranking_score(cut, 2, judged, 4, &two, &b, &err));
    cr_assert(eq(dbl, a.ndcg_exp, b.ndcg_exp));
    cr_assert(eq(dbl, a.recall, 0.5));
    cr_assert(eq(dbl, a.ap, 0.25));
    cr_assert(eq(dbl, a.precision, 0.5));
    cr_assert(epsilon_eq(dbl, a.idcg_lin, 4 + 2 / log2(3), 1e-14));
    cr_assert(eq(dbl, judged[0], 4)); /* in descending order */
}

/* The probability that a reader is satisfied anywhere is 1 - ∏ (1 - R): with all weights 1 that is the sum; here, two ranks by hand. */
Test(ranking, err_by_hand)
{
    struct ranking r = of((const double[]){ 1, 4 }, 2, &rules);
    cr_assert(epsilon_eq(dbl, r.err, 1.0 / 16 + 0.5 * (15.0 / 16) * (15.0 / 16), 1e-15));
}

Test(ranking, nothing_relevant_is_0_and_not_undefined)
{
    const double none[] = { 0, 0, 0 };
    struct ranking a = of(none, 3, &rules), b = of(none, 0, &rules), zero = { 0 };
    cr_assert(eq(dbl, a.judged, 1));
    a.judged = 0;
    cr_assert(eq(int, memcmp(&a, &zero, sizeof zero), 0));
    cr_assert(eq(int, memcmp(&b, &zero, sizeof zero), 0));
}

Test(ranking, refusals_say_why)
{
    const double grades[] = { 1, 2 };
    double judged[] = { 1, 2 }, fewer[] = { 1 };
    struct ranking r;
    struct err err;
    cr_assert(not(ranking_score((const double[]){ 1, -1 }, 2, judged, 2, &rules, &r, &err)));
    cr_assert(eq(str, err.text, "grade 2 of the list is -1, not from 0 to max_grade 4"));
    cr_assert(not(ranking_score((const double[]){ NAN }, 1, judged, 2, &rules, &r, &err)));
    cr_assert(not(ranking_score(grades, 2, (double[]){ 5 }, 1, &rules, &r, &err)));
    cr_assert(eq(str, err.text, "grade 1 of the judged documents is 5, not from 0 to max_grade 4"));
    cr_assert(not(ranking_score(grades, 2, judged, 2, &(struct ranking_rules){ 0, 4, 1, 0.8, 0 }, &r, &err)));
    cr_assert(eq(str, err.text, "k is 0, a ranking has at least one rank"));
    cr_assert(not(ranking_score(grades, 2, judged, 2, &(struct ranking_rules){ 1, 4, 1, 1, 0 }, &r, &err)));
    cr_assert(eq(str, err.text, "rbp_p is 1, not between 0 and 1"));
    cr_assert(not(ranking_score(grades, 2, fewer, 1, &rules, &r, &err)));
    cr_assert(eq(str, err.text, "the list has more relevant documents than all that are judged"));
}
