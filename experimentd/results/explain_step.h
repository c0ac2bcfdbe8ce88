/* explain_step.h - one step of an explanation: a method of xstat, the input that gives the numbers, and which key of its answer is which of ours.
 *
 *     step_begin(w, "mean_t"); … members of the input … step_gives(w); jsonw_text(w, "value", "mean"); step_end(w);
 *
 * Beside it the steps of what was made of many numbers: a quantile, strata, planned looks. A step that cannot be written is left out. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/analysis.h"

void step_begin(struct jsonw *w, const char *method);
void step_gives(struct jsonw *w); /* ends the input */
void step_end(struct jsonw *w);
void step_give_pair(struct jsonw *w, const char *ours, const char *lo, const char *hi);

/* The value of an arm, from moments of its units' values at and below it, and the values at the ranks that they leave open. */
void step_quantile_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a);
/* The difference of two; with its test when `decides`. */
void step_quantiles(struct jsonw *w, const struct result_metric *m, const struct result_arm *control,
                    const struct result_arm *treatment, double alpha, bool decides);
/* The difference by strata, with CUPED in them or without. */
void step_strata(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant,
                 const struct effect *e, double alpha, bool decides);
/* The difference by days of first exposure, each with its share of all units; nothing of a ratio. */
void step_periods(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant, double alpha);
/* Planned looks: p and interval of the last one. */
void step_looks(struct jsonw *w, const struct result *r, const struct analysed *cell, double alpha);
