/* json_metric.h - what the answers about results have in common: a metric's head, the value of an arm, a comparison with the control. Each
 * function writes members into the object that is open, so that results, segments and time series call the same thing the same. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/analysis.h"

/* "metric", "name", "description", "kind", "direction", "display", "role", "method" */
void metric_write_head(struct jsonw *w, const struct result *r, const struct result_metric *m);
/* "n", "numerator", "denominator", "value", "ci", and "reason": why there is no value, or null */
void metric_write_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a);
/* "difference", "difference_ci", "se", "statistic", "df", "p", "log10_p", "lift", "lift_ci", "lift_kind", "reason", "outcome" */
void metric_write_comparison(struct jsonw *w, const struct result_metric *m, const struct comparison *c);
void metric_write_tested(struct jsonw *w, const struct comparison *c, enum outcome outcome); /* the outcome is known */
void metric_write_no_comparison(struct jsonw *w, const char *reason);
/* "comparison": one of these two, as metric_compare finds. */
void metric_write_compared(struct jsonw *w, const struct result *r, const struct result_metric *m,
                           const struct result_arm *control, const struct result_arm *treatment);
/* The last three of a lift. */
void metric_write_lift(struct jsonw *w, const struct comparison *c);
void metric_write_no_lift(struct jsonw *w);
const char *metric_lift_kind(const struct comparison *c); /* lives for ever */
/* A sum is mean × n; of counts it is a whole number but for rounding, and is given as one. */
double metric_sum(double v);
void metric_write_interval(struct jsonw *w, const char *key, double lo, double hi);

/* As the experiment declared that it is looked at. */
bool metric_compare(const struct result *r, const struct result_metric *m, const struct result_arm *control,
                    const struct result_arm *treatment, struct comparison *out, struct err *err) MUSTCHECK;
bool metric_value(const struct result_metric *m, const struct result_arm *a, struct arm_value *out,
                  struct err *err) MUSTCHECK;
