#include "stats/multiple/family.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "stats/special/ibeta.h"

const char *const family_names[] = {
    [FAMILY_BONFERRONI] = "bonferroni",
    [FAMILY_SIDAK] = "sidak",
    [FAMILY_HOLM] = "holm",
    [FAMILY_HOLM_SIDAK] = "holm_sidak",
    [FAMILY_HOCHBERG] = "hochberg",
    [FAMILY_HOMMEL] = "hommel",
    [FAMILY_BH] = "bh",
    [FAMILY_BY] = "by",
};
static_assert(sizeof family_names / sizeof *family_names == FAMILY_COUNT, "a name for every method");

/* Below this p, 1 - (1 - p)^n is n p in every digit. */
#define LOG_P_SMALL (-80.0)

bool family_check(const double *log_p, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!(log_p[i] <= 0))
            return err_set(err, ERR_INVALID, "p %zu is %g, no probability", i + 1, exp(log_p[i]));
    return true;
}

static int by_p(const void *a, const void *b)
{
    const struct family_rank *x = a, *y = b;
    if (x->log_p != y->log_p)
        return x->log_p < y->log_p ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

void family_rank(const double *log_p, size_t n, struct family_rank *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (struct family_rank){ log_p[i], i };
    if (n)
        qsort(out, n, sizeof *out, by_p);
}

/* C. Bonferroni 1936: n p. Z. Šidák, JASA 62 (1967): 1 - (1 - p)^n. */
static double bonferroni(double log_p, double n)
{
    return fmin(0, log_p + log(n));
}

static double sidak(double log_p, double n)
{
    return log_p < LOG_P_SMALL ? bonferroni(log_p, n) : ibeta_log1mexp(n * ibeta_log1mexp(log_p));
}

static double harmonic(size_t n)
{
    double sum = 0;
    for (size_t i = n; i > 0; i--)
        sum += 1 / (double)i;
    return sum;
}

/* S. Holm, Scand. J. Statist. 6 (1979): max_{j <= i} of p_j adjusted for the n - j + 1 tests that are left. */
static void step_down(double (*one)(double log_p, double n), const struct family_rank *ranks, size_t n, double *out)
{
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, one(ranks[i].log_p, (double)(n - i)));
        out[ranks[i].at] = most;
    }
}

/* Y. Hochberg, Biometrika 75 (1988): min_{j >= i} (n - j + 1) p_j. Y. Benjamini, Y. Hochberg, JRSS B 57 (1995): min_{j >= i} n p_j/j; with
 * n Σ 1/j for n, Y. Benjamini, D. Yekutieli, Annals of Statistics 29 (2001). */
static void step_up(enum family_method method, const struct family_rank *ranks, size_t n, double *out)
{
    double least = 0, all = (double)n * (method == FAMILY_BY ? harmonic(n) : 1);
    for (size_t i = n; i > 0; i--) {
        double factor = method == FAMILY_HOCHBERG ? (double)(n - i + 1) : all / (double)i;
        least = fmin(least, ranks[i - 1].log_p + log(factor));
        out[ranks[i - 1].at] = least;
    }
}

/* G. Hommel, Biometrika 75 (1988), as S. P. Wright, Biometrics 48 (1992): Simes' test of the m largest p that hold a test, the largest over
 * m: s = min_{j=2..m} m p_{n-m+j}/j; the first n - m + 1 tests get min(m p_i, s), the others what the last of those gets. */
static void hommel(const struct family_rank *ranks, size_t n, double *out)
{
    double simes = INFINITY;
    for (size_t i = 0; i < n; i++)
        simes = fmin(simes, ranks[i].log_p + log((double)n / (double)(i + 1)));
    for (size_t i = 0; i < n; i++)
        out[ranks[i].at] = fmax(simes, ranks[i].log_p);
    for (size_t m = n - 1; n > 2 && m >= 2; m--) {
        double least = INFINITY, times = log((double)m);
        for (size_t j = 2; j <= m; j++)
            least = fmin(least, ranks[n - m + j - 1].log_p + times - log((double)j));
        for (size_t i = 0; i < n; i++) {
            double p = fmin(times + ranks[i <= n - m ? i : n - m].log_p, least);
            out[ranks[i].at] = fmax(out[ranks[i].at], p);
        }
    }
}

void family_p(enum family_method method, const struct family_rank *ranks, size_t n, double *out)
{
    switch (method) {
    case FAMILY_BONFERRONI:
    case FAMILY_SIDAK:
        for (size_t i = 0; i < n; i++)
            out[ranks[i].at] = (method == FAMILY_SIDAK ? sidak : bonferroni)(ranks[i].log_p, (double)n);
        break;
    case FAMILY_HOLM:
    case FAMILY_HOLM_SIDAK:
        step_down(method == FAMILY_HOLM_SIDAK ? sidak : bonferroni, ranks, n, out);
        break;
    case FAMILY_HOCHBERG:
    case FAMILY_BH:
    case FAMILY_BY:
        step_up(method, ranks, n, out);
        break;
    case FAMILY_HOMMEL:
        hommel(ranks, n, out);
        break;
    case FAMILY_COUNT:
        break;
    }
}

double family_interval_alpha(enum family_method method, double alpha, size_t n, size_t rejected)
{
    double family = n ? (double)n : 1, selected = rejected ? (double)rejected : 1;
    if (method == FAMILY_SIDAK || method == FAMILY_HOLM_SIDAK)
        return -expm1(log1p(-alpha) / family);
    if (method == FAMILY_BH)
        return alpha * selected / family;
    if (method == FAMILY_BY)
        return alpha * selected / (family * harmonic(n ? n : 1));
    return alpha / family;
}
