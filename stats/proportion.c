#include "stats/proportion.h"

#include <math.h>

#include "stats/special/stirling.h"

static bool check_arm(const char *name, int64_t x, int64_t n, struct err *err)
{
    if (x < 0 || n < 0)
        return err_set(err, ERR_INVALID, "%s: a count is negative", name);
    if (n == 0)
        return err_set(err, ERR_INVALID, "%s: the variant has no units", name);
    if (n > PROPORTION_COUNT_MAX)
        return err_set(err, ERR_INVALID, "%s: more than 2^53 units", name);
    if (x > n)
        return err_set(err, ERR_INVALID, "%s: more successes than units", name);
    return true;
}

bool proportion_check(const struct proportions *c, struct err *err)
{
    return check_arm("control", c->x_c, c->n_c, err) && check_arm("treatment", c->x_t, c->n_t, err);
}

/* The ends are the roots of (1 + z²/n) P² - (2 p + z²/n) P + p² = 0; the lower one as product over the upper, which keeps its
 * digits where p is tiny. */
struct interval proportion_wilson(double p, double n, double z)
{
    double zz = z * z / n, a = 1 + zz, b = p + zz / 2;
    double hi = (b + sqrt(zz * (p * (1 - p) + zz / 4))) / a;
    return (struct interval){ .lo = p * p / (a * hi), .hi = p >= 1 ? 1 : fmin(1, hi) };
}

/* x_t n_c - x_c n_t, exactly; 106 bits at most */
static double cross(const struct proportions *c)
{
    return (double)((__int128)c->x_t * c->n_c - (__int128)c->x_c * c->n_t);
}

double proportion_difference(const struct proportions *c)
{
    return cross(c) / ((double)c->n_c * (double)c->n_t);
}

double proportion_se_pooled(const struct proportions *c)
{
    double n_c = (double)c->n_c, n_t = (double)c->n_t, n = n_c + n_t, x = (double)c->x_c + (double)c->x_t;
    return sqrt(x / n * ((n - x) / n) * (1 / n_c + 1 / n_t));
}

/* p (1 - p) / n */
static double variance(int64_t x, int64_t n)
{
    double count = (double)n;
    return (double)x / count * ((double)(n - x) / count) / count;
}

double proportion_se_unpooled(const struct proportions *c)
{
    return sqrt(variance(c->x_c, c->n_c) + variance(c->x_t, c->n_t));
}

struct interval proportion_newcombe(const struct proportions *c, double z)
{
    double p_c = (double)c->x_c / (double)c->n_c, p_t = (double)c->x_t / (double)c->n_t, d = proportion_difference(c);
    struct interval w_c = proportion_wilson(p_c, (double)c->n_c, z), w_t = proportion_wilson(p_t, (double)c->n_t, z);
    return (struct interval){ .lo = d - hypot(p_t - w_t.lo, w_c.hi - p_c),
                              .hi = d + hypot(w_t.hi - p_t, p_c - w_c.lo) };
}

struct interval proportion_agresti_caffo(const struct proportions *c, double z)
{
    struct proportions more = { c->x_c + 1, c->n_c + 2, c->x_t + 1, c->n_t + 2 };
    double d = proportion_difference(&more), half = z * proportion_se_unpooled(&more);
    return (struct interval){ .lo = d - half, .hi = d + half };
}

bool proportion_katz(const struct proportions *c, double z, struct interval *out)
{
    if (c->x_c == 0 || c->x_t == 0)
        return false;
    double x_c = (double)c->x_c, n_c = (double)c->n_c, x_t = (double)c->x_t, n_t = (double)c->n_t;
    double var = (n_c - x_c) / n_c / x_c + (n_t - x_t) / n_t / x_t; /* 1/x - 1/n of each arm */
    if (!(var > 0))
        return false;
    double ratio = x_t / n_t / (x_c / n_c), half = z * sqrt(var);
    *out = (struct interval){ .lo = ratio * exp(-half), .hi = ratio * exp(half) };
    return true;
}

/* Every cell differs from its expected count by the same amount, known exactly. */
double proportion_g(const struct proportions *c)
{
    double n_c = (double)c->n_c, n_t = (double)c->n_t, n = n_c + n_t, x = (double)c->x_c + (double)c->x_t;
    double y = n - x, diff = cross(c) / n, g = 0;
    const double cell[4][3] = {
        { (double)c->x_t, n_t * (x / n), diff },
        { (double)(c->n_t - c->x_t), n_t * (y / n), -diff },
        { (double)c->x_c, n_c * (x / n), -diff },
        { (double)(c->n_c - c->x_c), n_c * (y / n), diff },
    };
    for (int i = 0; i < 4; i++)
        if (cell[i][1] > 0)
            g += 2 * stirling_deviance(cell[i][0], cell[i][1], cell[i][2]);
    return g;
}
