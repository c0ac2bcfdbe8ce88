#include "stats/best.h"

#include <math.h>
#include <stdlib.h>

#include "stats/special/ibeta.h"
#include "stats/special/special.h"
#include "stats/special/stirling.h"

enum { NODES = 10, PANELS = 9, EDGES_MAX = BEST_ARMS_MAX * 2 * (2 * PANELS + 1), GOLDEN_STEPS = 80 };
/* Where an integrand has fallen to e^-DROP of its peak, nothing that a double would show is left of it. */
#define DROP 45.0
/* No integrand rises above its peak, but the logarithm of one near e^-1e19 is known to 1000 only. */
#define NOISE 1.0
/* A loss's integrand may be flat for long, and its peak be found a little beside. */
#define FLAT 600.0
/* Beyond these logits a beta tail is the power of x that it begins with. */
#define LOGIT_FAR 600.0
#define GOLDEN 0.61803398874989485
/* How far the probabilities may miss a sum of 1 before something is wrong with the arms, or here. */
#define SUM_TOLERANCE 1e-6

/* The positive half of the 20-point Gauss-Legendre rule: node, weight. */
static const double rule[NODES][2] = {
    { 0.076526521133497333, 0.152753387130725850 }, { 0.227785851141645078, 0.149172986472603746 },
    { 0.373706088715419560, 0.142096109318382051 }, { 0.510867001950827098, 0.131688638449176626 },
    { 0.636053680726515025, 0.118194531961518417 }, { 0.746331906460150792, 0.101930119817240435 },
    { 0.839116971822218823, 0.083276741576704748 }, { 0.912234428251325905, 0.062672048334109063 },
    { 0.963971927277913791, 0.040601429800386941 }, { 0.993128599185094924, 0.017614007139152118 },
};

/* One arm on the scale of the quadrature: a normal arm moved and scaled, a beta arm as the logit of its variable. */
struct curve {
    enum best_family family;
    double a, b, center, scale;
};

/* All logarithms: density, P(X <= x), P(X > x). */
struct heights {
    double f[BEST_ARMS_MAX], below[BEST_ARMS_MAX], above[BEST_ARMS_MAX];
};

struct field {
    size_t n;
    struct curve curves[BEST_ARMS_MAX];
    double unit;                 /* of the scale, in the arms' own units */
    double level[BEST_ARMS_MAX]; /* ln of the peak of arm i's integrand: sums are taken relative to it */
    double sum[BEST_ARMS_MAX], second[BEST_ARMS_MAX];
    double edges[EDGES_MAX];
    size_t edges_count;
};

/* ---- one arm ---- */

static double beta_density(double a, double b, double logit)
{
    if (fabs(logit) > LOGIT_FAR)
        return (logit < 0 ? a * logit : -b * logit) - special_log_beta(a, b);
    return ibeta_log_front(a, b, 1 / (1 + exp(-logit)), 1 / (1 + exp(logit)));
}

static double beta_below(double a, double b, double logit)
{
    if (logit < -LOGIT_FAR)
        return a * logit - log(a) - special_log_beta(a, b);
    if (logit > LOGIT_FAR)
        return ibeta_log1mexp(-b * logit - log(b) - special_log_beta(a, b));
    return ibeta_log(a, b, 1 / (1 + exp(-logit)), 1 / (1 + exp(logit)));
}

static double log_density(const struct curve *c, double x)
{
    if (c->family == BEST_BETA)
        return beta_density(c->a, c->b, x);
    double z = (x - c->center) / c->scale;
    return -z * z / 2 - log(c->scale) - STIRLING_LN_SQRT_2PI;
}

static double log_below(const struct curve *c, double x)
{
    if (c->family == BEST_BETA)
        return beta_below(c->a, c->b, x);
    return special_log_normal_q((c->center - x) / c->scale);
}

/* A small rest of a beta arm is found directly, at the cost of another tail, when it is all that counts: `below` may be 0. */
static double log_above(const struct curve *c, double x, double below, bool all_that_counts)
{
    if (c->family == BEST_NORMAL)
        return special_log_normal_q((x - c->center) / c->scale);
    return below < -M_LN2 || !all_that_counts ? ibeta_log1mexp(below) : beta_below(c->b, c->a, -x);
}

/* ln dx of an arm's own units to one of the scale's. */
static double log_jacobian(const struct field *f, double x)
{
    return f->curves[0].family == BEST_BETA ? -fabs(x) - 2 * log1p(exp(-fabs(x))) : log(f->unit);
}

static double log_add(double a, double b)
{
    double larger = fmax(a, b);
    return isinf(larger) ? larger : larger + log1p(exp(fmin(a, b) - larger));
}

/* ln F_i (1 - ∏_{j≠i} F_j) dx: some other arm is above x, this one is not. Terms of one sign: the first others below, the next above. */
static double log_loss_at(const struct field *f, size_t i, const struct heights *h, double x)
{
    double others_above = -INFINITY, others_below = 0;
    for (size_t j = 0; j < f->n; j++) {
        if (j == i)
            continue;
        others_above = log_add(others_above, others_below + h->above[j]);
        others_below += h->below[j];
    }
    return h->below[i] + others_above + log_jacobian(f, x);
}

static void measure(const struct field *f, double x, bool losing, struct heights *out)
{
    for (size_t i = 0; i < f->n; i++) {
        out->f[i] = log_density(&f->curves[i], x);
        out->below[i] = log_below(&f->curves[i], x);
        out->above[i] = log_above(&f->curves[i], x, out->below[i], losing);
    }
}

/* ln of an integrand of arm i: f_i; f_i ∏_{j≠i} F_j; F_i (1 - ∏_{j≠i} F_j). */
enum integrand { BULK, WINNING, LOSING };

static double height(const struct field *f, size_t i, enum integrand what, double x)
{
    struct heights at;
    if (what == LOSING) {
        measure(f, x, true, &at);
        return log_loss_at(f, i, &at, x);
    }
    double h = log_density(&f->curves[i], x);
    for (size_t j = 0; what == WINNING && j < f->n; j++)
        h += j == i ? 0 : log_below(&f->curves[j], x);
    return h;
}

/* A distance from the peak `at`, right up to a factor of 2, at which the height has fallen by DROP. sign: to which side. */
static double reach(const struct field *f, size_t i, enum integrand what, double at, double sign)
{
    double level = height(f, i, what, at) - DROP, d = f->curves[i].scale;
    while (height(f, i, what, at + sign * d) > level)
        d *= 2;
    while (at + sign * d / 2 != at && height(f, i, what, at + sign * d / 2) < level)
        d /= 2;
    return d;
}

/* Panels widen with the third power from the peak: a beta of a small shape bends within 1 of its peak and then goes on, straight, for
 * thousands. */
static void add_edges(struct field *f, size_t i, enum integrand what, double peak)
{
    double left = reach(f, i, what, peak, -1), right = reach(f, i, what, peak, 1);
    for (int k = -PANELS; k <= PANELS; k++) {
        double share = (double)k / PANELS;
        f->edges[f->edges_count++] = peak + share * share * share * (k < 0 ? left : right);
    }
}

/* Golden section. */
static double find_peak(const struct field *f, size_t i, enum integrand what, double lo, double hi)
{
    double x1 = hi - GOLDEN * (hi - lo), x2 = lo + GOLDEN * (hi - lo);
    double h1 = height(f, i, what, x1), h2 = height(f, i, what, x2);
    for (int step = 0; step < GOLDEN_STEPS; step++) {
        if (h1 < h2) {
            lo = x1;
            x1 = x2;
            h1 = h2;
            x2 = lo + GOLDEN * (hi - lo);
            h2 = height(f, i, what, x2);
        } else {
            hi = x2;
            x2 = x1;
            h2 = h1;
            x1 = hi - GOLDEN * (hi - lo);
            h1 = height(f, i, what, x1);
        }
    }
    return (lo + hi) / 2;
}

/* ---- the quadrature ---- */

/* Where an arm is certain to be above x, ln F of it may be -1e12, and nothing may be subtracted from a sum that holds it: that arm, the
 * `least`, stands apart. */
static double log_others_below(const struct heights *h, size_t n, size_t *out_least)
{
    size_t least = 0;
    double sum = 0;
    for (size_t k = 1; k < n; k++)
        least = h->below[k] < h->below[least] ? k : least;
    for (size_t k = 0; k < n; k++)
        sum += k == least ? 0 : h->below[k];
    *out_least = least;
    return sum;
}

/* Σ_{k≠i} (1 - F_k)/F_k, times the rest. */
static void add_second(struct field *f, const struct heights *h, size_t least, double others_below, double weight)
{
    double odds[BEST_ARMS_MAX], all = 0;
    for (size_t k = 0; k < f->n; k++) {
        odds[k] = k == least ? 0 : exp(h->above[k] - h->below[k]);
        all += odds[k];
    }
    for (size_t i = 0; i < f->n; i++) {
        double g = h->f[i] + others_below - (i == least ? 0 : h->below[i]);
        double by_least = i == least ? 0 : exp(g + h->above[least]);
        double by_others = exp(g + (i == least ? 0 : h->below[least])) * fmax(0, all - odds[i]);
        f->second[i] += weight * (by_least + (isfinite(by_others) ? by_others : 0));
    }
}

static void add_node(struct field *f, double x, double weight)
{
    struct heights h;
    size_t least;
    measure(f, x, false, &h);
    double others_below = log_others_below(&h, f->n, &least);
    for (size_t i = 0; i < f->n; i++) {
        double g = h.f[i] + others_below + (i == least ? 0 : h.below[least] - h.below[i]);
        f->sum[i] += weight * exp(fmin(g - f->level[i], NOISE));
    }
    add_second(f, &h, least, others_below, weight);
}

static void add_loss_node(struct field *f, double x, double weight)
{
    struct heights h;
    measure(f, x, true, &h);
    for (size_t i = 0; i < f->n; i++)
        f->sum[i] += weight * exp(fmin(log_loss_at(f, i, &h, x) - f->level[i], FLAT));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void integrate(struct field *f, void (*add)(struct field *f, double x, double weight))
{
    qsort(f->edges, f->edges_count, sizeof *f->edges, by_value);
    for (size_t e = 1; e < f->edges_count; e++) {
        double half = (f->edges[e] - f->edges[e - 1]) / 2, middle = f->edges[e - 1] + half;
        for (size_t k = 0; half > 0 && k < NODES; k++) {
            add(f, middle - half * rule[k][0], half * rule[k][1]);
            add(f, middle + half * rule[k][0], half * rule[k][1]);
        }
    }
}

/* Where arm i is best lies between its own center and the end of the last bulk; where it loses, anywhere in the bulks. */
static void lay_out(struct field *f, enum integrand what)
{
    double start = INFINITY, end = -INFINITY;
    for (size_t i = 0; i < f->n; i++) {
        size_t first = f->edges_count;
        add_edges(f, i, BULK, f->curves[i].center);
        start = fmin(start, f->edges[first]);
        end = fmax(end, f->edges[f->edges_count - 1]);
    }
    for (size_t i = 0; i < f->n; i++) {
        double from = what == LOSING ? start : f->curves[i].center, peak = find_peak(f, i, what, from, fmax(from, end));
        f->level[i] = height(f, i, what, peak);
        add_edges(f, i, what, peak);
    }
}

/* ---- arms in, probabilities out ---- */

static bool check_arms(enum best_family family, const struct best_arm *arms, size_t n, struct err *err)
{
    if (n < 2 || n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu arms, must be 2 to %d", n, BEST_ARMS_MAX);
    for (size_t i = 0; i < n; i++) {
        double a = arms[i].a, b = arms[i].b;
        if (!isfinite(a) || !isfinite(b))
            return err_set(err, ERR_INVALID, "arm %zu: a parameter is not a finite number", i + 1);
        if (family == BEST_NORMAL && !(b > 0))
            return err_set(err, ERR_INVALID, "arm %zu: standard deviation %g is not positive", i + 1, b);
        if (family == BEST_BETA && !(fmin(a, b) >= BEST_SHAPE_MIN && fmax(a, b) <= BEST_SHAPE_MAX))
            return err_set(err, ERR_INVALID, "arm %zu: shapes %g and %g, must be %g to %g", i + 1, a, b, BEST_SHAPE_MIN,
                           BEST_SHAPE_MAX);
    }
    return true;
}

static bool check_cost(const struct best_arm *arms, size_t n, struct err *err)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fmin(arms[i].a, arms[i].b));
    return (double)(n * n) * sqrt(largest) <= BEST_COST_MAX ||
           err_set(err, ERR_INVALID, "%zu arms of shapes up to %g would take too long: give them as normal arms", n,
                   largest);
}

/* From the largest mean, in units of the largest standard deviation: differences are formed before they lose digits. */
static bool place_normal(struct field *f, const struct best_arm *arms, size_t n, struct err *err)
{
    double top = -INFINITY, unit = 0;
    for (size_t i = 0; i < n; i++) {
        top = fmax(top, arms[i].a);
        unit = fmax(unit, arms[i].b);
    }
    f->unit = unit;
    for (size_t i = 0; i < n; i++) {
        double center = (arms[i].a - top) / unit, scale = arms[i].b / unit;
        if (!(-center <= BEST_APART_MAX))
            return err_set(err, ERR_INVALID, "arm %zu is %g standard deviations from the best, more than %g", i + 1,
                           -center, BEST_APART_MAX);
        if (!(scale * BEST_UNEQUAL_MAX >= fmax(1, -center)))
            return err_set(err, ERR_INVALID, "arm %zu: standard deviation %g is too small beside %g", i + 1, arms[i].b,
                           unit);
        f->curves[i] = (struct curve){ BEST_NORMAL, 0, 0, center, scale };
    }
    return true;
}

/* The variance of a logit is ψ'(a) + ψ'(b), about 1/a + 1/b; a density that is highest at ln(a/b). */
static void place_beta(struct field *f, const struct best_arm *arms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double a = arms[i].a, b = arms[i].b;
        f->curves[i] = (struct curve){ BEST_BETA, a, b, log(a / b), sqrt(1 / a + 1 / b) };
    }
}

/* The likeliest arm gets what the others leave, which keeps the digits of a probability near 1. */
static bool conclude(const struct field *f, struct best *out, struct err *err)
{
    size_t likeliest = 0;
    double others = 0, all = 0, all_second = 0;
    struct best b = { .n = f->n };
    for (size_t i = 0; i < f->n; i++) {
        b.log_p[i] = f->level[i] + (f->sum[i] > 0 ? log(f->sum[i]) : 0);
        b.p[i] = exp(b.log_p[i]);
        all_second += f->second[i];
        all += b.p[i];
        likeliest = b.p[i] > b.p[likeliest] ? i : likeliest;
    }
    if (!(fabs(all - 1) < SUM_TOLERANCE && fabs(all_second - 1) < SUM_TOLERANCE))
        return err_set(err, ERR_SYSTEM, "the arms' probabilities sum to %.12g and %.12g, not 1: the quadrature failed",
                       all, all_second);
    for (size_t i = 0; i < f->n; i++) {
        others += i == likeliest ? 0 : b.p[i];
        b.second[i] = f->second[i] / all_second;
    }
    b.p[likeliest] = 1 - others;
    b.log_p[likeliest] = log1p(-others);
    *out = b;
    return true;
}

static bool place(struct field *f, enum best_family family, const struct best_arm *arms, size_t n, struct err *err)
{
    if (!check_arms(family, arms, n, err))
        return false;
    if (family == BEST_NORMAL)
        return place_normal(f, arms, n, err);
    if (!check_cost(arms, n, err))
        return false;
    place_beta(f, arms, n);
    return true;
}

bool best_chances(enum best_family family, const struct best_arm *arms, size_t n, struct best *out, struct err *err)
{
    struct field f = { .n = n };
    if (!place(&f, family, arms, n, err))
        return false;
    lay_out(&f, WINNING);
    integrate(&f, add_node);
    return conclude(&f, out, err);
}

bool best_losses(enum best_family family, const struct best_arm *arms, size_t n, double *out_log_loss, struct err *err)
{
    struct field f = { .n = n };
    if (!place(&f, family, arms, n, err))
        return false;
    lay_out(&f, LOSING);
    integrate(&f, add_loss_node);
    for (size_t i = 0; i < n; i++)
        out_log_loss[i] = f.level[i] + log(f.sum[i]);
    return true;
}
