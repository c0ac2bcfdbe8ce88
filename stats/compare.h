/* compare.h - what a result page asks: the value of an arm, the comparison of two, and whether the shares of units are right.
 *
 * Values in, values out, no allocation, no state. Every interval is two-sided at `level` and says its method; every refusal says why
 * in words for the page. The test is on the absolute scale: Welch's t for one look, the asymptotic confidence sequence (sequential/confseq.h)
 * for many; the interval of the lift is Fieller's with the same critical value, so that it excludes 0 exactly when the test rejects (lift.h
 * says why). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/effect.h"
#include "stats/lift.h"
#include "stats/moments.h"
#include "stats/proportion.h"
#include "stats/ranks/sketch.h"
#include "stats/srm.h"

enum metric_kind {
    METRIC_PROPORTION, /* x is 0 or 1 per unit */
    METRIC_MEAN,       /* x is any number per unit */
    METRIC_RATIO,      /* Σx / Σy over units; variance by the delta method (ratio.h) */
    METRIC_QUANTILE, /* of single values, several a unit: x of a unit's y values are at or below the arm's quantile (ranks/quantile.h) */
    METRIC_KIND_COUNT
};

struct arm {
    enum metric_kind kind;
    struct moments2 m;
    const struct sketch *sketch; /* of a QUANTILE */
    double quantile;             /* which one, between 0 and 1 */
};

struct arm_value {
    double value;                  /* Σx / n, or Σx / Σy */
    double numerator, denominator; /* the sums; of a proportion or mean the denominator is n */
    double se, ci_lo, ci_hi;
    const char *method; /* of the interval */
};

/* How often it is looked at: 0, once, at the end that was planned; else as often as one likes, and narrowest at so many units of both arms
 * (of the plan, never of the data). */
struct compare_plan {
    double level, planned_units;
};
/* Asymptotic sequences need some units to be right: below, looking at any time is refused. */
enum { COMPARE_UNITS_MIN = 100 };

struct comparison {
    double difference, se, statistic, df; /* df: NAN of any time, it has none */
    double p, log_p;                      /* two-sided; natural logarithm, good where p underflows */
    double ci_lo, ci_hi;                  /* of the difference */
    double lift, lift_lo,
        lift_hi; /* (treatment - control) / |control|; EXCLUSIVE: everything but (lo, hi); all 0 for NONE */
    enum lift_kind lift_kind;
    const char *method;
};

/* Wilson's interval for a proportion, the t interval for a mean, the delta method for a ratio. Refuses fewer than 2 units, a
 * denominator of 0 and moments that no data can have. */
bool stats_arm_value(const struct arm *a, double level, struct arm_value *out, struct err *err) MUSTCHECK;
/* Both arms are of the same kind. Refuses also when neither arm varies, and, of a plan for any time, fewer than COMPARE_UNITS_MIN units. */
bool stats_compare(const struct arm *control, const struct arm *treatment, const struct compare_plan *plan,
                   struct comparison *out, struct err *err) MUSTCHECK;
/* What a comparison of this kind is called; lives for ever. */
const char *stats_compare_method(enum metric_kind kind, const struct compare_plan *plan);

/* ---- the pieces ---- */

/* The value of an arm with the variance of that value. Refuses what stats_arm_value does. */
bool compare_estimate(const struct arm *a, struct estimate *out, struct err *err) MUSTCHECK;
/* Of a QUANTILE, with the ranks that its standard error is made of. */
bool compare_quantile(const struct arm *a, struct quantile *out, struct err *err) MUSTCHECK;
/* An effect, however it was adjusted, tested as the plan says; the intervals at level 1 - alpha, the test of any time tuned for plan->level. */
bool compare_effect(const struct effect *e, const struct compare_plan *plan, double alpha, struct comparison *out,
                    struct err *err) MUSTCHECK;
/* The same where the critical value and ln p are known: at a planned look. */
void compare_at(const struct effect *e, double critical, double log_p, struct comparison *out);
/* How many standard errors from the difference to its bounds. */
bool compare_critical(const struct effect *e, const struct compare_plan *plan, double alpha, double *out,
                      struct err *err) MUSTCHECK;

/* Shares of few: below so many successes or failures in an arm, t and normal approximations have nothing to stand on. */
enum { COMPARE_FEW = 20 };
/* The counts of two arms of METRIC_PROPORTION; true when some are few. */
bool compare_few(const struct arm *control, const struct arm *treatment, struct proportions *out);
/* At one look: the score test, the difference by Miettinen and Nurminen, the lift by Koopman, which exclude 0 exactly when the test rejects;
 * 0 of n against k of n works, and 0 against 0. *out_log_p_exact: Fisher's, NAN when there are too many tables. */
bool compare_counts(const struct proportions *c, double alpha, struct comparison *out, double *out_log_p_exact,
                    struct err *err) MUSTCHECK;

/* Is a guardrail worse by more than a margin? Tests with - k base (relative) or with - base (absolute) against the margin on the absolute scale, which is
 * Fieller's test of the lift; one side, with the critical value of the two-sided interval. */
struct compare_margin {
    double relative, absolute; /* one of them above 0 */
    bool increase;             /* larger is better */
};
struct compare_inferiority {
    double z;       /* standard errors that the effect lies on the good side of the margin; negative: beyond it */
    double log_p;   /* of one side, against "worse by the margin or more"; normal or t; of any time, of two sides */
    bool not_worse; /* shown not to be worse by the margin */
    bool worse;     /* shown to be worse by more than the margin */
};
bool compare_inferior(const struct effect *e, const struct compare_margin *m, const struct compare_plan *plan,
                      double critical, struct compare_inferiority *out, struct err *err) MUSTCHECK;
/* srm_test for a page: refuses also when nobody has been exposed yet. */
bool stats_srm(const int64_t *counts, const double *weights, size_t n, struct srm *out, struct err *err) MUSTCHECK;
