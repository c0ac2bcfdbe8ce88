#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/ratio.h"

enum { N = 300 };

/* The variance by its other form: the residuals x - R y of each unit, one more pass over the data. */
static struct estimate linearised(const double *x, const double *y)
{
    double sum_x = 0, sum_y = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        sum_x += x[i];
        sum_y += y[i];
    }
    double r = sum_x / sum_y, mean_y = sum_y / N;
    for (int i = 0; i < N; i++)
        squares += (x[i] - r * y[i]) * (x[i] - r * y[i]);
    return (struct estimate){ .value = r, .variance = squares / (N - 1) / N / (mean_y * mean_y), .df = N - 1 };
}

static struct moments2 draw_units(double *x, double *y, double scale_x, double scale_y)
{
    struct draw d = { 3 };
    struct moments2 m = { 0 };
    for (int i = 0; i < N; i++) {
        y[i] = draw_geometric(&d, 0.3) * scale_y; /* some are 0 and stay in */
        x[i] = (y[i] > 0 ? draw_geometric(&d, 0.6) : 0) * scale_x;
        moments2_add(&m, x[i], y[i]);
    }
    return m;
}

static struct estimate of(const struct moments2 *m)
{
    struct estimate e;
    struct err err;
    cr_assert(ratio_estimate(m, &e, &err), "%s", err.text);
    return e;
}

Test(ratio, equals_the_linearised_form)
{
    double x[N], y[N];
    struct moments2 m = draw_units(x, y, 1, 1);
    struct estimate got = of(&m), expected = linearised(x, y);
    cr_assert(epsilon_eq(dbl, got.value, expected.value, 1e-13));
    cr_assert(epsilon_eq(dbl, got.variance, expected.variance, 1e-11 * expected.variance));
    cr_assert(eq(dbl, got.df, N - 1));
}

Test(ratio, scales_with_its_columns)
{
    double x[N], y[N];
    struct moments2 m = draw_units(x, y, 1, 1), scaled = draw_units(x, y, 0x1p400, 0x1p-80);
    struct estimate a = of(&m), b = of(&scaled);
    cr_assert(epsilon_eq(dbl, b.value / 0x1p480, a.value, 1e-14 * a.value));
    cr_assert(epsilon_eq(dbl, b.variance / 0x1p480 / 0x1p480, a.variance, 1e-12 * a.variance));
}

Test(ratio, a_constant_denominator_gives_the_mean)
{
    struct moments2 m = { 0 };
    struct draw d = { 4 };
    for (int i = 0; i < N; i++)
        moments2_add(&m, draw_normal(&d), 1);
    struct estimate e = of(&m);
    cr_assert(epsilon_eq(dbl, e.value, m.mean_x, 1e-15));
    cr_assert(epsilon_eq(dbl, e.variance, m.m2_x / (N - 1) / N, 1e-14 * e.variance));
}

Test(ratio, a_numerator_proportional_to_the_denominator_has_no_variance)
{
    struct moments2 m = { 0 };
    struct draw d = { 5 };
    for (int i = 0; i < N; i++) {
        double y = draw_exponential(&d);
        moments2_add(&m, 0.1 * y, y);
    }
    cr_assert(eq(dbl, of(&m).variance, 0));
}

Test(ratio, refusals_say_why)
{
    struct estimate e;
    struct err err;
    struct moments2 none = { 0 }, one = { .n = 1, .mean_y = 1 }, zero = { .n = 5, .mean_x = 1, .m2_x = 1 };
    struct moments2 impossible = { .n = 5, .mean_y = 1, .m2_x = 1, .m2_y = 1, .cxy = 2 },
                    nan = { .n = 5, .mean_x = NAN, .mean_y = 1 };
    cr_assert(not(ratio_estimate(&none, &e, &err)));
    cr_assert(not(ratio_estimate(&one, &e, &err)));
    cr_assert(eq(str, err.text, "the variant has 1 unit, at least 2 are needed"));
    cr_assert(not(ratio_estimate(&zero, &e, &err)));
    cr_assert(eq(str, err.text, "the metric's denominator is 0: nothing that it counts has happened"));
    cr_assert(not(ratio_estimate(&impossible, &e, &err)));
    cr_assert(eq(str, err.text, "the covariance is larger than the variances allow"));
    cr_assert(not(ratio_estimate(&nan, &e, &err)));
}
