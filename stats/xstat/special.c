/* The method `special`: one row a function. */
#include "stats/special/special.h"

#include <math.h>
#include <string.h>

#include "stats/special/ibeta.h"
#include "stats/xstat/xstat.h"

enum { ARGUMENTS_MAX = 3 };

/* Below it 1 / a overflows on the way. */
#define SHAPE_MIN 1e-100

/* What an argument must be. Names decide: p is a probability, df a, b are positive, the rest any number. */
enum domain { ANY, POSITIVE, PROBABILITY, FROM_0, FRACTION, LAMBERT, COUNT };

struct argument {
    const char *name;
    enum domain domain;
};

struct function {
    const char *name;
    struct argument arguments[ARGUMENTS_MAX]; /* in the order of `of` */
    double (*of)(const double *v);
};

static double norm_logcdf(const double *v)
{
    return special_log_normal_q(-v[0]);
}

static double norm_upper_quantile(const double *v)
{
    return special_normal_qinv(v[0]);
}

static double t_logsf(const double *v)
{
    return special_log_t_q(v[0], v[1]);
}

static double t_upper_quantile(const double *v)
{
    return special_t_qinv(v[0], v[1]);
}

static double chi2_logsf(const double *v)
{
    return special_log_chi2_q(v[0], v[1]);
}

static double log_ibeta(const double *v)
{
    return ibeta_log(v[0], v[1], v[2], 1 - v[2]);
}

static double log_beta(const double *v)
{
    return special_log_beta(v[0], v[1]);
}

static double beta_quantile(const double *v)
{
    return special_beta_pinv(v[0], v[1], v[2]);
}

static double binom_log_upper(const double *v)
{
    return special_log_binomial_upper((int64_t)v[0], (int64_t)v[1], v[2]);
}

static double lambert_wm1(const double *v)
{
    return special_lambert_wm1(v[0]);
}

static double nct_upper(const double *v)
{
    return special_noncentral_t_q(v[0], v[1], v[2]);
}

static double kolmogorov_sf(const double *v)
{
    return special_kolmogorov_q(v[0]);
}

static const struct function functions[] = {
    { "norm_logcdf", { { "x", ANY } }, norm_logcdf },
    { "norm_upper_quantile", { { "p", PROBABILITY } }, norm_upper_quantile },
    { "t_logsf", { { "t", ANY }, { "df", POSITIVE } }, t_logsf },
    { "t_upper_quantile", { { "p", PROBABILITY }, { "df", POSITIVE } }, t_upper_quantile },
    { "chi2_logsf", { { "x", FROM_0 }, { "df", POSITIVE } }, chi2_logsf },
    { "log_ibeta", { { "a", POSITIVE }, { "b", POSITIVE }, { "x", FRACTION } }, log_ibeta },
    { "log_beta", { { "a", POSITIVE }, { "b", POSITIVE } }, log_beta },
    { "beta_quantile", { { "p", PROBABILITY }, { "a", POSITIVE }, { "b", POSITIVE } }, beta_quantile },
    { "binom_log_upper", { { "k", COUNT }, { "n", COUNT }, { "p", PROBABILITY } }, binom_log_upper },
    { "lambert_wm1", { { "x", LAMBERT } }, lambert_wm1 },
    { "nct_upper", { { "t", ANY }, { "df", POSITIVE }, { "nc", ANY } }, nct_upper },
    { "kolmogorov_sf", { { "x", FROM_0 } }, kolmogorov_sf },
};

static bool check_argument(const struct argument *a, double v, struct err *err)
{
    if (!isfinite(v))
        return err_set(err, ERR_INVALID, "%s is not a finite number", a->name);
    bool good = true;
    switch (a->domain) {
    case ANY:
        break;
    case POSITIVE:
        good = v >= SHAPE_MIN;
        break;
    case PROBABILITY:
        good = v > 0 && v < 1;
        break;
    case FROM_0:
        good = v >= 0;
        break;
    case FRACTION:
        good = v >= 0 && v <= 1;
        break;
    case LAMBERT:
        good = v < 0 && v >= -exp(-1);
        break;
    case COUNT:
        good = v >= 0 && v == floor(v) && v <= 0x1p53;
        break;
    }
    return good || err_set(err, ERR_INVALID, "%s = %g is outside the function's domain", a->name, v);
}

bool xstat_special(struct xstat_in *in, json_t *out, struct err *err)
{
    const char *name = xstat_in_text(in, "f");
    const struct function *f = NULL;
    double v[ARGUMENTS_MAX] = { 0 };
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (strcmp(functions[i].name, name) == 0)
            f = &functions[i];
    for (size_t i = 0; f && i < ARGUMENTS_MAX && f->arguments[i].name; i++)
        v[i] = xstat_in_double(in, f->arguments[i].name);
    if (in->err.kind == ERR_NONE && !f)
        return err_set(err, ERR_INVALID, "there is no function \"%s\"", name);
    if (!xstat_in_end(in, err))
        return false;
    for (size_t i = 0; i < ARGUMENTS_MAX && f->arguments[i].name; i++)
        if (!check_argument(&f->arguments[i], v[i], err))
            return false;
    xstat_out_double(out, "y", f->of(v));
    return true;
}
