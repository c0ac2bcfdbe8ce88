#include "stats/effect.h"

#include <assert.h>
#include <math.h>

#include "stats/adjust/cuped.h"
#include "stats/adjust/strata.h"

const char *const effect_by_names[] = {
    [EFFECT_PLAIN] = "none",        [EFFECT_CUPED] = "cuped",     [EFFECT_STRATA] = "strata",
    [EFFECT_STRATA_CUPED] = "both", [EFFECT_PERIODS] = "periods",
};
static_assert(sizeof effect_by_names / sizeof *effect_by_names == EFFECT_BY_COUNT, "a name for every way");

static const char no_variance[] = "all units of both variants have the same value: there is no variance to compare "
                                  "with";

bool effect_plain(const struct estimate *c, const struct estimate *t, int64_t n_c, int64_t n_t, struct effect *out,
                  struct err *err)
{
    if (!(c->variance > 0 || t->variance > 0))
        return err_set(err, ERR_INVALID, "%s", no_variance);
    *out = (struct effect){ .by = EFFECT_PLAIN,
                            .difference = t->value - c->value,
                            .se = welch_se(c, t),
                            .df = welch_df(c, t),
                            .base = *c,
                            .with = *t,
                            .n_c = n_c,
                            .n_t = n_t };
    return true;
}

/* Var(m_c + D) = Var m_c + Var D + 2 Cov, Cov(m_c + D, m_c) = Var m_c + Cov. */
static void set_with(struct effect *e, double cov_baseline)
{
    e->with = e->base;
    e->with.value = e->base.value + e->difference;
    e->with.variance = fmax(0, e->base.variance + e->se * e->se + 2 * cov_baseline);
    e->covariance = e->base.variance + cov_baseline;
}

static double saved(double se, double plain_se)
{
    double left = plain_se > 0 ? se / plain_se : 1;
    return (1 - left) * (1 + left);
}

bool effect_cuped(bool ratio, const struct cross *c, const struct cross *t, struct effect *out, struct err *err)
{
    struct cross linear[2] = { *c, *t };
    struct cuped a;
    if (ratio && !cross_ratio(c, &linear[0], err))
        return err_prefix(err, "control: ");
    if (ratio && !cross_ratio(t, &linear[1], err))
        return false;
    if (!cuped_adjust(&linear[0], &linear[1], CUPED_WITHIN, &a, err))
        return false;
    if (!(a.se > 0))
        return err_set(err, ERR_INVALID, "the adjusted units do not vary");
    struct effect e = { .by = EFFECT_CUPED,
                        .difference = a.difference,
                        .se = a.se,
                        .df = welch_df(&a.control, &a.treatment),
                        .base = a.plain_control,
                        .n_c = c->n,
                        .n_t = t->n,
                        .variance_reduction = a.variance_reduction };
    set_with(&e, a.cov_baseline);
    *out = e;
    return true;
}

/* ---- strata ---- */

/* What a unit's variables become: `rows` sums of them, row i Σ_j by[i][j] v_j + at[i]. */
struct linear {
    size_t rows;
    double by[CROSS_MAX][CROSS_MAX], at[CROSS_MAX];
};

static bool ratio_row(const struct cross *arm, size_t x, size_t row, struct linear *l, struct err *err)
{
    double denominator = arm->mean[x + 1], r = arm->mean[x] / denominator;
    if (denominator == 0 || !isfinite(r))
        return err_set(err, ERR_INVALID, "the denominator is 0");
    l->at[row] = r;
    l->by[row][x] = 1 / denominator;
    l->by[row][x + 1] = -r / denominator;
    return true;
}

/* Of a whole arm. A ratio of the time before that has no denominator is left out: its row is 0, it does not vary. */
static bool linear_of(bool ratio, const struct cross *arm, struct linear *out, struct err *err)
{
    *out = (struct linear){ .rows = ratio ? arm->vars / 2 : arm->vars };
    for (size_t i = 0; i < out->rows; i++) {
        if (!ratio)
            out->by[i][i] = 1;
        else if (!ratio_row(arm, 2 * i, i, out, i == 0 ? err : NULL) && i == 0)
            return false;
    }
    return true;
}

static struct cross applied(const struct linear *l, const struct cross *in)
{
    struct cross out = { .n = in->n, .vars = l->rows };
    for (size_t i = 0; i < l->rows; i++) {
        out.mean[i] = l->at[i];
        for (size_t j = 0; j < in->vars; j++)
            out.mean[i] += l->by[i][j] * (in->mean[j] + in->rest[j]);
        for (size_t k = 0; k < l->rows; k++)
            for (size_t a = 0; a < in->vars; a++)
                for (size_t b = 0; b < in->vars; b++)
                    out.m2[i][k] += l->by[i][a] * in->m2[a][b] * l->by[k][b];
    }
    for (size_t i = 0; i < l->rows; i++)
        out.m2[i][i] = fmax(0, out.m2[i][i]);
    return out;
}

static struct estimate of_arm(const struct cross *all)
{
    double n = (double)all->n;
    return (struct estimate){ all->mean[0], all->m2[0][0] / (n - 1) / n, n - 1 };
}

static struct stratum_arm plain_arm(const struct cross *c)
{
    return (struct stratum_arm){ c->n, c->mean[0], c->n > 1 ? c->m2[0][0] / (double)(c->n - 1) : 0 };
}

/* cells: linear already. */
static bool conclude(bool covariates, const struct cross *cells, const struct cross *all, size_t n, struct effect *out,
                     struct err *err)
{
    struct stratum strata[EFFECT_STRATA_MAX];
    double theta[SOLVE_MAX];
    struct strata s;
    for (size_t k = 0; k < n; k++)
        strata[k] = (struct stratum){ plain_arm(&cells[2 * k]), plain_arm(&cells[2 * k + 1]) };
    if ((covariates && !strata_cuped(cells, n, theta, strata, err)) || !strata_effect(strata, n, NULL, &s, err))
        return false;
    if (!(s.se_super > 0))
        return err_set(err, ERR_INVALID, "%s", no_variance);
    struct estimate c = of_arm(&all[0]), t = of_arm(&all[1]);
    *out = (struct effect){ .by = covariates ? EFFECT_STRATA_CUPED : EFFECT_STRATA,
                            .difference = s.effect,
                            .se = s.se_super,
                            .df = fmax(1, (double)all[0].n + (double)all[1].n - 2 * (double)n),
                            .base = s.control,
                            .with = s.treatment,
                            .covariance = s.covariance,
                            .n_c = all[0].n,
                            .n_t = all[1].n,
                            .variance_reduction = saved(s.se_super, welch_se(&c, &t)) };
    return true;
}

/* `all`: the whole arms, linear. */
static bool linear_units(bool ratio, const struct cross *cells, size_t n, struct cross *all, struct cross *out,
                         struct err *err)
{
    struct linear l[2];
    if (n == 0 || n > EFFECT_STRATA_MAX)
        return err_set(err, ERR_INVALID, "there are %zu strata, must be 1 to %d", n, EFFECT_STRATA_MAX);
    all[0] = all[1] = cross_none(cells[0].vars);
    for (size_t i = 0; i < 2 * n; i++)
        cross_merge(&all[i % 2], &cells[i]);
    for (size_t arm = 0; arm < 2; arm++) {
        if (!linear_of(ratio, &all[arm], &l[arm], err))
            return err_prefix(err, arm == 0 ? "control: " : "treatment: ");
        all[arm] = applied(&l[arm], &all[arm]);
    }
    for (size_t i = 0; i < 2 * n; i++)
        out[i] = applied(&l[i % 2], &cells[i]);
    return true;
}

bool effect_strata_units(bool ratio, const struct cross *cells, size_t n, struct cross *out, struct err *err)
{
    struct cross all[2];
    return linear_units(ratio, cells, n, all, out, err);
}

bool effect_strata(bool ratio, bool covariates, const struct cross *cells, size_t n, struct effect *out,
                   struct err *err)
{
    struct cross all[2], linear[2 * EFFECT_STRATA_MAX];
    return linear_units(ratio, cells, n, all, linear, err) && conclude(covariates, linear, all, n, out, err);
}

struct cross effect_cell(const struct moments2 *m, bool ratio)
{
    struct cross c = cross_none(ratio ? 2 : 1);
    c.n = m->n;
    c.mean[0] = m->mean_x;
    c.m2[0][0] = m->m2_x;
    if (ratio) {
        c.mean[1] = m->mean_y;
        c.m2[1][1] = m->m2_y;
        c.m2[0][1] = c.m2[1][0] = m->cxy;
    }
    return c;
}
