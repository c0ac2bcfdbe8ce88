/* welch.h - the difference of two independent estimates, by Welch's t (B. L. Welch, Biometrika 34, 1947).
 *
 * An arm comes as an estimate: its value, the variance of that value, and the degrees of freedom of that variance. A mean gives
 * (mean, s²/n, n - 1); a ratio of sums gives what ratio.h says. Differences are treatment - control. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct estimate {
    double value;
    double variance; /* of the value, not of the observations */
    double df;
};

struct welch {
    double difference, se, df, t;
    double log_p;                     /* two-sided; all logarithms are natural */
    double log_p_greater, log_p_less; /* P(T > t), P(T < t) */
    double critical;                  /* the t quantile of the interval */
    double ci_lo, ci_hi;              /* difference -/+ critical se */
};

/* The mean of n observations with unbiased variance `variance`. Refuses n < 2, negative and non-finite numbers. */
bool welch_estimate(int64_t n, double mean, double variance, struct estimate *out, struct err *err) MUSTCHECK;
/* Fills *out; the interval is two-sided of level 1 - alpha. Refuses when both variances are 0: there is nothing to compare with. */
bool welch_test(const struct estimate *control, const struct estimate *treatment, double alpha, struct welch *out,
                struct err *err) MUSTCHECK;
/* √(V_c + V_t) without overflow. */
double welch_se(const struct estimate *control, const struct estimate *treatment);
/* Welch and Satterthwaite's degrees of freedom; at least one variance is positive. */
double welch_df(const struct estimate *control, const struct estimate *treatment);
/* ln of the two-sided tail of a normal deviate. */
double welch_log_p_normal(double z);
bool welch_check_alpha(double alpha, struct err *err) MUSTCHECK;
