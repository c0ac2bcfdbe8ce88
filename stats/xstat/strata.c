/* The methods winsorize and post_strat. */
#include <math.h>

#include "stats/adjust/strata.h"
#include "stats/adjust/winsorize.h"
#include "stats/ranks/sorted.h"
#include "stats/special/special.h"
#include "stats/xstat/xstat.h"

enum { CONTROL, TREATMENT, ARMS };

/* ---- winsorize ----------------------------------------------------------------------------------------------------------- */

struct values {
    double *of;
    size_t n;
};

static bool read_values(struct xstat_in *in, const char *key, struct values *out)
{
    out->of = xstat_in_doubles(in, key, &out->n);
    if (in->err.kind != ERR_NONE)
        return false;
    if (out->n < 2)
        return err_set(&in->err, ERR_INVALID, "%s has %zu values, at least 2 are needed", key, out->n);
    return sorted_make(out->of, out->n, &in->err) || err_prefix(&in->err, "%s: ", key);
}

static bool cut_together(const struct values *arms, double lower, double upper, struct arena *arena,
                         struct winsorize_cuts *out, struct err *err)
{
    size_t n = arms[CONTROL].n + arms[TREATMENT].n;
    double *pooled = arena_alloc(arena, n * sizeof *pooled);
    for (size_t i = 0; i < n; i++)
        pooled[i] = i < arms[CONTROL].n ? arms[CONTROL].of[i] : arms[TREATMENT].of[i - arms[CONTROL].n];
    return sorted_make(pooled, n, err) && winsorize_cuts(pooled, n, lower, upper, out, err);
}

static bool write_capped(const struct values *arms, const struct winsorize_cuts *cuts, json_t *out, struct err *err)
{
    static const char *const keys[ARMS][3] = { { "mean_c", "var_c", "n_capped_c" },
                                               { "mean_t", "var_t", "n_capped_t" } };
    static const struct winsorize_cuts none = { -INFINITY, INFINITY };
    struct estimate capped[ARMS], plain[ARMS];
    for (size_t a = 0; a < ARMS; a++) {
        struct winsorized w = { 0 }, p = { 0 };
        for (size_t i = 0; i < arms[a].n; i++) {
            winsorize_add(&w, cuts, arms[a].of[i]);
            winsorize_add(&p, &none, arms[a].of[i]);
        }
        if (!welch_estimate(w.m.n, w.m.mean, moments_variance(&w.m), &capped[a], err) ||
            !welch_estimate(p.m.n, p.m.mean, moments_variance(&p.m), &plain[a], err))
            return false;
        xstat_out_double(out, keys[a][0], w.m.mean);
        xstat_out_double(out, keys[a][1], moments_variance(&w.m));
        xstat_out_count(out, keys[a][2], w.capped);
    }
    double diff = capped[TREATMENT].value - capped[CONTROL].value, se = welch_se(&capped[CONTROL], &capped[TREATMENT]);
    xstat_out_double(out, "diff", diff);
    xstat_out_double(out, "se", se);
    xstat_out_double_if(out, "z", se > 0, diff / se);
    xstat_out_double_if(out, "log_p", se > 0, se > 0 ? welch_log_p_normal(diff / se) : 0);
    xstat_out_double(out, "diff_uncapped", plain[TREATMENT].value - plain[CONTROL].value);
    xstat_out_double(out, "se_uncapped", welch_se(&plain[CONTROL], &plain[TREATMENT]));
    return true;
}

static bool write_yuen(const struct values *arms, double trim, json_t *out, struct err *err)
{
    struct estimate c, t;
    struct welch w = { 0 };
    if (!winsorize_yuen(arms[CONTROL].of, arms[CONTROL].n, trim, &c, err))
        return err_prefix(err, "x_c: ");
    if (!winsorize_yuen(arms[TREATMENT].of, arms[TREATMENT].n, trim, &t, err))
        return err_prefix(err, "x_t: ");
    bool varies = c.variance > 0 || t.variance > 0;
    if (varies && !welch_test(&c, &t, 0.05, &w, err)) /* the level is the interval's, which is not asked for */
        return false;
    xstat_out_double(out, "trimmed_mean_c", c.value);
    xstat_out_double(out, "trimmed_mean_t", t.value);
    xstat_out_double_if(out, "yuen_t", varies, w.t);
    xstat_out_double_if(out, "yuen_df", varies, w.df);
    xstat_out_double_if(out, "yuen_log_p", varies, w.log_p);
    return true;
}

bool xstat_winsorize(struct xstat_in *in, json_t *out, struct err *err)
{
    struct values arms[ARMS];
    struct winsorize_cuts cuts;
    double lower = xstat_in_double_or(in, "lower", 0), upper = xstat_in_double_or(in, "upper", 1);
    double trim = xstat_in_double_or(in, "trim", 0);
    if (read_values(in, "x_c", &arms[CONTROL]))
        (void)read_values(in, "x_t", &arms[TREATMENT]);
    if (!xstat_in_end(in, err) || !cut_together(arms, lower, upper, in->arena, &cuts, err))
        return false;
    xstat_out_double(out, "cut_lo", cuts.lo);
    xstat_out_double(out, "cut_hi", cuts.hi);
    return write_capped(arms, &cuts, out, err) && write_yuen(arms, trim, out, err);
}

/* ---- post_strat ---------------------------------------------------------------------------------------------------------- */

static bool read_stratum(struct xstat_in *row, struct stratum *out, struct err *err)
{
    out->control.n = xstat_in_count(row, "n_c");
    out->control.mean = xstat_in_double(row, "mean_c");
    out->control.variance = xstat_in_double(row, "var_c");
    out->treatment.n = xstat_in_count(row, "n_t");
    out->treatment.mean = xstat_in_double(row, "mean_t");
    out->treatment.variance = xstat_in_double(row, "var_t");
    return xstat_in_end(row, err);
}

/* One arm of a stratum with one covariate: unbiased variances and covariance. */
static void read_cell(struct xstat_in *row, const char *const keys[6], struct cross *out)
{
    *out = cross_none(2);
    out->n = xstat_in_count(row, keys[0]);
    double of = (double)out->n - 1;
    out->mean[0] = xstat_in_double(row, keys[1]);
    out->mean[1] = xstat_in_double(row, keys[2]);
    out->m2[0][0] = xstat_in_double(row, keys[3]) * of;
    out->m2[1][1] = xstat_in_double(row, keys[4]) * of;
    out->m2[0][1] = out->m2[1][0] = xstat_in_double(row, keys[5]) * of;
}

static bool read_strata_cuped(struct xstat_in *rows, size_t n, struct arena *arena, struct stratum *strata, json_t *out,
                              struct err *err)
{
    static const char *const keys[ARMS][6] = { { "n_c", "mean_y_c", "mean_x_c", "var_y_c", "var_x_c", "cov_xy_c" },
                                               { "n_t", "mean_y_t", "mean_x_t", "var_y_t", "var_x_t", "cov_xy_t" } };
    struct cross *cells = arena_alloc(arena, (2 * n + 1) * sizeof *cells);
    double theta[SOLVE_MAX];
    for (size_t k = 0; k < n; k++) {
        read_cell(&rows[k], keys[CONTROL], &cells[2 * k]);
        read_cell(&rows[k], keys[TREATMENT], &cells[2 * k + 1]);
        if (!xstat_in_end(&rows[k], err))
            return err_prefix(err, "stratum %zu: ", k + 1);
    }
    if (!strata_cuped(cells, n, theta, strata, err))
        return false;
    xstat_out_doubles(out, "theta", theta, 1);
    return true;
}

static bool read_strata(struct xstat_in *rows, size_t n, struct arena *arena, struct stratum *strata, json_t *out,
                        struct err *err)
{
    if (n > 0 && xstat_in_has(&rows[0], "mean_y_c"))
        return read_strata_cuped(rows, n, arena, strata, out, err);
    for (size_t k = 0; k < n; k++)
        if (!read_stratum(&rows[k], &strata[k], err))
            return err_prefix(err, "stratum %zu: ", k + 1);
    return true;
}

static void write_effect(const struct strata *s, double alpha, bool given, json_t *out)
{
    double q = special_normal_qinv(alpha / 2);
    bool varies = s->se > 0;
    struct lift_set lift = varies ? strata_lift(s, q) : (struct lift_set){ LIFT_NONE, 0, 0 };
    xstat_out_double(out, "effect", s->effect);
    xstat_out_double(out, "control_mean", s->control.value);
    xstat_out_double(out, "se_conditional", s->se);
    xstat_out_double_if(out, "z_conditional", varies, s->effect / s->se);
    xstat_out_double_if(out, "log_p_conditional", varies, varies ? welch_log_p_normal(s->effect / s->se) : 0);
    xstat_out_double_if(out, "ci_lo", varies, s->effect - q * s->se);
    xstat_out_double_if(out, "ci_hi", varies, s->effect + q * s->se);
    xstat_out_double_if(out, "se_superpop", !given, s->se_super);
    xstat_out_double_if(out, "lift", s->has_lift, s->lift);
    xstat_out_double_if(out, "lift_se", s->has_lift, s->lift_se);
    xstat_out_double_if(out, "fieller_lift_lo", lift.kind == LIFT_BOUNDED, lift.lo);
    xstat_out_double_if(out, "fieller_lift_hi", lift.kind == LIFT_BOUNDED, lift.hi);
}

/* The effect on the population that the shares were drawn from, by t: each stratum has taken two means. */
static void write_super(const struct strata *s, double units, double alpha, json_t *out)
{
    bool varies = s->se_super > 0;
    double df = fmax(1, units - 2 * (double)s->n), t = varies ? s->effect / s->se_super : 0;
    double half = special_t_qinv(alpha / 2, df) * s->se_super, log_p = fmin(0, M_LN2 + special_log_t_q(fabs(t), df));
    xstat_out_double(out, "df", df);
    xstat_out_double_if(out, "t", varies, t);
    xstat_out_double_if(out, "p", varies, exp(log_p));
    xstat_out_double_if(out, "log_p", varies, log_p);
    xstat_out_double_if(out, "ci_lo_superpop", varies, s->effect - half);
    xstat_out_double_if(out, "ci_hi_superpop", varies, s->effect + half);
}

static double units_of(const struct stratum *strata, size_t n)
{
    double units = 0;
    for (size_t k = 0; k < n; k++)
        units += (double)strata[k].control.n + (double)strata[k].treatment.n;
    return units;
}

static void write_agreement(const struct strata *s, json_t *out)
{
    xstat_out_double(out, "naive_diff", s->naive);
    xstat_out_bool(out, "simpson_reversal", s->simpson);
    xstat_out_double_if(out, "fixed_effect", s->has_q, s->fixed);
    xstat_out_double_if(out, "cochran_q", s->has_q, s->q);
    xstat_out_count(out, "q_df", (int64_t)s->n - 1);
    xstat_out_double_if(out, "log_p_q", s->has_q, s->log_p_q);
    xstat_out_double_if(out, "i_squared", s->has_q, s->i_squared);
}

bool xstat_post_strat(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n = 0, n_weights = 0;
    double alpha = xstat_in_double(in, "alpha");
    struct xstat_in *rows = xstat_in_objects(in, "strata", &n);
    bool given = xstat_in_has(in, "weights");
    const double *weights = given ? xstat_in_doubles(in, "weights", &n_weights) : NULL;
    struct stratum *strata = arena_zalloc(in->arena, (n + 1) * sizeof *strata);
    struct strata s;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !read_strata(rows, n, in->arena, strata, out, err))
        return false;
    if (given && n_weights != n)
        return err_set(err, ERR_INVALID, "there are %zu weights for %zu strata", n_weights, n);
    if (!strata_effect(strata, n, weights, &s, err))
        return false;
    write_effect(&s, alpha, given, out);
    if (!given)
        write_super(&s, units_of(strata, n), alpha, out);
    write_agreement(&s, out);
    return true;
}
