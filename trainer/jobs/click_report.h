/* click_report.h - what was found of click models: how well each foretells what was held out, the propensities, which one is chosen; as sections of the artifact. */
#pragma once
#include "model/lists.h"
#include "trainer/jobs/click_train.h"

/* Of what is held out. Per document shown (log-likelihood), with 95 % intervals from how queries differ; NAN: nothing is held out, or one query alone. */
struct click_score {
    double loglikelihood, loglikelihood_low, loglikelihood_high;
    double perplexity, perplexity_low, perplexity_high; /* mean over positions */
    double at[CLICK_POSITIONS], at_low[CLICK_POSITIONS], at_high[CLICK_POSITIONS];
};
struct click_score click_score_of(const struct click_train *t, enum click_model m);

/* The parameter click_model, or which one foretells best; those that say nothing of documents are none to choose. Of nothing held out: pbm. */
enum click_model click_choose(const struct click_train *t);

/* P(E) at a position, as a share of that at the first one. */
double click_examination(const struct click_train *t, enum click_model m, uint32_t r);
/* The same measured by swaps, with a 95 % interval; false: it was not randomised there. */
struct click_swap {
    double examination, low, high, queries;
};
bool click_swap_of(const struct click_swaps *s, uint32_t r, struct click_swap *out);

/* The sections "propensity" and "models". */
void click_report_propensity(const struct click_train *t, struct lists_out *out);
void click_report_models(const struct click_train *t, enum click_model chosen, struct buf *out);
