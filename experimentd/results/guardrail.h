/* guardrail.h - whether the guardrail metrics of a running experiment say to stop it, or not to widen it yet.
 *
 * The comparison is the verdict's (each variant against the control, Welch or delta method), but it is made again with every refresh of the
 * moments, and a fixed-horizon test that is looked at often rejects too often. So the level is Haybittle and Peto's for repeated looks,
 * p < 0.001 two-sided (|z| > 3.29), shared over all comparisons by Bonferroni. A guardrail with a margin stops it only when it is worse by more than
 * that, at the same level. docs/experiments.md tells users.
 *
 * Moments count when they were published, and reach, past the instant in question: the start of the phase for a stop (the phase before it
 * says nothing of this one), the start of the ramp's step for the next step. */
#pragma once
#include "experimentd/results/model.h"

#define GUARDRAIL_ALPHA 0.001 /* Haybittle 1971; Peto et al. 1976 */

enum guardrail_state {
    GUARDRAIL_UNKNOWN, /* not enough is known to widen the experiment */
    GUARDRAIL_FINE,
    GUARDRAIL_WORSE,
    GUARDRAIL_STATE_COUNT
};

struct guardrail {
    enum guardrail_state state;
    struct str text; /* why; for UNKNOWN words that do not change with each refresh. {NULL, 0}: FINE */
};

bool guardrail_has(const struct snapshot_experiment *e); /* a metric of this role */
/* Pure. The text lives in the arena. */
void guardrail_check(struct guardrail *out, const struct result *r, struct arena *arena);
