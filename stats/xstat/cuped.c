/* The method cuped. */
#include <math.h>

#include "stats/adjust/cuped.h"
#include "stats/adjust/regress.h"
#include "stats/xstat/xstat.h"

/* ---- cuped --------------------------------------------------------------------------------------------------------------- */

struct cuped_keys {
    const char *n, *mean_y, *mean_x, *var_y, *var_x, *cov, *y, *x, *ratio[4];
};
static const struct cuped_keys cuped_keys[REGRESS_ARMS] = {
    { "n_c",
      "mean_y_c",
      "mean_x_c",
      "var_y_c",
      "var_x_c",
      "cov_xy_c",
      "y_c",
      "x_c",
      { "num_c", "den_c", "pre_num_c", "pre_den_c" } },
    { "n_t",
      "mean_y_t",
      "mean_x_t",
      "var_y_t",
      "var_x_t",
      "cov_xy_t",
      "y_t",
      "x_t",
      { "num_t", "den_t", "pre_num_t", "pre_den_t" } },
};

/* The columns of one arm: y, or what stands for it, first. */
struct columns {
    size_t vars, n;
    const double *of[CROSS_MAX];
    struct cross m;
};

static void add_column(struct xstat_in *in, struct columns *c, const char *key, const double *values, size_t n)
{
    if (in->err.kind != ERR_NONE)
        return;
    if (c->vars == CROSS_MAX)
        err_set(&in->err, ERR_INVALID, "%s: there are more than %d covariates", key, SOLVE_MAX);
    else if (c->vars > 0 && n != c->n)
        err_set(&in->err, ERR_INVALID, "%s: a column has %zu values, the first one has %zu", key, n, c->n);
    else
        c->of[c->vars++] = values;
    c->n = n;
}

static void add_up(struct columns *c)
{
    double unit[CROSS_MAX];
    c->m = cross_none(c->vars);
    for (size_t i = 0; i < c->n; i++) {
        for (size_t v = 0; v < c->vars; v++)
            unit[v] = c->of[v][i];
        cross_add(&c->m, unit);
    }
}

static void read_columns(struct xstat_in *in, const struct cuped_keys *k, struct columns *c)
{
    size_t n = 0, rows = 0, *lengths = NULL;
    const double *y = xstat_in_doubles(in, k->y, &n), *x = xstat_in_double_rows(in, k->x, &lengths, &rows);
    add_column(in, c, k->y, y, n);
    for (size_t r = 0; r < rows; x += lengths[r++])
        add_column(in, c, k->x, x, lengths[r]);
    add_up(c);
}

static void read_ratio_columns(struct xstat_in *in, const struct cuped_keys *k, struct columns *c)
{
    for (size_t i = 0; i < COUNT_OF(k->ratio); i++) {
        size_t n = 0;
        const double *values = xstat_in_doubles(in, k->ratio[i], &n);
        add_column(in, c, k->ratio[i], values, n);
    }
    add_up(c);
    struct cross units = c->m;
    if (in->err.kind == ERR_NONE && (!cross_check(&units, &in->err) || !cross_ratio(&units, &c->m, &in->err)))
        (void)err_prefix(&in->err, "%s: ", k->ratio[0]);
}

static void read_summary(struct xstat_in *in, const struct cuped_keys *k, struct columns *c)
{
    c->m = cross_none(2);
    c->m.n = xstat_in_count(in, k->n);
    double of = (double)c->m.n - 1;
    c->m.mean[0] = xstat_in_double(in, k->mean_y);
    c->m.mean[1] = xstat_in_double(in, k->mean_x);
    c->m.m2[0][0] = xstat_in_double(in, k->var_y) * of;
    c->m.m2[1][1] = xstat_in_double(in, k->var_x) * of;
    c->m.m2[0][1] = c->m.m2[1][0] = xstat_in_double(in, k->cov) * of;
}

static void read_cuped(struct xstat_in *in, const struct cuped_keys *k, struct columns *c)
{
    if (xstat_in_has(in, k->ratio[0]))
        read_ratio_columns(in, k, c);
    else if (xstat_in_has(in, k->y))
        read_columns(in, k, c);
    else
        read_summary(in, k, c);
}

static bool write_cuped_test(const struct cuped *a, double alpha, json_t *out, struct err *err)
{
    static const char *const undefined[] = { "df", "t", "log_p", "p", "ci_lo", "ci_hi", "lift_lo", "lift_hi" };
    struct welch w;
    if (!(a->se > 0)) {
        for (size_t i = 0; i < COUNT_OF(undefined); i++)
            xstat_out_null(out, undefined[i]);
        return true;
    }
    if (!cuped_test(a, alpha, &w, err))
        return false;
    struct lift_set lift = cuped_lift(a, w.critical);
    xstat_out_double(out, "df", w.df);
    xstat_out_double(out, "t", w.t);
    xstat_out_double(out, "log_p", w.log_p);
    xstat_out_double(out, "p", exp(w.log_p));
    xstat_out_double(out, "ci_lo", w.ci_lo);
    xstat_out_double(out, "ci_hi", w.ci_hi);
    xstat_out_double_if(out, "lift_lo", lift.kind == LIFT_BOUNDED, lift.lo);
    xstat_out_double_if(out, "lift_hi", lift.kind == LIFT_BOUNDED, lift.hi);
    return true;
}

static void write_cuped(const struct cuped *a, json_t *out)
{
    xstat_out_doubles(out, "theta", a->theta, a->covariates);
    xstat_out_double(out, "diff_unadjusted", a->plain_difference);
    xstat_out_double(out, "se_unadjusted", a->plain_se);
    xstat_out_double(out, "adj_mean_c", a->control.value);
    xstat_out_double(out, "adj_mean_t", a->treatment.value);
    xstat_out_double(out, "diff", a->difference);
    xstat_out_double(out, "se", a->se);
    xstat_out_double(out, "variance_reduction", a->variance_reduction);
    double base = a->plain_control.value;
    xstat_out_double_if(out, "lift", base != 0, a->difference / fabs(base));
}

/* GrowthBook's: θ around the grand mean, the delta method with the unadjusted mean of the treatment in the control's term. */
static bool write_grand(const struct cross *c, const struct cross *t, json_t *out, struct err *err)
{
    struct cuped a;
    if (!cuped_adjust(c, t, CUPED_GRAND, &a, err))
        return false;
    double m_c = c->mean[0], r = t->mean[0] / m_c, theta_r[SOLVE_MAX];
    for (size_t i = 0; i < a.covariates; i++)
        theta_r[i] = a.theta[i] / r;
    double n_c = (double)c->n, v_c = r == 0 ? 0 : r * r * (cuped_m2(c, theta_r) / (n_c - 1) / n_c);
    xstat_out_doubles(out, "theta_grand", a.theta, a.covariates);
    xstat_out_double(out, "diff_grand", a.difference);
    xstat_out_double(out, "se_grand", a.se);
    xstat_out_double_if(out, "growthbook_lift", m_c != 0, a.difference / fabs(m_c));
    xstat_out_double_if(out, "growthbook_lift_se", m_c != 0 && r != 0, sqrt(a.treatment.variance + v_c) / fabs(m_c));
    return true;
}

static struct regress_sums second_pass(const struct regress_plan *p, const struct columns *arms)
{
    struct regress_sums sums = { 0 };
    double x[SOLVE_MAX];
    for (size_t a = 0; a < REGRESS_ARMS; a++) {
        for (size_t i = 0; i < arms[a].n; i++) {
            for (size_t v = 1; v < arms[a].vars; v++)
                x[v - 1] = arms[a].of[v][i];
            regress_add(p, a, arms[a].of[0][i], x, &sums);
        }
    }
    return sums;
}

/* Needs the units themselves. Lin's model may be refused where the other is not: a covariate that follows from the others in one arm. */
static void write_regression(const struct columns *arms, enum regress_model model, json_t *out)
{
    static const char *const keys[][4] = { { "ancova_ate", "ancova_se_hc2", "ancova_se_hc0", "ancova_refused" },
                                           { "lin_ate", "lin_se_hc2", "lin_se_hc0", "lin_refused" } };
    const char *const *k = keys[model];
    struct regress_plan p;
    struct err why = { 0 };
    if (!regress_plan(&arms[REGRESS_CONTROL].m, &arms[REGRESS_TREATMENT].m, model, &p, &why)) {
        xstat_out_text(out, k[3], why.text);
        return;
    }
    struct regress_sums sums = second_pass(&p, arms);
    xstat_out_double(out, k[0], p.effect);
    xstat_out_double_if(out, k[1], sums.alone == 0, sqrt(sums.hc2));
    xstat_out_double(out, k[2], sqrt(sums.hc0));
}

bool xstat_cuped(struct xstat_in *in, json_t *out, struct err *err)
{
    struct columns arms[REGRESS_ARMS] = { 0 };
    struct cuped a;
    double alpha = xstat_in_double(in, "alpha");
    bool regression = xstat_in_bool_or(in, "regression", true);
    for (size_t i = 0; i < REGRESS_ARMS; i++)
        read_cuped(in, &cuped_keys[i], &arms[i]);
    const struct cross *c = &arms[REGRESS_CONTROL].m, *t = &arms[REGRESS_TREATMENT].m;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err))
        return false;
    if (c->vars != t->vars)
        return err_set(err, ERR_INVALID, "x_c has %zu covariates, x_t has %zu", c->vars - 1, t->vars - 1);
    if (!cuped_adjust(c, t, CUPED_WITHIN, &a, err))
        return false;
    write_cuped(&a, out);
    if (!write_cuped_test(&a, alpha, out, err) || !write_grand(c, t, out, err))
        return false;
    for (enum regress_model m = REGRESS_ANCOVA; regression && arms[0].vars == c->vars && m <= REGRESS_LIN; m++)
        write_regression(arms, m, out);
    return true;
}
