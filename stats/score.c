#include "stats/score.h"

#include <float.h>
#include <math.h>

enum { BISECTIONS_MAX = 2000, NEWTON_STEPS_MAX = 200 };
#define LOG_RATIO_MAX 700.0 /* e^700 is near the end of a double */

/* ---- difference ---------------------------------------------------------------------------------------------------------- */

/* Counts as doubles: successes x, failures y. */
struct table {
    double x_c, y_c, x_t, y_t, difference, factor, z;
};

static double over(double count, double p)
{
    return count > 0 ? count / p : 0;
}

/* p_c where x_c/p - y_c/(1-p) + x_t/(p+δ) - y_t/(1-p-δ) = 0: the left side falls, so Newton within a shrinking bracket. */
static double restricted_control(const struct table *t, double delta)
{
    double lo = fmax(0, -delta), hi = fmin(1, 1 - delta), p = (lo + hi) / 2;
    for (int i = 0; i < NEWTON_STEPS_MAX && hi > lo; i++) {
        double a = over(t->x_c, p), b = over(t->y_c, 1 - p), c = over(t->x_t, p + delta),
               d = over(t->y_t, 1 - p - delta);
        double slope = over(a, p) + over(b, 1 - p) + over(c, p + delta) + over(d, 1 - p - delta), value = a - b + c - d;
        if (value > 0)
            lo = p;
        else
            hi = p;
        double next = p + value / slope;
        if (!(next > lo && next < hi))
            next = (lo + hi) / 2;
        if (fabs(next - p) <= DBL_EPSILON * p)
            return next;
        p = next;
    }
    return p;
}

/* Variance of p_t - p_c where the true difference is delta. */
static double variance_at(const struct table *t, double delta)
{
    double p_c = restricted_control(t, delta), p_t = fmin(1, fmax(0, p_c + delta));
    return t->factor * (p_c * (1 - p_c) / (t->x_c + t->y_c) + p_t * (1 - p_t) / (t->x_t + t->y_t));
}

/* How far from the observed difference the interval reaches on one side (sign -1 or 1), up to `furthest`. */
static double reach(const struct table *t, double sign, double furthest)
{
    double inside = 0, outside = furthest;
    for (int i = 0; i < BISECTIONS_MAX; i++) {
        double w = inside + (outside - inside) / 2;
        if (w <= inside || w >= outside)
            break;
        if (w > t->z * sqrt(variance_at(t, t->difference + sign * w)))
            outside = w;
        else
            inside = w;
    }
    return outside;
}

static struct interval difference_interval(const struct proportions *c, double z, double factor)
{
    struct table t = { .x_c = (double)c->x_c,
                       .y_c = (double)(c->n_c - c->x_c),
                       .x_t = (double)c->x_t,
                       .y_t = (double)(c->n_t - c->x_t),
                       .difference = proportion_difference(c),
                       .factor = factor,
                       .z = z };
    double d = t.difference, sign = 1;
    if (t.x_c + t.x_t > t.y_c + t.y_t) { /* rates near 1 are failures near 0: 1 - p would lose digits */
        t = (struct table){ t.y_c, t.x_c, t.y_t, t.x_t, -d, factor, z };
        sign = -1;
    }
    double below = reach(&t, -sign, 1 + d), above = reach(&t, sign, 1 - d);
    return (struct interval){ .lo = d - below, .hi = d + above };
}

struct interval score_miettinen_nurminen(const struct proportions *c, double z)
{
    double n = (double)c->n_c + (double)c->n_t;
    return difference_interval(c, z, n / (n - 1));
}

struct interval score_mee(const struct proportions *c, double z)
{
    return difference_interval(c, z, 1);
}

/* ---- ratio --------------------------------------------------------------------------------------------------------------- */

/* The score statistic of p_t / p_c = e^u. The restricted estimate solves N R p² - B p + x = 0 (Gart and Nam), here with the
 * discriminant as a sum of positive terms and 1 - p formed from the failures: B = R (n_t + x_c) + n_c + x_t,
 * B² - 4 N R x = [(R - 1)(n_t + x_c) + y_t - y_c]² + 4 R y_t y_c. Falls in u. */
static double ratio_statistic(const struct proportions *c, double u)
{
    double x_c = (double)c->x_c, n_c = (double)c->n_c, x_t = (double)c->x_t, n_t = (double)c->n_t;
    double y_c = n_c - x_c, y_t = n_t - x_t, r = exp(u), more = expm1(u), b = r * (n_t + x_c) + n_c + x_t;
    double s = hypot(more * (n_t + x_c) + y_t - y_c, 2 * sqrt(r) * sqrt(y_t) * sqrt(y_c));
    double p_c = 2 * (x_c + x_t) / (b + s), p_t = r * p_c;
    double q_c = fmax(0, (s + more * (n_t + x_c) + y_t + y_c) / (b + s));
    double q_t = fmax(0, (s - more * (n_c + x_t) + r * (y_t + y_c)) / (b + s));
    double score = proportion_difference(c) - more * (x_c / n_c);
    return score / sqrt(p_t * q_t / n_t + r * p_c * (r * q_c) / n_c);
}

/* u with ratio_statistic(u) = target, searched on both sides of `start`. */
static double solve_ratio(const struct proportions *c, double start, double target)
{
    double lo = start, hi = start;
    for (double step = 1e-3; lo > -LOG_RATIO_MAX && ratio_statistic(c, lo) < target; step *= 2)
        lo -= step;
    for (double step = 1e-3; hi < LOG_RATIO_MAX && ratio_statistic(c, hi) > target; step *= 2)
        hi += step;
    for (int i = 0; i < BISECTIONS_MAX; i++) {
        double u = lo + (hi - lo) / 2;
        if (u <= lo || u >= hi)
            break;
        if (ratio_statistic(c, u) > target)
            lo = u;
        else
            hi = u;
    }
    return hi;
}

bool score_koopman(const struct proportions *c, double z, struct interval *out)
{
    if (c->x_c == 0 && c->x_t == 0)
        return false;
    double p_c = (double)c->x_c / (double)c->n_c, p_t = (double)c->x_t / (double)c->n_t;
    double start = c->x_c > 0 && c->x_t > 0 ? log1p(proportion_difference(c) / p_c) : 0;
    *out = (struct interval){ .lo = 0, .hi = INFINITY };
    if (p_t > 0)
        out->lo = exp(solve_ratio(c, start, z));
    if (p_c > 0)
        out->hi = exp(solve_ratio(c, start, -z));
    return true;
}
