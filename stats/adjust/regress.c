#include "stats/adjust/regress.h"

#include <math.h>

#include "stats/adjust/cuped.h"

/* 1 - h below this is the rounding of h. */
#define ALONE 1e-12

/* toward: where the effect is measured, from the arm's mean; sign: of `lean`. */
static void place(const struct cross *c, const double *toward, double sign, struct regress_arm *out)
{
    double d[SOLVE_MAX];
    out->n = (double)c->n;
    out->mean_y = c->mean[0];
    for (size_t i = 0; i + 1 < c->vars; i++) {
        out->mean_x[i] = c->mean[i + 1];
        d[i] = sign * toward[i];
    }
    solve_apply(&out->s, d, out->lean);
}

/* (ȳ_t - ȳ_c) + what each arm's line adds between its mean and the place where the lines are compared */
static double effect_at(const struct cross *arms, const struct regress_plan *p, double toward[REGRESS_ARMS][SOLVE_MAX])
{
    double effect = cross_difference(&arms[REGRESS_CONTROL], &arms[REGRESS_TREATMENT], 0);
    for (size_t i = 0; i < p->covariates; i++)
        effect += p->arms[REGRESS_TREATMENT].slope[i] * toward[REGRESS_TREATMENT][i] -
                  p->arms[REGRESS_CONTROL].slope[i] * toward[REGRESS_CONTROL][i];
    return effect;
}

bool regress_plan(const struct cross *control, const struct cross *treatment, enum regress_model model,
                  struct regress_plan *out, struct err *err)
{
    const struct cross arms[REGRESS_ARMS] = { *control, *treatment };
    struct regress_plan p = { .covariates = control->vars - 1 };
    double toward[REGRESS_ARMS][SOLVE_MAX] = { 0 }, n_c = (double)control->n, n_t = (double)treatment->n;
    if (!cross_check(control, err) || !cross_check(treatment, err))
        return false;
    for (size_t i = 0; i < p.covariates; i++) {
        double d = cross_difference(control, treatment, i + 1);
        toward[REGRESS_CONTROL][i] = d * (n_t / (n_c + n_t));
        toward[REGRESS_TREATMENT][i] = -d * (n_c / (n_c + n_t));
    }
    for (size_t a = 0; a < REGRESS_ARMS; a++) {
        bool both = model == REGRESS_ANCOVA;
        if (!cuped_theta(both ? arms : &arms[a], both ? REGRESS_ARMS : 1, &p.arms[a].s, p.arms[a].slope, err))
            return false;
        double whole[SOLVE_MAX]; /* with one slope the lines are parallel: each arm's own mean moves the whole way */
        for (size_t i = 0; i < p.covariates; i++)
            whole[i] = both ? toward[REGRESS_TREATMENT][i] - toward[REGRESS_CONTROL][i] : toward[a][i];
        place(&arms[a], whole, both && a == REGRESS_CONTROL ? -1 : 1, &p.arms[a]);
    }
    p.effect = effect_at(arms, &p, toward);
    *out = p;
    return true;
}

void regress_add(const struct regress_plan *p, size_t arm, double y, const double *x, struct regress_sums *sums)
{
    const struct regress_arm *a = &p->arms[arm];
    double d[SOLVE_MAX], solved[SOLVE_MAX], e = y - a->mean_y, h = 1 / a->n, c = 1 / a->n;
    for (size_t i = 0; i < p->covariates; i++)
        d[i] = x[i] - a->mean_x[i];
    solve_apply(&a->s, d, solved);
    for (size_t i = 0; i < p->covariates; i++) {
        e -= a->slope[i] * d[i];
        h += d[i] * solved[i];
        c += a->lean[i] * d[i];
    }
    double square = c * e * (c * e);
    sums->hc0 += square;
    sums->alone += !(1 - h > ALONE);
    sums->hc2 += 1 - h > ALONE ? square / (1 - h) : 0;
}
