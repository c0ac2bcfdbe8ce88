/* regress.h - an effect from the regression of the outcome on the arm and covariates, with a standard error that needs no model of the
 * variance: two passes over the units, each of which merges.
 *
 * ANCOVA: y ~ 1 + w + x. LIN: y ~ 1 + w + (x - x̄) + w (x - x̄), which asymptotically is never worse than no adjustment (W. Lin, Annals
 * of Applied Statistics 7, 2013). The first pass is cross.h's moments, from which the plan has the effect; the second adds each
 * unit's squared residual, weighted by its influence c on the effect and its leverage h:
 *
 *     HC0 = Σ c² e²,   HC2 = Σ c² e²/(1 - h)      (J. MacKinnon, H. White, Journal of Econometrics 29, 1985)
 *
 * With a = arm of the unit, d = x - x̄_a and S the second moments (LIN: of its arm; ANCOVA: summed over the arms),
 * h = 1/n_a + d'S^-1 d; LIN: c = 1/n_a + (x̄ - x̄_a)'S^-1 d; ANCOVA: c = 1/n_a ∓ (x̄_t - x̄_c)'S^-1 d. cuped.h needs only the first
 * pass, and agrees with ANCOVA about the effect. */
#pragma once
#include "stats/adjust/cross.h"

enum regress_model { REGRESS_ANCOVA, REGRESS_LIN };
enum { REGRESS_CONTROL, REGRESS_TREATMENT, REGRESS_ARMS };

struct regress_arm {
    double n, mean_y, mean_x[SOLVE_MAX];
    double slope[SOLVE_MAX]; /* of y on x */
    double lean[SOLVE_MAX];  /* c = 1/n + lean'd */
    struct solve s;
};
struct regress_plan {
    size_t covariates;
    double effect;
    struct regress_arm arms[REGRESS_ARMS];
};

/* Refuses as cuped_adjust does. */
bool regress_plan(const struct cross *control, const struct cross *treatment, enum regress_model model,
                  struct regress_plan *out, struct err *err) MUSTCHECK;

/* Parts of the second pass merge by adding the fields. */
struct regress_sums {
    double hc0, hc2;
    int64_t alone; /* units that decide a coefficient alone (h = 1): with one of them HC2 is not defined */
};
void regress_add(const struct regress_plan *p, size_t arm, double y, const double *x, struct regress_sums *sums);
