#include "stats/trust/trend.h"

#include <float.h>
#include <math.h>

#include "stats/special/special.h"
#include "stats/welch.h"

enum { PERIODS_MIN = 3 };

static double day_of(const double *days, size_t i)
{
    return days ? days[i] : (double)(i + 1);
}

static bool check(const double *effects, const double *ses, const double *days, size_t n, size_t early, struct err *err)
{
    bool same = true;
    if (n < PERIODS_MIN)
        return err_set(err, ERR_INVALID, "there are %zu periods, a trend needs at least %d", n, PERIODS_MIN);
    if (early < 1 || early >= n)
        return err_set(err, ERR_INVALID, "early is %zu, must leave a period of %zu on either side", early, n);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(effects[i]))
            return err_set(err, ERR_INVALID, "effect %zu is not a finite number", i + 1);
        if (!(ses[i] > 0) || !isfinite(ses[i]))
            return err_set(err, ERR_INVALID, "standard error %zu is %g, not a number above 0", i + 1, ses[i]);
        if (!isfinite(day_of(days, i)))
            return err_set(err, ERR_INVALID, "day %zu is not a finite number", i + 1);
        same = same && day_of(days, i) == day_of(days, 0);
    }
    return !same || err_set(err, ERR_INVALID, "all days are the same: there is no trend to see");
}

/* Weights are (unit/se)², unit the least standard error, so that none overflows. */
static double weight(double se, double unit)
{
    return unit / se * (unit / se);
}

/* Σ w e/Σ w, se 1/√Σ w. */
static struct trend_pooled pool(const double *effects, const double *ses, size_t n, double unit)
{
    double sum = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight(ses[i], unit);
        sum += w;
        mean += w / sum * (effects[i] - mean);
    }
    return (struct trend_pooled){ mean, unit / sqrt(sum) };
}

/* b = Σ w (x - x̄)(e - ē)/Σ w (x - x̄)², se 1/√Σ w (x - x̄)², means weighted; Q = Σ w (e - ē)² on n - 1 degrees of freedom. */
static void fit(const double *effects, const double *ses, const double *days, size_t n, double unit, struct trend *out)
{
    double sum = 0, day = 0, sxx = 0, sxy = 0, q = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight(ses[i], unit);
        sum += w;
        day += w / sum * (day_of(days, i) - day);
    }
    for (size_t i = 0; i < n; i++) {
        double w = weight(ses[i], unit), x = day_of(days, i) - day, e = effects[i] - out->all.effect, z = e / ses[i];
        sxx += w * x * x;
        sxy += w * x * e;
        q += z * z;
    }
    out->slope = sxy / sxx;
    out->slope_se = unit / sqrt(sxx);
    out->slope_z = out->slope / out->slope_se;
    out->slope_log_p = welch_log_p_normal(out->slope_z);
    out->q = q;
    out->q_df = (double)(n - 1);
    out->q_log_p = special_log_chi2_q(q, out->q_df);
}

bool trend_test(const double *effects, const double *ses, const double *days, size_t n, size_t early, struct trend *out,
                struct err *err)
{
    double unit = DBL_MAX;
    if (!check(effects, ses, days, n, early, err))
        return false;
    for (size_t i = 0; i < n; i++)
        unit = fmin(unit, ses[i]);
    *out = (struct trend){ .all = pool(effects, ses, n, unit) };
    fit(effects, ses, days, n, unit, out);
    out->early = pool(effects, ses, early, unit);
    out->late = pool(effects + early, ses + early, n - early, unit);
    out->change = out->late.effect - out->early.effect;
    out->change_se = hypot(out->early.se, out->late.se);
    out->change_z = out->change / out->change_se;
    out->change_log_p = welch_log_p_normal(out->change_z);
    if (!isfinite(out->q) || !isfinite(out->slope_z) || !isfinite(out->change_z))
        return err_set(err, ERR_INVALID, "effects, standard errors and days differ too much for a number");
    return true;
}

enum trend_kind trend_kind(const struct trend *t, double alpha)
{
    if (t->change_log_p > log(alpha))
        return TREND_NONE;
    return fabs(t->late.effect) < fabs(t->early.effect) ? TREND_FADES : TREND_GROWS;
}
