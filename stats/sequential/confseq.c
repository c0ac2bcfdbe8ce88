#include "stats/sequential/confseq.h"

#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/special.h"

static bool check_alpha(double alpha, enum confseq_side side, struct err *err)
{
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    if (side != CONFSEQ_TWO && alpha >= 0.5)
        return err_set(err, ERR_INVALID, "alpha %g of one side is not below 1/2", alpha);
    return true;
}

static bool check_tuning(double n_star, struct err *err)
{
    return (n_star > 0 && isfinite(n_star)) ||
           err_set(err, ERR_INVALID, "n_star is %g, not a number of units above 0", n_star);
}

/* The width of a two-sided sequence is least at n_star where n_star ρ² = k solves k = -2 ln a + ln(1 + k), a = alpha, or twice alpha of
 * one side. One step of the fixed point from k = -2 ln a is the closed form. */
bool confseq_rho(double n_star, double alpha, enum confseq_side side, double *out, struct err *err)
{
    if (!check_tuning(n_star, err) || !check_alpha(alpha, side, err))
        return false;
    double start = -2 * log(side == CONFSEQ_TWO ? alpha : 2 * alpha);
    *out = sqrt((start + log1p(start)) / n_star);
    return true;
}

/* k = -W_{-1}(-a²/e) - 1 with Lambert's W; a² may be too small for a double. */
bool confseq_rho_exact(double n_star, double alpha, enum confseq_side side, double *out, struct err *err)
{
    if (!check_tuning(n_star, err) || !check_alpha(alpha, side, err))
        return false;
    double a = side == CONFSEQ_TWO ? alpha : 2 * alpha;
    *out = sqrt((-special_lambert_wm1_log(2 * log(a) - 1) - 1) / n_star);
    return true;
}

/* √((1 + 1/k) (2 ln(1/alpha) + ln(1 + k))); of one side √(2 (1 + 1/k) ln(1 + √(1 + k)/(2 alpha))). */
double confseq_critical(double k, double alpha, enum confseq_side side)
{
    if (side == CONFSEQ_TWO)
        return sqrt((1 + 1 / k) * (-2 * log(alpha) + log1p(k)));
    return sqrt(2 * (1 + 1 / k) * log1p(sqrt(1 + k) / (2 * alpha)));
}

/* With z = effect/se and x = k z²/(2 (1 + k)): ln e = x - ln(1 + k)/2. */
static double log_e_two(double z, double k)
{
    return z * z / (2 * (1 + 1 / k)) - 0.5 * log1p(k);
}

/* p = √(1 + k)/(2 (e^x - 1)) in the direction that is asked for, else 1. */
static double log_e_one(double z, double k)
{
    double x = z * z / (2 * (1 + 1 / k)), log_expm1 = z > 0 && x > 0 ? x + ibeta_log1mexp(-x) : -INFINITY;
    return log_expm1 + M_LN2 - 0.5 * log1p(k);
}

static void answer(double effect, double se, double k, double alpha, enum confseq_side side, struct confseq *out)
{
    double z = effect / se, half = se * confseq_critical(k, alpha, side);
    double log_e = side == CONFSEQ_TWO ? log_e_two(z, k) : log_e_one(side == CONFSEQ_LESS ? -z : z, k);
    *out = (struct confseq){ .log_e = log_e, .log_p = fmin(0, -log_e), .half_width = half };
    out->lo = side == CONFSEQ_LESS ? -INFINITY : effect - half;
    out->hi = side == CONFSEQ_GREATER ? INFINITY : effect + half;
    out->p = exp(out->log_p);
}

static bool check_effect(double effect, double se, double k, struct err *err)
{
    if (!isfinite(effect))
        return err_set(err, ERR_INVALID, "the effect is not a finite number");
    if (!(se > 0) || !isfinite(se))
        return err_set(err, ERR_INVALID, "the standard error is %g, not a number above 0", se);
    if (!isfinite(effect / se * (effect / se)))
        return err_set(err, ERR_INVALID, "the effect is too many standard errors for a number");
    if (!isfinite(k) || !isfinite(1 / k))
        return err_set(err, ERR_INVALID,
                       "the width of the mixture and the standard error differ too much for a number");
    return true;
}

bool confseq_asymptotic(double effect, double se, double n, double rho, double alpha, enum confseq_side side,
                        struct confseq *out, struct err *err)
{
    if (!check_alpha(alpha, side, err))
        return false;
    if (!(n > 0) || !isfinite(n))
        return err_set(err, ERR_INVALID, "n is %g, not a number of units above 0", n);
    if (!(rho > 0) || !isfinite(rho))
        return err_set(err, ERR_INVALID, "rho is %g, not a number above 0", rho);
    double k = n * rho * rho;
    if (!check_effect(effect, se, k, err))
        return false;
    answer(effect, se, k, alpha, side, out);
    return true;
}

bool confseq_msprt(double effect, double se, double tau, double theta0, double alpha, struct confseq *out,
                   struct err *err)
{
    double k = (tau / se) * (tau / se);
    if (!check_alpha(alpha, CONFSEQ_TWO, err))
        return false;
    if (!(tau > 0) || !isfinite(tau))
        return err_set(err, ERR_INVALID, "tau is %g, not a number above 0", tau);
    if (!isfinite(theta0))
        return err_set(err, ERR_INVALID, "theta0 is not a finite number");
    if (!check_effect(effect - theta0, se, k, err))
        return false;
    answer(effect - theta0, se, k, alpha, CONFSEQ_TWO, out);
    out->lo = effect - out->half_width;
    out->hi = effect + out->half_width;
    return true;
}

void confseq_run_add(struct confseq_run *run, const struct confseq *look)
{
    bool first = run->looks++ == 0;
    run->log_p = first ? look->log_p : fmin(run->log_p, look->log_p);
    run->lo = first ? look->lo : fmax(run->lo, look->lo);
    run->hi = first ? look->hi : fmin(run->hi, look->hi);
}
