/* click_em.h - pure: one improvement of the click models that are learned by EM (click_model.h), for one query.
 *
 * Documents are improved `sweeps` times with what all queries share as it is; with the last time counts are gathered from which that is improved
 * (click_globals_step), too. Each of these steps maximises what is expected of log-likelihood and log prior over some of the parameters, so
 * the objective, which is that of the parameters before the last sweep, never falls (ECM: Meng, Rubin 1993). */
#pragma once
#include "trainer/kernels/click_models/click_query.h"

/* Added up over queries, then over parts, in their order. No padding: kernels hand it over as it lies in memory. */
struct click_counts {
    double objective[CLICK_MODEL_COUNT]; /* log-likelihood + log prior of documents */
    double loglikelihood[CLICK_MODEL_COUNT];
    double pbm[CLICK_POSITIONS][2], ubm[CLICK_SLOTS][2]; /* expected successes, trials */
    double dbn[2], ccm[3][2];
};
/* Of one pass: room for one query after another, and what is the same for all of them. */
struct click_work;
struct click_work *click_work_new(const struct click_globals *g);
void click_work_free(struct click_work *w);
DEFINE_AUTO(struct click_work *, click_work_free)

/* Models that are not in g->active stay as they are, and nothing is counted for them. */
void click_em_step(struct click_query *q, const struct click_globals *g, struct click_work *w,
                   struct click_counts *counts);
void click_counts_add(struct click_counts *to, const struct click_counts *from);
/* Adds the log prior of what is shared to the objectives, then improves it. */
void click_globals_step(struct click_globals *g, struct click_counts *counts);
