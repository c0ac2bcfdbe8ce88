#include "stats/lift.h"

#include <math.h>

/* a θ² - 2 b θ + c <= 0, with disc = b² - a c known without cancellation. */
struct quadratic {
    double a, b, c, disc;
};

static double square_minus(double v, double w)
{
    return (v - w) * (v + w);
}

/* Both estimates and their covariance divided by a power of two near the largest of them: squares of 1e150 would overflow. */
static void scale_down(struct estimate *c, struct estimate *t, double *cov)
{
    double largest = fmax(fmax(fabs(c->value), fabs(t->value)), fmax(sqrt(c->variance), sqrt(t->variance)));
    int exponent;
    (void)frexp(largest, &exponent);
    c->value = ldexp(c->value, -exponent);
    t->value = ldexp(t->value, -exponent);
    c->variance = ldexp(c->variance, -2 * exponent);
    t->variance = ldexp(t->variance, -2 * exponent);
    *cov = ldexp(*cov, -2 * exponent);
}

/* disc is the same for t/c and for (t - c)/c: q² [c² V_t + t² V_c - 2 t c C - q² (V_c V_t - C²)]. */
static double discriminant(const struct estimate *c, const struct estimate *t, double cov, double q)
{
    double first = c->value * c->value * t->variance + t->value * t->value * c->variance -
                   2 * t->value * c->value * cov;
    return q * q * (first - q * q * (c->variance * t->variance - cov * cov));
}

static struct lift_set solve(const struct quadratic *e)
{
    if ((e->a < 0 && e->disc <= 0) || (e->a == 0 && e->b == 0))
        return (struct lift_set){ LIFT_WHOLE_LINE, -INFINITY, INFINITY };
    /* the pair of roots that never subtracts: s / a and c / s */
    double s = e->b + copysign(sqrt(fmax(0, e->disc)), e->b);
    double first = s / e->a, second = s == 0 ? 0 : e->c / s;
    return (struct lift_set){ e->a < 0 ? LIFT_EXCLUSIVE : LIFT_BOUNDED, fmin(first, second), fmax(first, second) };
}

struct lift_set lift_fieller_ratio(const struct estimate *control, const struct estimate *treatment, double cov,
                                   double critical)
{
    struct estimate c = *control, t = *treatment;
    double q = critical;
    scale_down(&c, &t, &cov);
    struct quadratic e = {
        .a = square_minus(c.value, q * sqrt(c.variance)),
        .b = t.value * c.value - q * q * cov,
        .c = square_minus(t.value, q * sqrt(t.variance)),
        .disc = discriminant(&c, &t, cov, q),
    };
    return solve(&e);
}

struct lift_set lift_fieller(const struct estimate *control, const struct estimate *treatment, double cov,
                             double critical)
{
    struct estimate c = *control, t = *treatment;
    if (c.value == 0)
        return (struct lift_set){ .kind = LIFT_NONE };
    double q = critical, sign = c.value < 0 ? -1 : 1;
    scale_down(&c, &t, &cov);
    double difference = t.value - c.value, variance = fmax(0, c.variance + t.variance - 2 * cov);
    struct quadratic e = {
        .a = square_minus(c.value, q * sqrt(c.variance)),
        .b = difference * c.value - q * q * (cov - c.variance),
        .c = square_minus(difference, q * sqrt(variance)),
        .disc = discriminant(&c, &t, cov, q),
    };
    struct lift_set set = solve(&e);
    if (sign < 0) /* solved for (t - c) / c */
        set = (struct lift_set){ set.kind, -set.hi, -set.lo };
    return set;
}

double lift_delta_se(const struct estimate *c, const struct estimate *t, double cov)
{
    double r = t->value / c->value;
    return sqrt(fmax(0, t->variance + r * r * c->variance - 2 * r * cov)) / fabs(c->value);
}

double lift_log_se(const struct estimate *c, const struct estimate *t, double cov)
{
    double rt = t->variance / t->value / t->value, rc = c->variance / c->value / c->value;
    return sqrt(fmax(0, rt + rc - 2 * (cov / t->value / c->value)));
}
