/* effect.h - the effect of a treatment before it is tested: a difference with its standard error, and what its lift is a ratio of.
 *
 * However it was found (plain, adjusted by covariates, by strata, by both, by periods of a bandit), a test needs the same few numbers, so
 * every method of looking (once, at planned looks, at any time) works with every adjustment. The lift is with/base - 1, base the control's
 * unadjusted value and with = base + difference; their covariance makes Fieller's set exclude 0 exactly when the test with the same critical value
 * rejects. A ratio of sums is linearised: R + (x - R y)/ȳ of each unit, R and ȳ of the whole arm (A. Deng, U. Knoblich, J. Lu, KDD 2018). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/adjust/cross.h"
#include "stats/moments.h"
#include "stats/welch.h"

enum effect_by {
    EFFECT_PLAIN,
    EFFECT_CUPED,        /* covariates (adjust/cuped.h) */
    EFFECT_STRATA,       /* post-stratified (adjust/strata.h), super-population variance */
    EFFECT_STRATA_CUPED, /* both */
    EFFECT_PERIODS,      /* by periods of constant weights, after a bandit (bandit.h) */
    EFFECT_BY_COUNT
};
extern const char *const effect_by_names[EFFECT_BY_COUNT];

struct effect {
    enum effect_by by;
    double difference, se, df;  /* df infinite: normal */
    struct estimate base, with; /* values and variances */
    double covariance;          /* of the two */
    int64_t n_c, n_t;
    double variance_reduction; /* 1 - se²/(unadjusted se)²; 0 of PLAIN, below 0 when the adjustment lost */
};

/* Two independent estimates. Refuses when neither varies. */
bool effect_plain(const struct estimate *c, const struct estimate *t, int64_t n_c, int64_t n_t, struct effect *out,
                  struct err *err) MUSTCHECK;
/* Moments of an outcome and its covariates; of a ratio (x, y, x before, y before). Refuses as cuped_adjust and cuped_test do. */
bool effect_cuped(bool ratio, const struct cross *c, const struct cross *t, struct effect *out,
                  struct err *err) MUSTCHECK;
/* n strata, control and treatment of each in turn (2 n cells), of one variable (x) or two (x, y) of a ratio; with covariates behind them when
 * `covariates`. At most EFFECT_STRATA_MAX. Refuses as strata_effect and strata_cuped do. */
enum { EFFECT_STRATA_MAX = 64 };
bool effect_strata(bool ratio, bool covariates, const struct cross *cells, size_t n, struct effect *out,
                   struct err *err) MUSTCHECK;
/* The 2 n cells that it compares: of a ratio the linearised units. */
bool effect_strata_units(bool ratio, const struct cross *cells, size_t n, struct cross *out, struct err *err) MUSTCHECK;
/* Moments as effect_strata takes them. */
struct cross effect_cell(const struct moments2 *m, bool ratio);
