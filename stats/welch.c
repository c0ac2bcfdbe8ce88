#include "stats/welch.h"

#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/special.h"

bool welch_check_alpha(double alpha, struct err *err)
{
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    return true;
}

bool welch_estimate(int64_t n, double mean, double variance, struct estimate *out, struct err *err)
{
    if (n < 0)
        return err_set(err, ERR_INVALID, "the number of units is negative");
    if (n == 0)
        return err_set(err, ERR_INVALID, "the variant has no units, at least 2 are needed");
    if (n < 2)
        return err_set(err, ERR_INVALID, "the variant has 1 unit, at least 2 are needed");
    if (!isfinite(mean) || !isfinite(variance))
        return err_set(err, ERR_INVALID, "the mean or the variance is not a finite number");
    if (variance < 0)
        return err_set(err, ERR_INVALID, "the variance %g is negative", variance);
    *out = (struct estimate){ .value = mean, .variance = variance / (double)n, .df = (double)(n - 1) };
    return true;
}

double welch_se(const struct estimate *control, const struct estimate *treatment)
{
    return hypot(sqrt(control->variance), sqrt(treatment->variance));
}

/* By shares of the variance, A = V_c / (V_c + V_t): df = 1 / (A²/df_c + (1 - A)²/df_t), at any scale. */
double welch_df(const struct estimate *control, const struct estimate *treatment)
{
    double larger = fmax(control->variance, treatment->variance);
    double c = control->variance / larger, t = treatment->variance / larger, sum = c + t;
    double a = c / sum, b = t / sum;
    return 1 / (a * a / control->df + b * b / treatment->df);
}

double welch_log_p_normal(double z)
{
    return fmin(0, M_LN2 + special_log_normal_q(fabs(z)));
}

bool welch_test(const struct estimate *control, const struct estimate *treatment, double alpha, struct welch *out,
                struct err *err)
{
    if (!welch_check_alpha(alpha, err))
        return false;
    if (!(control->variance > 0 || treatment->variance > 0))
        return err_set(err, ERR_INVALID,
                       "all units of both variants have the same value: there is no variance to compare with");
    struct welch w = { .difference = treatment->value - control->value, .se = welch_se(control, treatment) };
    w.df = welch_df(control, treatment);
    w.t = w.difference / w.se;
    double log_tail = special_log_t_q(fabs(w.t), w.df), log_rest = ibeta_log1mexp(log_tail);
    w.log_p = fmin(0, M_LN2 + log_tail);
    w.log_p_greater = w.t >= 0 ? log_tail : log_rest;
    w.log_p_less = w.t >= 0 ? log_rest : log_tail;
    w.critical = special_t_qinv(alpha / 2, w.df);
    w.ci_lo = w.difference - w.critical * w.se;
    w.ci_hi = w.difference + w.critical * w.se;
    *out = w;
    return true;
}
