/* click_chain.h - pure: users who go down a list and stop somewhere: what cm's descendants (dcm, sdbn, dbn, ccm) have in common.
 *
 * Down to its last click a search was looked at for certain; behind it either the user went on and clicked nothing, or stopped. With c the probability of
 * going on after no click, c1 after the last click, α of the document at each position:
 *
 *   b_r = P(no click from r on | E_r = 1) = (1 - α_r) (1 - c + c b_{r+1}),  b_n = 1
 *   T   = P(no click behind the last one at r | it) = 1 - c1 + c1 b_{r+1};  without any click: T = b_0
 *   P(E_{r+1} = 1 | E_r = 1, no click behind) = c b_{r+1} / (1 - c + c b_{r+1}); behind the click: c1 b_{r+1} / T
 *
 * All searches of a list are followed at once, which takes one step for each document. */
#pragma once
#include "trainer/kernels/click_models/click_query.h"

struct click_chain {
    double goes_on;         /* c */
    const double *alpha;    /* of each document of the query */
    const double *after;    /* c1 of each document, or ... */
    const double *after_at; /* ... of each position; one of the two is NULL */
};
/* Of a document, added up over searches with nothing certain: */
struct click_reach {
    double looked, looked2; /* Σ P(E | clicks), Σ P²: where it was not clicked */
    double t, bt;           /* where it was the last click, not at the list's end: Σ 1 / T, Σ b / T */
    double tt, btt, bbtt;   /* Σ 1 / T², Σ b / T², Σ b² / T² */
};
struct click_tails {
    double log_t;        /* Σ ln T */
    double open, passed; /* looked at and not clicked, not at the end: how often, and how often it went on */
};
/* Adds to `reach` (NULL: not wanted) and *out. `held`: the lists that are held out. */
void click_chain_follow(const struct click_query *q, bool held, const struct click_chain *c, struct click_reach *reach,
                        struct click_tails *out);
