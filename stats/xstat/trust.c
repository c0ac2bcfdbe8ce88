/* The methods ks_uniform and effect_trend. */
#include <math.h>

#include "stats/trust/trend.h"
#include "stats/trust/uniform.h"
#include "stats/xstat/xstat.h"

bool xstat_ks_uniform(struct xstat_in *in, json_t *out, struct err *err)
{
    static const char *const below[UNIFORM_LEVELS] = { "frac_below_0.01", "frac_below_0.05", "frac_below_0.1" };
    size_t n;
    double *p = xstat_in_doubles(in, "p", &n);
    struct uniform u;
    if (!xstat_in_end(in, err) || !uniform_test(p, n, &u, err))
        return false;
    xstat_out_count(out, "n", (int64_t)n);
    xstat_out_double(out, "d_plus", u.d_plus);
    xstat_out_double(out, "d_minus", u.d_minus);
    xstat_out_double(out, "d", u.d);
    xstat_out_double(out, "p_exact", u.p);
    xstat_out_double(out, "log_p_exact", u.log_p);
    xstat_out_double(out, "p_asymptotic", u.p_limit);
    for (size_t i = 0; i < UNIFORM_LEVELS; i++)
        xstat_out_double(out, below[i], u.below[i]);
    xstat_out_double_if(out, "anderson_darling", u.has_anderson_darling, u.anderson_darling);
    xstat_out_double(out, "log_p_rejections_5pct", u.log_p_rejections);
    return true;
}

static void write_trend(const struct trend *t, json_t *out)
{
    xstat_out_double(out, "pooled_effect", t->all.effect);
    xstat_out_double(out, "pooled_se", t->all.se);
    xstat_out_double(out, "slope", t->slope);
    xstat_out_double(out, "slope_se", t->slope_se);
    xstat_out_double(out, "slope_z", t->slope_z);
    xstat_out_double(out, "slope_log_p", t->slope_log_p);
    xstat_out_double(out, "cochran_q", t->q);
    xstat_out_double(out, "q_df", t->q_df);
    xstat_out_double(out, "log_p_q", t->q_log_p);
    xstat_out_double(out, "early_effect", t->early.effect);
    xstat_out_double(out, "late_effect", t->late.effect);
    xstat_out_double(out, "late_minus_early", t->change);
    xstat_out_double(out, "late_minus_early_z", t->change_z);
    xstat_out_double(out, "late_minus_early_log_p", t->change_log_p);
}

bool xstat_effect_trend(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_ses, n_days = 0;
    const double *effects = xstat_in_doubles(in, "effects", &n), *ses = xstat_in_doubles(in, "ses", &n_ses);
    const double *days = xstat_in_has(in, "day") ? xstat_in_doubles(in, "day", &n_days) : NULL;
    int64_t early = xstat_in_count(in, "early");
    struct trend t;
    if (!xstat_in_end(in, err))
        return false;
    if (n != n_ses || (days && n != n_days))
        return err_set(err, ERR_INVALID, "%zu effects for %zu standard errors and %zu days", n, n_ses,
                       days ? n_days : n);
    if (!trend_test(effects, ses, days, n, early > 0 ? (size_t)early : 0, &t, err))
        return false;
    write_trend(&t, out);
    return true;
}
