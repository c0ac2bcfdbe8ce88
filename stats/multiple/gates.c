#include "stats/multiple/gates.h"

#include <math.h>

static bool check_weights(const double *weights, size_t n, struct err *err)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(weights[i] >= 0) || !isfinite(weights[i]))
            return err_set(err, ERR_INVALID, "weight %zu is %g, not a number from 0", i + 1, weights[i]);
        sum += weights[i];
    }
    return (sum > 0 && isfinite(sum)) ||
           err_set(err, ERR_INVALID, "the weights sum to %g, not to a number above 0", sum);
}

bool gates_weighted(const double *log_p, const double *weights, size_t n, struct family_rank *ranks, double *out_holm,
                    double *out_bonferroni, struct err *err)
{
    if (!family_check(log_p, n, err) || !check_weights(weights, n, err))
        return false;
    for (size_t i = 0; i < n; i++) /* p/w: the order, and up to the sum of weights the answer */
        out_bonferroni[i] = weights[i] > 0 ? log_p[i] - log(weights[i]) : INFINITY;
    family_rank(out_bonferroni, n, ranks);
    double left = 0, most = -INFINITY;
    for (size_t i = n; i > 0; i--) {
        left += weights[ranks[i - 1].at];
        out_holm[ranks[i - 1].at] = fmin(0, ranks[i - 1].log_p + log(left));
    }
    for (size_t i = 0; i < n; i++) {
        double *holm = &out_holm[ranks[i].at];
        *holm = most = isinf(ranks[i].log_p) && ranks[i].log_p > 0 ? 0 : fmax(most, *holm);
        out_bonferroni[ranks[i].at] = fmin(0, ranks[i].log_p + log(left));
    }
    return true;
}

void gates_sequence(const double *log_p, size_t n, double *out)
{
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++)
        out[i] = most = fmax(most, log_p[i]);
}

double gates_family(const struct family_rank *ranks, size_t n, double before, double *out)
{
    double most = before;
    family_p(FAMILY_HOLM, ranks, n, out);
    for (size_t i = 0; i < n; i++) {
        out[i] = fmax(out[i], before);
        most = fmax(most, out[i]);
    }
    return most;
}

size_t gates_e_bh(const double *log_e, size_t n, double alpha, struct family_rank *ranks, int64_t *out_rejected)
{
    size_t k = 0;
    family_rank(log_e, n, ranks); /* ascending: the j-th largest is the j-th from the end */
    for (size_t j = 1; j <= n; j++)
        if (ranks[n - j].log_p >= log((double)n / (alpha * (double)j)))
            k = j;
    for (size_t j = 1; j <= n; j++)
        out_rejected[ranks[n - j].at] = j <= k;
    return k;
}
