/* evaluation_parts.h - inside of evaluate/: what evaluation.c and the reading of sticky assignments want of each other. */
#pragma once
#include "experimentd/evaluate/evaluation.h"

/* ---- of evaluation.c ---- */

/* On the snapshot of now, with e->unit as it is; forgets exposures that were found so far. */
void evaluation_bind(struct evaluation *e);
const struct assign_payload *evaluation_payload(const struct evaluation *e);
/* Features that will be asked for and that sticky assignments may decide, their own or a prerequisite's; in the request's arena. None when no
 * experiment is sticky, and for who leaves no trace (e->silent). After evaluation_bind. */
size_t evaluation_sticky_features(struct evaluation *e, const size_t **out);

/* ---- of evaluation_sticky.c ---- */

/* For evaluations_begin, the evaluations being bound. False: no sticky assignment is needed, nothing was done. Else `ready` is called once, the
 * evaluations bound anew: with what stands, and whatever was new has been written.
 *
 *   bind → read documents → bind with them → evaluate: is anything new? → write it, take over what stands → bind with that → ready
 *
 * Evaluating twice is what a new assignment costs, once in a unit's life; features that are not named by evaluation_sticky_features are left
 * alone, since to assign a unit that never comes to see the experiment would fix its variant too early. */
bool evaluation_sticky_begin(struct evaluation **list, size_t n, evaluations_fn ready, void *arg) MUSTCHECK;
