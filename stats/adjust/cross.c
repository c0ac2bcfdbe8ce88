#include "stats/adjust/cross.h"

#include <math.h>

/* cov² may pass var var by rounding, not by more. */
#define COVARIANCE_SLACK 1e-9

struct cross cross_none(size_t vars)
{
    return (struct cross){ .vars = vars };
}

/* Knuth's sum without loss: into + rest gains v. */
static void add_to_mean(double *into, double *rest, double v)
{
    double sum = *into + v, kept = sum - v;
    *rest += (*into - kept) + (v - (sum - kept));
    *into = sum;
}

void cross_add(struct cross *c, const double *values)
{
    double before[CROSS_MAX];
    c->n++;
    for (size_t i = 0; i < c->vars; i++) {
        before[i] = values[i] - c->mean[i] - c->rest[i];
        add_to_mean(&c->mean[i], &c->rest[i], before[i] / (double)c->n);
        for (size_t j = 0; j <= i; j++) {
            c->m2[i][j] += before[i] * (values[j] - c->mean[j] - c->rest[j]);
            c->m2[j][i] = c->m2[i][j];
        }
    }
}

double cross_difference(const struct cross *a, const struct cross *b, size_t var)
{
    return (b->mean[var] - a->mean[var]) + (b->rest[var] - a->rest[var]);
}

void cross_merge(struct cross *into, const struct cross *other)
{
    if (other->n == 0)
        return;
    if (into->n == 0) {
        *into = *other;
        return;
    }
    double a = (double)into->n, b = (double)other->n, n = a + b, w = a * (b / n), d[CROSS_MAX];
    for (size_t i = 0; i < into->vars; i++) {
        d[i] = cross_difference(into, other, i);
        add_to_mean(&into->mean[i], &into->rest[i], d[i] * (b / n));
        for (size_t j = 0; j <= i; j++) {
            into->m2[i][j] += other->m2[i][j] + d[i] * d[j] * w;
            into->m2[j][i] = into->m2[i][j];
        }
    }
    into->n += other->n;
}

static bool check_pair(const struct cross *c, size_t i, size_t j, struct err *err)
{
    double m = c->m2[i][j];
    if (!isfinite(m))
        return err_set(err, ERR_INVALID, "the covariance of variables %zu and %zu is not a finite number", i, j);
    if (fabs(m) > sqrt(c->m2[i][i]) * sqrt(c->m2[j][j]) * (1 + COVARIANCE_SLACK))
        return err_set(err, ERR_INVALID, "the covariance of variables %zu and %zu is larger than their variances allow",
                       i, j);
    return true;
}

bool cross_check(const struct cross *c, struct err *err)
{
    if (c->n < 2)
        return err_set(err, ERR_INVALID, "the variant has %s, at least 2 are needed",
                       c->n == 1 ? "1 unit" : "no units");
    for (size_t i = 0; i < c->vars; i++) {
        if (!isfinite(c->mean[i]) || !isfinite(c->m2[i][i]))
            return err_set(err, ERR_INVALID, "the mean or the variance of variable %zu is not a finite number", i);
        if (c->m2[i][i] < 0)
            return err_set(err, ERR_INVALID, "the variance of variable %zu is negative", i);
        for (size_t j = 0; j < i; j++)
            if (!check_pair(c, i, j, err))
                return false;
    }
    return true;
}

bool cross_varies(const struct cross *c, size_t var)
{
    double noise = CROSS_NOISE * c->mean[var];
    return c->m2[var][var] > (double)c->n * noise * noise;
}

/* The linearised value is a linear combination of numerator and denominator: (1/ȳ, -R/ȳ) of variables 2 k and 2 k + 1. */
bool cross_ratio(const struct cross *in, struct cross *out, struct err *err)
{
    static const char *const names[] = { "denominator", "denominator before" };
    struct cross c = { .n = in->n, .vars = in->vars / 2 };
    double w[CROSS_MAX / 2][2];
    for (size_t k = 0; k < c.vars; k++) {
        double y = in->mean[2 * k + 1];
        if (y == 0)
            return err_set(err, ERR_INVALID, "the mean of the %s is 0", names[k > 0]);
        c.mean[k] = in->mean[2 * k] / y;
        w[k][0] = 1 / y;
        w[k][1] = -c.mean[k] / y;
    }
    for (size_t k = 0; k < c.vars; k++)
        for (size_t l = 0; l < c.vars; l++)
            for (size_t p = 0; p < 4; p++)
                c.m2[k][l] += w[k][p / 2] * w[l][p % 2] * in->m2[2 * k + p / 2][2 * l + p % 2];
    *out = c;
    return true;
}
