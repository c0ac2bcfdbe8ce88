#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/sequential/mixture.h"

#define ALPHA 0.05

static struct interval share(int64_t x, int64_t n, double t_opt)
{
    struct interval ci;
    struct err err;
    cr_assert(mixture_bernoulli(x, n, ALPHA, t_opt, ALPHA, &ci, &err), "%s", err.text);
    return ci;
}

/* The chance that the interval of any of the first trials leaves the truth out, exactly: the walk of successes, less what has crossed. */
static double ever_wrong(double p, int trials)
{
    double at[256] = { 1 }, wrong = 0;
    for (int n = 1; n <= trials; n++)
        for (int x = n; x >= 0; x--) {
            at[x] = at[x] * (1 - p) + (x ? at[x - 1] * p : 0);
            struct interval ci = share(x, n, 50);
            if (p < ci.lo || p > ci.hi) {
                wrong += at[x];
                at[x] = 0;
            }
        }
    return wrong;
}

Test(mixture, the_interval_of_a_share_is_right_at_all_times_together)
{
    for (int i = 0; i < 4; i++) {
        double wrong = ever_wrong((const double[]){ 0.01, 0.1, 0.5, 0.97 }[i], 120);
        cr_assert(lt(dbl, wrong, ALPHA));
    }
    cr_assert(gt(dbl, ever_wrong(0.5, 120), 0.002)); /* and does not just say everything */
}

Test(mixture, the_interval_of_a_share_is_that_of_its_authors)
{
    struct interval a = share(700, 1000, 100), b = share(1, 2, 50), c = share(0, 40, 50), d = share(40, 40, 50);
    cr_assert(epsilon_eq(dbl, a.lo, 0.651629, 1e-6)); /* the library confseq's own test */
    cr_assert(epsilon_eq(dbl, a.hi, 0.745949, 1e-6));
    cr_assert(eq(dbl, b.lo, 0));
    cr_assert(eq(dbl, b.hi, 1));
    cr_assert(eq(dbl, c.lo, 0));
    cr_assert(gt(dbl, c.hi, 0.05));
    cr_assert(lt(dbl, c.hi, 0.4));
    cr_assert(eq(dbl, d.hi, 1));
    cr_assert(epsilon_eq(dbl, d.lo, 1 - c.hi, 1e-12));
}

Test(mixture, a_share_of_a_trillion_trials_has_an_interval)
{
    struct interval a = share(300000000000, 1000000000000, 1e12);
    cr_assert(lt(dbl, a.lo, 0.3));
    cr_assert(gt(dbl, a.hi, 0.3));
    cr_assert(
        epsilon_eq(dbl, a.hi - a.lo, 2 * sqrt(0.21e-12) * 3, 1e-6)); /* three standard errors to each side, about */
    cr_assert(lt(dbl, a.hi - a.lo, 5e-6));
}

/* A sum far in the wrong direction: ln √(ρ/(v + ρ)) + ln 2 + ln of Mills' ratio, and nothing cancels. */
Test(mixture, a_sum_far_below_is_no_evidence)
{
    const struct mixture_normal m = { 3, true };
    for (double z = 29; z < 32; z += 0.5) {
        double mills = 1 / z - 1 / pow(z, 3) + 3 / pow(z, 5) - 15 / pow(z, 7) + 105 / pow(z, 9);
        double expected = log(sqrt(0.75) * 2 / sqrt(2 * M_PI) * mills);
        cr_assert(epsilon_eq(dbl, mixture_normal_log(&m, -z * 2, 1), expected, 1e-11)); /* √(v + ρ) is 2 */
    }
    cr_assert(epsilon_eq(dbl, mixture_normal_log(&m, -1e300, 1), -300 * M_LN10, 3));
}

/* What a fair game of n steps makes of the likelihood ratio is 1 on average. */
Test(mixture, the_beta_mixture_averages_to_one)
{
    const double g = 0.2, h = 0.7;
    struct err err;
    for (int one_sided = 0; one_sided < 2; one_sided++) {
        struct mixture_beta m;
        double mean = 0, up = g / (g + h), n = 50;
        cr_assert(mixture_beta(5, ALPHA, g, h, one_sided, &m, &err));
        for (double k = 0; k <= n; k++) {
            double log_p = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(up) + (n - k) * log1p(-up);
            mean += exp(log_p + mixture_beta_log(&m, k * h - (n - k) * g, n * g * h));
        }
        cr_assert(epsilon_eq(dbl, mean, 1, 1e-10));
    }
}

Test(mixture, bounds_are_where_the_mixture_reaches_its_threshold)
{
    struct err err;
    struct mixture_beta b;
    cr_assert(mixture_beta(100, ALPHA, 0.2, 0.8, false, &b, &err));
    cr_assert(epsilon_eq(dbl, mixture_beta_log(&b, mixture_beta_bound(&b, 100, ALPHA), 100), -log(ALPHA), 1e-9));
    for (int one_sided = 0; one_sided < 2; one_sided++) {
        struct mixture_normal m = mixture_normal(100, ALPHA, one_sided);
        double bound = mixture_normal_bound(&m, 40, ALPHA);
        cr_assert(epsilon_eq(dbl, mixture_normal_log(&m, bound, 40), -log(ALPHA), 1e-9));
    }
    cr_assert(eq(dbl, mixture_beta_bound(&b, 0.1, ALPHA), 0.1 / 0.2)); /* no sum of so short a time is large enough */
}

Test(mixture, stitching_is_that_of_its_authors)
{
    struct err err;
    double bound;
    cr_assert(mixture_stitched(&(struct mixture_stitch){ 10, 3, 1.4, 2 }, 100, ALPHA, &bound, &err));
    cr_assert(epsilon_eq(dbl, bound, 64.48755, 1e-5));
}

Test(mixture, the_anytime_t_rejects_at_its_radius)
{
    struct err err;
    struct mixture_t m, edge;
    cr_assert(mixture_t(2.5, 98, 100, 1, ALPHA, &m, &err));
    cr_assert(mixture_t(m.radius, 98, 100, 1, ALPHA, &edge, &err));
    cr_assert(epsilon_eq(dbl, edge.log_p, log(ALPHA), 1e-12));
    cr_assert(mixture_t(1e200, 5, 100, 1, ALPHA, &m, &err)); /* all evidence that 5 degrees of freedom can give */
    cr_assert(epsilon_eq(dbl, m.log_e, 2.5 * log(101), 1e-12));
}

Test(mixture, refusals_say_why)
{
    struct err err;
    struct interval ci;
    struct mixture_t t;
    struct mixture_beta b;
    double bound;
    cr_assert(not(mixture_bernoulli(11, 10, 0.05, 50, 0.05, &ci, &err)));
    cr_assert(eq(str, err.text, "11 successes of 10 trials are no counts"));
    cr_assert(not(mixture_check(-1, 0.05, 1, 0.05, false, &err)));
    cr_assert(eq(str, err.text, "v is -1, not a number above 0"));
    cr_assert(not(mixture_check(1, 0.05, 1, 0.5, true, &err)));
    cr_assert(eq(str, err.text, "alpha_opt 0.5 is not between 0 and 1/2"));
    cr_assert(not(mixture_beta(1, 0.05, 0, 1, false, &b, &err)));
    cr_assert(not(mixture_stitched(&(struct mixture_stitch){ 1, 1, 1, 2 }, 1, 0.05, &bound, &err)));
    cr_assert(not(mixture_t(1, 0, 10, 1, 0.05, &t, &err)));
    cr_assert(eq(str, err.text, "the degrees of freedom are 0, not a number above 0"));
}
