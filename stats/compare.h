/* compare.h - what a result page asks: the value of an arm, the comparison of two, and whether the shares of units are right.
 *
 * Values in, values out, no allocation. Every interval is two-sided at `level` and says its method; every refusal says why. The test
 * is on the absolute scale and the interval of the lift is Fieller's with the same critical value, so that it excludes 0 exactly
 * when the test rejects (reference: E. C. Fieller, JRSS B 16, 1954; the delta-method test of a lift is unsafe). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/moments.h"

enum metric_kind {
    METRIC_PROPORTION,         /* x is 0 or 1 per unit */
    METRIC_MEAN,               /* x is any number per unit */
    METRIC_RATIO               /* Σx / Σy over units; variance by the delta method (Deng, Knoblich, Lu, KDD 2018) */
};

struct arm {
    enum metric_kind kind;
    struct moments2 m;
};

struct arm_value {
    double value, numerator, denominator, se, ci_lo, ci_hi;
    const char *method;        /* of the interval */
};

enum lift_kind { LIFT_NONE, LIFT_BOUNDED, LIFT_EXCLUSIVE, LIFT_WHOLE_LINE };

struct comparison {
    double difference, se, statistic, df;
    double p, log_p;           /* two-sided; natural logarithm, good where p underflows */
    double ci_lo, ci_hi;       /* of the difference */
    double lift, lift_lo, lift_hi; /* (treatment - control) / |control|; EXCLUSIVE: everything but (lo, hi) */
    enum lift_kind lift_kind;  /* NONE: control is 0 */
    const char *method;
};

struct srm {
    double chi2, df, p, log_p;
};

bool stats_arm_value(const struct arm *a, double level, struct arm_value *out, struct err *err) MUSTCHECK;
bool stats_compare(const struct arm *control, const struct arm *treatment, double level, struct comparison *out,
                   struct err *err) MUSTCHECK;
/* Sample ratio mismatch: Pearson's chi-square of counts against weights (any positive scale). An arm of weight 0 does not count for
 * the degrees of freedom; a unit in it is an impossibility: p = 0. */
bool stats_srm(const int64_t *counts, const double *weights, size_t n, struct srm *out, struct err *err) MUSTCHECK;
