/* What stops an experiment by itself: a guardrail that is worse at the level for repeated looks, or beyond its margin at that level. */
#include "experimentd/results/guardrail.h"

#include "made.h"

TestSuite(guardrail, .init = made_setup, .fini = made_teardown);

static const struct moments2 none;

static struct guardrail guarded(double margin, double rate_b)
{
    struct guardrail g;
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(20000, 2000), share(20000, 2000), none);
    (void)made_add(&r, &made_zero, "guardrail", rate(20000, 0.1), rate(20000, rate_b), none);
    experiment.metrics[1].margin = margin;
    guardrail_check(&g, &r, &arena);
    return g;
}

Test(guardrail, without_a_margin_worse_is_enough)
{
    cr_assert(eq(int, guarded(0, 0.1).state, GUARDRAIL_FINE));
    cr_assert(eq(int, guarded(0, 0.107).state, GUARDRAIL_FINE)); /* p = 0.02: once, but not at repeated looks */
    struct guardrail g = guarded(0, 0.12);
    cr_assert(eq(int, g.state, GUARDRAIL_WORSE));
    cr_assert(strstr(g.text.p, "below 0.001 (the level for repeated looks)") != NULL, "%s", g.text.p);
}

Test(guardrail, with_a_margin_it_must_be_worse_by_more)
{
    cr_assert(eq(int, guarded(0.3, 0.12).state, GUARDRAIL_FINE));
    cr_assert(eq(int, guarded(0.15, 0.12).state, GUARDRAIL_FINE)); /* by 20 %, but perhaps by 15 */
    struct guardrail g = guarded(0.05, 0.12);
    cr_assert(eq(int, g.state, GUARDRAIL_WORSE));
    cr_assert(strstr(g.text.p, "by more than its margin of 5 %") != NULL, "%s", g.text.p);
    cr_assert(eq(int, guarded(0.05, 0.08).state, GUARDRAIL_FINE));
}
