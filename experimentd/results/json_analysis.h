/* json_analysis.h - what the analysis and the decision add to the answer of results. Each function writes members into the object that is open. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/analysis.h"
#include "experimentd/results/decision.h"

/* "analysis": the declared way of looking, in words, and of planned looks those taken and the next one. */
void analysed_write_looking(struct jsonw *w, const struct result *r);
/* "decision": kind, variant, text, the rule of each variant, units and days left. */
void analysed_write_decision(struct jsonw *w, const struct decision *d, const struct analysis *a);
/* Of a comparison: the members of metric_write_comparison, and "method", "adjustment", "unadjusted", "together", "margin", "belief", "look",
 * "bootstrap". */
void analysed_write_comparison(struct jsonw *w, const struct analysis *a, size_t metric, size_t variant);
