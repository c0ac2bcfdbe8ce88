#include "stats/trust/uniform.h"

#include <math.h>
#include <stdlib.h>

#include "stats/special/special.h"
#include "stats/special/stirling.h"

const double uniform_levels[UNIFORM_LEVELS] = { 0.01, 0.05, 0.1 };
#define REJECTION_LEVEL 0.05
enum { EXPANSION_TERMS = 20 };

/* From n d² = 5 on both sides together are e^-30 of one, and P(D >= d) is twice P(D+ >= d) in every digit. */
#define TAIL_FROM 5.0

/* ---- the distribution of the distance ---- */

/* Z. Birnbaum, F. Tingey, Ann. Math. Statist. 22 (1951): P(D+ >= d) = d Σ_{j <= n (1 - d)} C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j). The terms
 * are positive; each is written by Loader's pieces as C(n, j) a^j (1 - a)^(n-j) / a, a = d + j/n. */
static double log_term(double n, double d, double j)
{
    double a = d + j / n, rest = fmax(0, 1 - a);
    if (j == 0)
        return n * log1p(-d);
    if (rest == 0 || n - j < 0.5)
        return j < n ? -INFINITY : log(d / a) + j * log(a);
    double loader = stirling_error(n) - stirling_error(j) - stirling_error(n - j) -
                    stirling_deviance(j, n * a, -n * d) - stirling_deviance(n - j, n * rest, n * d);
    return log(d / a) + loader + 0.5 * log(n / (j * (n - j))) - STIRLING_LN_SQRT_2PI;
}

static double log_one_sided(double n, double d)
{
    double sum = 0, largest = -INFINITY;
    size_t last = (size_t)floor(n * (1 - d));
    for (size_t j = 0; j <= last; j++) {
        double term = log_term(n, d, (double)j);
        if (term > largest) {
            sum = sum * exp(largest - term) + 1;
            largest = term;
        } else if (term > -INFINITY) {
            sum += exp(term - largest);
        }
    }
    return fmin(0, largest + log(sum));
}

struct walk {
    int lo, hi;                           /* counts that are still possible */
    double chance[UNIFORM_EXACT_MAX + 1]; /* of the count, and of no crossing so far */
};

/* Time goes on so far that `expected` more points come, on average; counts above `most` have crossed, or will have. */
static void go_on(struct walk *w, double expected, int most)
{
    double poisson[UNIFORM_EXACT_MAX + 1];
    poisson[0] = exp(-expected);
    for (int k = 1; k <= most - w->lo; k++)
        poisson[k] = poisson[k - 1] * expected / k;
    for (int to = most; to >= w->lo; to--) {
        double sum = 0;
        for (int from = w->lo; from <= w->hi && from <= to; from++)
            sum += w->chance[from] * poisson[to - from];
        w->chance[to] = sum;
    }
    w->hi = most;
}

/* P(D < d) by a Poisson process that has n points at the end (A. Moscovich, B. Nadler, Stat. Prob. Letters 123, 2017): D < d if the count is
 * below i at i/n - d and i or more at (i - 1)/n + d, for all i. In units of 1/n; the two kinds of times take turns. */
static double within(int n, double d)
{
    struct walk w = { 0, 0, { 1 } };
    double nd = n * d, now = 0;
    int above = (int)floor(nd) + 1, below = 1; /* the next i of each kind */
    while (above <= n || below - 1 + nd < n) {
        double t_above = above <= n ? above - nd : INFINITY, t_below = below - 1 + nd, t = fmin(t_above, t_below);
        go_on(&w, t - now, above - 1);
        now = t;
        if (t_above <= t_below)
            above++;
        else
            w.lo = below++;
    }
    go_on(&w, n - now, n);
    return w.chance[n] / exp(-stirling_error(n) - 0.5 * log(n) - STIRLING_LN_SQRT_2PI);
}

/* W. Pelz, I. J. Good, JRSS B 38 (1976): P(√n D < z) up to 1/n, K0 + K1/√n + K2/n. With q = e^(-π²/(8 z²)), sums over odd m:
 * K0 = √(2π)/z Σ q^m²; K1 = √(2π)/(6 z⁴) Σ (π² m²/4 - z²) q^m²; K2 = √(2π)/(72 z⁷) Σ [6 z⁶ + 2 z⁴ + (2 z⁴ - 5 z²) π² m²/4 +
 * (1 - 2 z²) π⁴ m⁴/16] q^m² - √(2π) π²/(36 z³) Σ_{k >= 1} k² q^(4 k²). */
static double by_expansion(double n, double d)
{
    double z = sqrt(n) * d, zz = z * z, k0 = 0, k1 = 0, k2 = 0, even = 0;
    for (int k = 1; k <= EXPANSION_TERMS; k++) {
        double m = (2 * k - 1) * M_PI / 2, mm = m * m, power = exp(-mm / (2 * zz));
        k0 += power;
        k1 += (mm - zz) * power;
        k2 += (zz * zz * (6 * zz + 2) + zz * (2 * zz - 5) * mm + (1 - 2 * zz) * mm * mm) * power;
        even += k * k * exp(-2 * k * k * (M_PI / 2) * (M_PI / 2) / zz);
    }
    k1 /= 6 * zz * z;
    k2 = k2 / (72 * zz * zz * zz) - even * M_PI * M_PI / (36 * zz);
    return 1 - sqrt(2 * M_PI) / z * (k0 + k1 / sqrt(n) + k2 / n);
}

double uniform_log_p(size_t n, double d)
{
    double count = (double)n;
    if (d >= 0.5 || count * d * d > TAIL_FROM)
        return d >= 1 ? -INFINITY : fmin(0, M_LN2 + log_one_sided(count, d));
    if (count * d <= 0.5) /* no closer to uniform than 1/(2n) is possible */
        return 0;
    double p = n <= UNIFORM_EXACT_MAX ? 1 - within((int)n, d) : by_expansion(count, d);
    return log(fmax(0, fmin(1, p)));
}

/* ---- the test ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void distances(const double *p, size_t n, struct uniform *out)
{
    for (size_t i = 0; i < n; i++) {
        out->d_plus = fmax(out->d_plus, (double)(i + 1) / (double)n - p[i]);
        out->d_minus = fmax(out->d_minus, p[i] - (double)i / (double)n);
    }
    out->d = fmax(out->d_plus, out->d_minus);
}

/* T. Anderson, D. Darling, JASA 49 (1954): A² = -n - Σ (2i - 1) [ln p_i + ln(1 - p_{n+1-i})] / n. */
static void anderson_darling(const double *p, size_t n, struct uniform *out)
{
    double sum = 0;
    out->has_anderson_darling = p[0] > 0 && p[n - 1] < 1;
    for (size_t i = 0; i < n && out->has_anderson_darling; i++)
        sum += (double)(2 * i + 1) * (log(p[i]) + log1p(-p[n - 1 - i]));
    out->anderson_darling = out->has_anderson_darling ? -(double)n - sum / (double)n : 0;
}

static size_t count_below(const double *p, size_t n, double level)
{
    size_t count = 0;
    while (count < n && p[count] < level)
        count++;
    return count;
}

bool uniform_test(double *p, size_t n, struct uniform *out, struct err *err)
{
    if (n == 0)
        return err_set(err, ERR_INVALID, "there are no p to test");
    for (size_t i = 0; i < n; i++)
        if (!(p[i] >= 0 && p[i] <= 1))
            return err_set(err, ERR_INVALID, "p %zu is %g, no probability", i + 1, p[i]);
    qsort(p, n, sizeof *p, ascending);
    *out = (struct uniform){ 0 };
    distances(p, n, out);
    anderson_darling(p, n, out);
    for (size_t i = 0; i < UNIFORM_LEVELS; i++)
        out->below[i] = (double)count_below(p, n, uniform_levels[i]) / (double)n;
    out->log_p = uniform_log_p(n, out->d);
    out->p = exp(out->log_p);
    out->p_limit = special_kolmogorov_q(sqrt((double)n) * out->d);
    out->log_p_rejections = special_log_binomial_upper((int64_t)count_below(p, n, REJECTION_LEVEL), (int64_t)n,
                                                       REJECTION_LEVEL);
    return true;
}
