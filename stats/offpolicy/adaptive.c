#include "stats/offpolicy/adaptive.h"

#include <math.h>

static bool check_cell(const struct adaptive_cell *c, size_t period, size_t arm, struct err *err)
{
    if (!(c->prob > 0 && c->prob <= 1))
        return err_set(err, ERR_INVALID, "period %zu, arm %zu: prob is %g, not above 0 and up to 1", period + 1,
                       arm + 1, c->prob);
    if (c->m.n < 0 || !isfinite(c->m.mean) || !isfinite(c->m.m2) || c->m.m2 < 0)
        return err_set(err, ERR_INVALID, "period %zu, arm %zu: no data have such a count and moments", period + 1,
                       arm + 1);
    return true;
}

static bool check(const struct adaptive_cell *cells, const int64_t *totals, size_t periods, size_t arms,
                  struct err *err)
{
    if (periods == 0 || arms == 0)
        return err_set(err, ERR_INVALID, "there are %zu periods of %zu arms, nothing to compare", periods, arms);
    for (size_t p = 0; p < periods; p++) {
        if (totals[p] < 1)
            return err_set(err, ERR_INVALID, "period %zu has %lld units in all", p + 1, (long long)totals[p]);
        for (size_t arm = 0; arm < arms; arm++) {
            if (!check_cell(&cells[p * arms + arm], p, arm, err))
                return false;
            if (cells[p * arms + arm].m.n > totals[p])
                return err_set(err, ERR_INVALID, "period %zu, arm %zu has more units than the period", p + 1, arm + 1);
        }
    }
    return true;
}

/* With N_p units of N in period p, s and n of the arm there: IPW Σ_p s_p/prob_p / N; Hájek Σ_p s_p/prob_p / Σ_p n_p/prob_p; stratified
 * Σ_p (N_p/N) mean_p, variance Σ_p (N_p/N)² var_p/n_p. */
static struct adaptive_value value_of(const struct adaptive_cell *cells, const int64_t *totals, size_t periods,
                                      size_t arms, double all)
{
    struct adaptive_value v = { .has_stratified = true, .has_se = true };
    struct moments pooled = { 0 };
    double weighted = 0, weights = 0, variance = 0;
    for (size_t p = 0; p < periods; p++) {
        const struct adaptive_cell *c = &cells[p * arms];
        double n = (double)c->m.n, share = (double)totals[p] / all;
        moments_merge(&pooled, &c->m);
        weighted += n * c->m.mean / c->prob;
        weights += n / c->prob;
        v.stratified += share * c->m.mean;
        variance += n > 1 ? share * share * moments_variance(&c->m) / n : 0;
        v.has_stratified = v.has_stratified && n > 0;
        v.has_se = v.has_se && n > 1;
    }
    v.has_units = pooled.n > 0;
    v.naive = pooled.mean;
    v.ipw = weighted / all;
    v.hajek = v.has_units ? weighted / weights : 0;
    v.stratified = v.has_stratified ? v.stratified : 0;
    v.stratified_se = v.has_se ? sqrt(variance) : 0;
    return v;
}

bool adaptive_values(const struct adaptive_cell *cells, const int64_t *totals, size_t periods, size_t arms,
                     struct adaptive_value *out, struct err *err)
{
    double all = 0;
    if (!check(cells, totals, periods, arms, err))
        return false;
    for (size_t p = 0; p < periods; p++)
        all += (double)totals[p];
    for (size_t arm = 0; arm < arms; arm++)
        out[arm] = value_of(&cells[arm], totals, periods, arms, all);
    return true;
}
