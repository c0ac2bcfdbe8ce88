/* The methods that compare two arms of means: welch_t, mean_t (of one), ratio_delta, relative_lift; and moments. */
#include <assert.h>
#include <math.h>

#include "stats/lift.h"
#include "stats/moments.h"
#include "stats/ratio.h"
#include "stats/special/special.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

static const char *const lift_kinds[] = {
    [LIFT_NONE] = "none",
    [LIFT_BOUNDED] = "bounded",
    [LIFT_EXCLUSIVE] = "exclusive",
    [LIFT_WHOLE_LINE] = "whole_line",
};
static_assert(sizeof lift_kinds / sizeof *lift_kinds == LIFT_KIND_COUNT, "a name for every kind");

/* ---- moments ------------------------------------------------------------------------------------------------------------- */

static bool column_is_finite(const double *v, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return err_set(err, ERR_INVALID, "value %zu is not a finite number", i + 1);
    return true;
}

/* One part a split, added up alone and merged by the tree; without splits one part. */
static bool add_columns(const double *x, const double *y, size_t n, const int64_t *splits, size_t parts_count,
                        struct arena *arena, struct moments2 *out, struct err *err)
{
    struct moments2 *parts = arena_zalloc(arena, (parts_count + 1) * sizeof *parts);
    size_t at = 0;
    for (size_t p = 0; p < parts_count; p++) {
        if (splits[p] < 0 || (uint64_t)splits[p] > n - at)
            return err_set(err, ERR_INVALID, "the splits do not sum to the number of values");
        for (size_t end = at + (size_t)splits[p]; at < end; at++)
            moments2_add(&parts[p], x[at], y ? y[at] : 0);
    }
    if (at != n)
        return err_set(err, ERR_INVALID, "the splits do not sum to the number of values");
    *out = moments2_tree(parts, parts_count);
    return true;
}

static void write_moments(const struct moments2 *m, bool two, json_t *out)
{
    bool spread = m->n > 1;
    double of = spread ? (double)(m->n - 1) : 1;
    xstat_out_count(out, "n", m->n);
    xstat_out_double(out, "mean", m->mean_x);
    xstat_out_double(out, "m2", m->m2_x);
    xstat_out_double_if(out, "var", spread, m->m2_x / of);
    xstat_out_double_if(out, "sd", spread, sqrt(m->m2_x / of));
    if (!two)
        return;
    xstat_out_double(out, "mean_y", m->mean_y);
    xstat_out_double(out, "m2_y", m->m2_y);
    xstat_out_double_if(out, "var_y", spread, m->m2_y / of);
    xstat_out_double_if(out, "cov", spread, m->cxy / of);
}

bool xstat_moments(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_y = 0, parts = 1;
    const double *x = xstat_in_doubles(in, "x", &n),
                 *y = xstat_in_has(in, "y") ? xstat_in_doubles(in, "y", &n_y) : NULL;
    int64_t all = (int64_t)n;
    const int64_t *splits = xstat_in_has(in, "splits") ? xstat_in_counts(in, "splits", &parts) : &all;
    struct moments2 m;
    if (!xstat_in_end(in, err))
        return false;
    if (n == 0)
        return err_set(err, ERR_INVALID, "there are no values");
    if (y && n_y != n)
        return err_set(err, ERR_INVALID, "x has %zu values, y has %zu", n, n_y);
    if (!column_is_finite(x, n, err) || !column_is_finite(y, n_y, err) ||
        !add_columns(x, y, n, splits, parts, in->arena, &m, err))
        return false;
    write_moments(&m, y != NULL, out);
    return true;
}

/* ---- welch_t ------------------------------------------------------------------------------------------------------------- */

static bool read_arms(struct xstat_in *in, struct estimate *c, struct estimate *t, struct err *err)
{
    int64_t n_c = xstat_in_count(in, "n_c"), n_t = xstat_in_count(in, "n_t");
    double mean_c = xstat_in_double(in, "mean_c"), var_c = xstat_in_double(in, "var_c");
    double mean_t = xstat_in_double(in, "mean_t"), var_t = xstat_in_double(in, "var_t");
    if (!xstat_in_end(in, err))
        return false;
    return (welch_estimate(n_c, mean_c, var_c, c, err) || err_prefix(err, "control: ")) &&
           (welch_estimate(n_t, mean_t, var_t, t, err) || err_prefix(err, "treatment: "));
}

bool xstat_welch_t(struct xstat_in *in, json_t *out, struct err *err)
{
    static const char *const undefined[] = {
        "df", "t", "log_p_two_sided", "p_two_sided", "log_p_greater", "log_p_less", "ci_lo", "ci_hi"
    };
    struct estimate c, t;
    struct welch w;
    double alpha = xstat_in_double(in, "alpha");
    bool normal = xstat_in_bool_or(in, "normal", false);
    if (!read_arms(in, &c, &t, err) || !welch_check_alpha(alpha, err))
        return false;
    if (normal)
        c.df = t.df = INFINITY;
    xstat_out_double(out, "diff", t.value - c.value);
    xstat_out_double(out, "se", welch_se(&c, &t));
    if (c.variance == 0 && t.variance == 0) {
        for (size_t i = 0; i < COUNT_OF(undefined); i++)
            xstat_out_null(out, undefined[i]);
        return true;
    }
    if (!welch_test(&c, &t, alpha, &w, err))
        return false;
    xstat_out_double(out, "df", w.df);
    xstat_out_double(out, "t", w.t);
    xstat_out_double(out, "log_p_two_sided", w.log_p);
    xstat_out_double(out, "p_two_sided", exp(w.log_p));
    xstat_out_double(out, "log_p_greater", w.log_p_greater);
    xstat_out_double(out, "log_p_less", w.log_p_less);
    xstat_out_double(out, "ci_lo", w.ci_lo);
    xstat_out_double(out, "ci_hi", w.ci_hi);
    return true;
}

/* ---- mean_t -------------------------------------------------------------------------------------------------------------- */

bool xstat_mean_t(struct xstat_in *in, json_t *out, struct err *err)
{
    int64_t n = xstat_in_count(in, "n");
    double mean = xstat_in_double(in, "mean"), var = xstat_in_double(in, "var"), alpha = xstat_in_double(in, "alpha");
    struct estimate e;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !welch_estimate(n, mean, var, &e, err))
        return false;
    double se = sqrt(e.variance), half = special_t_qinv(alpha / 2, e.df) * se;
    xstat_out_double(out, "mean", e.value);
    xstat_out_double(out, "se", se);
    xstat_out_double(out, "df", e.df);
    xstat_out_double(out, "ci_lo", e.value - half);
    xstat_out_double(out, "ci_hi", e.value + half);
    return true;
}

/* ---- ratio_delta --------------------------------------------------------------------------------------------------------- */

struct ratio_keys {
    const char *n, *mean_num, *mean_den, *var_num, *var_den, *cov, *num, *den;
};
static const struct ratio_keys ratio_keys[] = {
    { "n_c", "mean_num_c", "mean_den_c", "var_num_c", "var_den_c", "cov_c", "num_c", "den_c" },
    { "n_t", "mean_num_t", "mean_den_t", "var_num_t", "var_den_t", "cov_t", "num_t", "den_t" },
};

static bool read_ratio_columns(struct xstat_in *in, const struct ratio_keys *k, struct moments2 *out)
{
    size_t n, n_den;
    const double *num = xstat_in_doubles(in, k->num, &n), *den = xstat_in_doubles(in, k->den, &n_den);
    *out = (struct moments2){ 0 };
    if (in->err.kind == ERR_NONE && n != n_den)
        return err_set(&in->err, ERR_INVALID, "%s has %zu values, %s has %zu", k->num, n, k->den, n_den);
    for (size_t i = 0; i < n; i++)
        moments2_add(out, num[i], den[i]);
    return true;
}

static void read_ratio(struct xstat_in *in, const struct ratio_keys *k, struct moments2 *out)
{
    if (xstat_in_has(in, k->num)) {
        (void)read_ratio_columns(in, k, out);
        return;
    }
    int64_t n = xstat_in_count(in, k->n);
    double of = (double)n - 1;
    *out = (struct moments2){ .n = n,
                              .mean_x = xstat_in_double(in, k->mean_num),
                              .mean_y = xstat_in_double(in, k->mean_den) };
    out->m2_x = xstat_in_double(in, k->var_num) * of;
    out->m2_y = xstat_in_double(in, k->var_den) * of;
    out->cxy = xstat_in_double(in, k->cov) * of;
}

static void write_ratio_test(const struct estimate *c, const struct estimate *t, double z, json_t *out)
{
    double diff = t->value - c->value, se = welch_se(c, t), log_p;
    bool defined = se > 0;
    xstat_out_double(out, "diff", diff);
    xstat_out_double(out, "se", se);
    log_p = defined ? welch_log_p_normal(diff / se) : NAN;
    xstat_out_double_if(out, "z", defined, diff / se);
    xstat_out_double(out, "log_p", log_p);
    xstat_out_double(out, "p", exp(log_p));
    xstat_out_double_if(out, "ci_lo", defined, diff - z * se);
    xstat_out_double_if(out, "ci_hi", defined, diff + z * se);
    xstat_out_double_if(out, "welch_df", defined, defined ? welch_df(c, t) : 0);
}

static void write_ratio_lift(const struct estimate *c, const struct estimate *t, double z, json_t *out)
{
    bool defined = c->value != 0;
    double lift = (t->value - c->value) / fabs(c->value), se = defined ? lift_delta_se(c, t, 0) : 0;
    xstat_out_double_if(out, "lift", defined, lift);
    xstat_out_double_if(out, "lift_se_delta", defined, se);
    xstat_out_double_if(out, "lift_ci_lo", defined, lift - z * se);
    xstat_out_double_if(out, "lift_ci_hi", defined, lift + z * se);
    if (!(c->variance > 0 || t->variance > 0))
        return;
    struct lift_set set = lift_fieller(c, t, 0, z);
    xstat_out_text(out, "fieller_kind", lift_kinds[set.kind]);
    xstat_out_double_if(out, "fieller_lift_lo", set.kind == LIFT_BOUNDED, set.lo);
    xstat_out_double_if(out, "fieller_lift_hi", set.kind == LIFT_BOUNDED, set.hi);
}

bool xstat_ratio_delta(struct xstat_in *in, json_t *out, struct err *err)
{
    struct moments2 m_c, m_t;
    struct estimate c, t;
    double alpha = xstat_in_double(in, "alpha");
    read_ratio(in, &ratio_keys[0], &m_c);
    read_ratio(in, &ratio_keys[1], &m_t);
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err))
        return false;
    if (!ratio_estimate(&m_c, &c, err))
        return err_prefix(err, "control: ");
    if (!ratio_estimate(&m_t, &t, err))
        return err_prefix(err, "treatment: ");
    double z = special_normal_qinv(alpha / 2);
    xstat_out_double(out, "ratio_c", c.value);
    xstat_out_double(out, "ratio_t", t.value);
    xstat_out_double(out, "var_ratio_c", c.variance);
    xstat_out_double(out, "var_ratio_t", t.variance);
    write_ratio_test(&c, &t, z, out);
    write_ratio_lift(&c, &t, z, out);
    return true;
}

/* ---- relative_lift ------------------------------------------------------------------------------------------------------- */

static void write_difference(const struct estimate *c, const struct estimate *t, double cov, json_t *out)
{
    double diff = t->value - c->value, largest = fmax(c->variance, t->variance);
    double se = sqrt(largest) * sqrt(fmax(0, c->variance / largest + t->variance / largest - 2 * (cov / largest)));
    xstat_out_double(out, "diff", diff);
    xstat_out_double(out, "se_diff", se);
    xstat_out_double_if(out, "z_diff", se > 0, diff / se);
    xstat_out_double_if(out, "log_p_diff", se > 0, se > 0 ? welch_log_p_normal(diff / se) : 0);
}

static void write_simple_lifts(const struct estimate *c, const struct estimate *t, double cov, double z, json_t *out)
{
    bool defined = c->value != 0, same_sign = c->value * t->value > 0 || (c->value > 0 && t->value > 0);
    double ratio = t->value / c->value, lift = (t->value - c->value) / fabs(c->value);
    double se = defined ? lift_delta_se(c, t, cov) : 0, log_se = same_sign ? lift_log_se(c, t, cov) : 0;
    xstat_out_double_if(out, "ratio", defined, ratio);
    xstat_out_double_if(out, "lift", defined, lift);
    xstat_out_double_if(out, "lift_se_delta", defined, se);
    xstat_out_double_if(out, "delta_lo", defined, lift - z * se);
    xstat_out_double_if(out, "delta_hi", defined, lift + z * se);
    xstat_out_double_if(out, "log_ratio_se", same_sign, log_se);
    xstat_out_double_if(out, "log_ratio_lo", same_sign, ratio * exp(-z * log_se));
    xstat_out_double_if(out, "log_ratio_hi", same_sign, ratio * exp(z * log_se));
}

static void write_fieller(const struct estimate *c, const struct estimate *t, double cov, double z, json_t *out)
{
    struct lift_set ratio = lift_fieller_ratio(c, t, cov, z), lift = lift_fieller(c, t, cov, z);
    bool has_ends = ratio.kind != LIFT_WHOLE_LINE;
    double relative = z * (sqrt(c->variance) / c->value);
    xstat_out_double(out, "fieller_g", relative * relative);
    xstat_out_text(out, "fieller_kind", lift_kinds[ratio.kind]);
    xstat_out_double_if(out, "fieller_lo", has_ends, ratio.lo);
    xstat_out_double_if(out, "fieller_hi", has_ends, ratio.hi);
    xstat_out_double_if(out, "fieller_lift_lo", lift.kind == LIFT_BOUNDED, lift.lo);
    xstat_out_double_if(out, "fieller_lift_hi", lift.kind == LIFT_BOUNDED, lift.hi);
}

bool xstat_relative_lift(struct xstat_in *in, json_t *out, struct err *err)
{
    struct estimate c, t;
    double alpha = xstat_in_double(in, "alpha"), cov = xstat_in_double_or(in, "cov_means", 0);
    if (!read_arms(in, &c, &t, err) || !welch_check_alpha(alpha, err))
        return false;
    if (!isfinite(cov) || fabs(cov) > sqrt(c.variance) * sqrt(t.variance) * (1 + 1e-9))
        return err_set(err, ERR_INVALID, "the covariance of the means is larger than their variances allow");
    if (!(c.variance > 0 || t.variance > 0))
        return err_set(err, ERR_INVALID, "both variances are 0: there is nothing to compare with");
    double z = special_normal_qinv(alpha / 2);
    write_difference(&c, &t, cov, out);
    write_simple_lifts(&c, &t, cov, z, out);
    write_fieller(&c, &t, cov, z, out);
    return true;
}
