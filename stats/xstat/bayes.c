/* The methods beta_binomial and normal_bayes. */
#include <math.h>

#include "stats/bayes/beta.h"
#include "stats/bayes/normal.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

/* ---- beta_binomial ------------------------------------------------------------------------------------------------------- */

static bool read_arms(struct xstat_in *rows, size_t n, struct best_arm *arms, struct err *err)
{
    if (n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu arms, must be 2 to %d", n, BEST_ARMS_MAX);
    for (size_t i = 0; i < n; i++) {
        int64_t x = xstat_in_count(&rows[i], "x"), trials = xstat_in_count(&rows[i], "n");
        const struct beta_prior prior = { xstat_in_double_or(&rows[i], "prior_alpha", 1),
                                          xstat_in_double_or(&rows[i], "prior_beta", 1) };
        if (!xstat_in_end(&rows[i], err) || !beta_posterior(x, trials, &prior, &arms[i], err))
            return err_prefix(err, "arm %zu: ", i + 1);
    }
    return true;
}

static void write_arms(const struct best_arm *arms, size_t n, double alpha, json_t *out)
{
    double a[BEST_ARMS_MAX], b[BEST_ARMS_MAX], mean[BEST_ARMS_MAX], lo[BEST_ARMS_MAX], hi[BEST_ARMS_MAX];
    for (size_t i = 0; i < n; i++) {
        a[i] = arms[i].a;
        b[i] = arms[i].b;
        mean[i] = beta_mean(&arms[i]);
        beta_interval(&arms[i], alpha, &lo[i], &hi[i]);
    }
    xstat_out_doubles(out, "post_alpha", a, n);
    xstat_out_doubles(out, "post_beta", b, n);
    xstat_out_doubles(out, "post_mean", mean, n);
    xstat_out_doubles(out, "ci_lo", lo, n);
    xstat_out_doubles(out, "ci_hi", hi, n);
}

/* The chances and the expected losses, of arms of either family. */
static bool write_choice(enum best_family family, const struct best_arm *arms, size_t n, json_t *out, struct err *err)
{
    struct best best;
    double log_losses[BEST_ARMS_MAX], losses[BEST_ARMS_MAX];
    if (!best_chances(family, arms, n, &best, err) || !best_losses(family, arms, n, log_losses, err))
        return false;
    for (size_t i = 0; i < n; i++)
        losses[i] = exp(log_losses[i]);
    xstat_out_doubles(out, "prob_best", best.p, n);
    xstat_out_doubles(out, "log_prob_best", best.log_p, n);
    xstat_out_doubles(out, "expected_loss", losses, n);
    xstat_out_doubles(out, "log_expected_loss", log_losses, n);
    if (n == 2) {
        xstat_out_double(out, "prob_b_beats_a", best.p[1]);
        xstat_out_double(out, "expected_loss_choose_a", losses[0]);
        xstat_out_double(out, "expected_loss_choose_b", losses[1]);
    }
    return true;
}

bool xstat_beta_binomial(struct xstat_in *in, json_t *out, struct err *err)
{
    struct best_arm arms[BEST_ARMS_MAX];
    size_t n = 0;
    double alpha = xstat_in_double(in, "alpha");
    struct xstat_in *rows = xstat_in_objects(in, "arms", &n);
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !read_arms(rows, n, arms, err) ||
        !write_choice(BEST_BETA, arms, n, out, err))
        return false;
    write_arms(arms, n, alpha, out);
    return true;
}

/* ---- normal_bayes -------------------------------------------------------------------------------------------------------- */

static void write_posterior(const struct normal_posterior *p, double alpha, bool proper, json_t *out)
{
    double lo, hi;
    normal_interval(p, alpha, &lo, &hi);
    xstat_out_double(out, "post_mean", p->mean);
    xstat_out_double(out, "post_sd", p->sd);
    xstat_out_double(out, "chance_to_win", exp(p->log_win));
    xstat_out_double(out, "log_chance_to_win", p->log_win);
    xstat_out_double(out, "log_chance_to_lose", p->log_lose);
    xstat_out_double(out, "ci_lo", lo);
    xstat_out_double(out, "ci_hi", hi);
    xstat_out_double(out, "loss_ship", exp(p->log_loss_ship));
    xstat_out_double(out, "log_loss_ship", p->log_loss_ship);
    xstat_out_double(out, "loss_keep", exp(p->log_loss_keep));
    xstat_out_double(out, "log_loss_keep", p->log_loss_keep);
    xstat_out_double_if(out, "log_bf10", proper, p->log_bf10);
}

static bool write_rope(const struct normal_posterior *p, double half_width, json_t *out, struct err *err)
{
    struct normal_rope r;
    if (!normal_rope(p, half_width, &r, err))
        return false;
    xstat_out_double(out, "p_in_rope", r.p_in);
    xstat_out_double(out, "log_p_above_rope", r.log_above);
    xstat_out_double(out, "log_p_below_rope", r.log_below);
    return true;
}

/* Several arms, of which nothing was believed before: their means and standard errors are the posteriors. */
static bool normal_arms(struct xstat_in *in, json_t *out, struct err *err)
{
    struct best_arm arms[BEST_ARMS_MAX];
    size_t n, n_sds;
    const double *means = xstat_in_doubles(in, "means", &n), *sds = xstat_in_doubles(in, "sds", &n_sds);
    if (!xstat_in_end(in, err))
        return false;
    if (n != n_sds || n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu means and %zu sds, must be the same number, 2 to %d", n, n_sds,
                       BEST_ARMS_MAX);
    for (size_t i = 0; i < n; i++)
        arms[i] = (struct best_arm){ means[i], sds[i] };
    return write_choice(BEST_NORMAL, arms, n, out, err);
}

bool xstat_normal_bayes(struct xstat_in *in, json_t *out, struct err *err)
{
    if (xstat_in_has(in, "means"))
        return normal_arms(in, out, err);
    struct normal_prior prior = { .proper = xstat_in_bool_or(in, "prior_proper", false) };
    struct normal_posterior p;
    double effect = xstat_in_double(in, "effect"), se = xstat_in_double(in, "se"), alpha = xstat_in_double(in, "alpha");
    bool has_rope = xstat_in_has(in, "rope");
    double rope = has_rope ? xstat_in_double(in, "rope") : 0;
    prior.mean = xstat_in_double_or(in, "prior_mean", 0);
    prior.variance = xstat_in_double_or(in, "prior_var", 1);
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !normal_posterior(effect, se, &prior, &p, err))
        return false;
    write_posterior(&p, alpha, prior.proper, out);
    return !has_rope || write_rope(&p, rope, out, err);
}
