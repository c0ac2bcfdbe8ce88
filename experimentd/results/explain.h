/* explain.h - how a number of the result came to be, so that it can be checked line by line.
 *
 * An "explain" object says in words what was done, with which counts, at what level and for how many looks, and lists steps: a method of
 * xstat, the very input that reproduces the number (a line for `xstat METHOD`, a body for POST /v1/stats/METHOD), and what it gives:
 * which member of ours is which key of its answer. Formula and source of the methods stand once in the answer, under "methods". */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/analysis.h"

/* "explain" of the value of an arm, into the object that is open. Nothing when there is no value. */
void explain_write_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a);
/* "explain" of a comparison that metric_compare made. */
void explain_write_comparison(struct jsonw *w, const struct result *r, const struct result_metric *m,
                              const struct result_arm *control, const struct result_arm *treatment,
                              const struct comparison *c);
/* "explain" of a comparison as it was analysed: adjusted, looked at as declared, shares of few by counts. At planned looks its
 * numbers are those that the look had. */
void explain_write_analysed(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant,
                            const struct analysed *cell);
/* "methods": formula and source of every method that steps name. */
void explain_write_methods(struct jsonw *w);
