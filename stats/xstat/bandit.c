/* The method bandit_weights: probabilities of being best, and the weights that policies make of them. */
#include "stats/bandit.h"
#include "stats/xstat/xstat.h"

/* Normal arms come as means and sds, beta arms as shapes a and b. */
static bool read_arms(struct xstat_in *in, enum best_family *out_family, struct best_arm *arms, size_t *out_n,
                      struct err *err)
{
    bool beta = xstat_in_has(in, "a");
    size_t n, n_b;
    const double *a = xstat_in_doubles(in, beta ? "a" : "means", &n);
    const double *b = xstat_in_doubles(in, beta ? "b" : "sds", &n_b);
    if (in->err.kind == ERR_NONE && n != n_b)
        return err_set(err, ERR_INVALID, "there are %zu and %zu parameters of the arms", n, n_b);
    if (n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu arms, must be 2 to %d", n, BEST_ARMS_MAX);
    for (size_t i = 0; i < n; i++)
        arms[i] = (struct best_arm){ a[i], b[i] };
    *out_family = beta ? BEST_BETA : BEST_NORMAL;
    *out_n = n;
    return true;
}

static void write_weights(const struct best *best, const struct best_arm *arms, enum best_family family,
                          const struct bandit_rule *rule, json_t *out)
{
    double values[BEST_ARMS_MAX], weights[BEST_ARMS_MAX];
    size_t n = best->n;
    for (size_t i = 0; i < n; i++) {
        values[i] = family == BEST_BETA ? arms[i].a / (arms[i].a + arms[i].b) : arms[i].a;
        weights[i] = best->p[i];
    }
    bandit_floor(weights, n, rule->floor);
    xstat_out_doubles(out, "thompson_with_floor", weights, n);
    bandit_round(weights, n, rule->floor);
    xstat_out_doubles(out, "thompson_rounded", weights, n);
    bandit_top_two(best, rule->beta, weights);
    xstat_out_doubles(out, "ttts", weights, n);
    bandit_epsilon_greedy(values, n, rule->epsilon, weights);
    xstat_out_doubles(out, "epsilon_greedy", weights, n);
}

bool xstat_bandit_weights(struct xstat_in *in, json_t *out, struct err *err)
{
    struct bandit_rule rule = { BANDIT_THOMPSON, xstat_in_double_or(in, "floor", 0.01),
                                xstat_in_double_or(in, "epsilon", 0.1), xstat_in_double_or(in, "beta", 0.5) };
    enum best_family family = BEST_NORMAL;
    struct best_arm arms[BEST_ARMS_MAX] = { 0 };
    struct best best;
    double both[BEST_ARMS_MAX];
    size_t n = 0;
    if (!read_arms(in, &family, arms, &n, err) || !xstat_in_end(in, err) || !bandit_check_rule(&rule, n, err) ||
        !best_chances(family, arms, n, &best, err))
        return false;
    for (size_t i = 0; i < n; i++)
        both[i] = (best.p[i] + best.second[i]) / 2;
    xstat_out_doubles(out, "prob_best", best.p, n);
    xstat_out_doubles(out, "log_prob_best", best.log_p, n);
    xstat_out_doubles(out, "top_two_inclusion", both, n);
    write_weights(&best, arms, family, &rule, out);
    return true;
}
