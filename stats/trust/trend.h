/* trend.h - does the effect change with the days since exposure? Novelty wears off, habits (primacy) give way.
 *
 * Periods come with an effect and its standard error each, and must be independent: units by days since their first exposure, each counted in one period, or cohorts. Over
 * calendar days a mix of users changes as well. Inverse-variance weighted least squares with known variances, and the effect of the late periods less that
 * of the early ones (S. Sadeghi et al., arXiv 2102.12893). Values in, values out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct trend_pooled {
    double effect, se;
};

struct trend {
    struct trend_pooled all, early, late;
    double slope, slope_se, slope_z, slope_log_p;     /* per day; two-sided natural logarithm */
    double q, q_df, q_log_p;                          /* Cochran's Q: do the periods differ at all? */
    double change, change_se, change_z, change_log_p; /* late - early */
};

/* n periods of which the first `early` are the early ones; days may be NULL: 1 to n. Refuses fewer than 3 periods, standard errors that are not
 * above 0, days that are all the same, and an early or late window without a period. */
bool trend_test(const double *effects, const double *ses, const double *days, size_t n, size_t early, struct trend *out,
                struct err *err) MUSTCHECK;

enum trend_kind { TREND_NONE, TREND_FADES, TREND_GROWS };
/* What the change from early to late says at level alpha: nothing, an effect that goes towards 0 (novelty), or one that goes away from it (primacy). */
enum trend_kind trend_kind(const struct trend *t, double alpha);
