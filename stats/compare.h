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
#include "stats/lift.h"
#include "stats/moments.h"
#include "stats/srm.h"

enum metric_kind {
    METRIC_PROPORTION, /* x is 0 or 1 per unit */
    METRIC_MEAN,       /* x is any number per unit */
    METRIC_RATIO       /* Σx / Σy over units; variance by the delta method (ratio.h) */
};

struct arm {
    enum metric_kind kind;
    struct moments2 m;
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
/* srm_test for a page: refuses also when nobody has been exposed yet. */
bool stats_srm(const int64_t *counts, const double *weights, size_t n, struct srm *out, struct err *err) MUSTCHECK;
