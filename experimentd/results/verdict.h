/* verdict.h - the line that a person reads first: what the primary metric says. What to do about it is decision.h's.
 *
 * Rule (also printed in the answer's text): without an aggregation or with fewer than two units in a variant, no data. Sample
 * ratio mismatch (chi-square p < 0.001), or an alarm of health/ that spoils the numbers: unhealthy, whatever the metrics say. A fixed horizon before its end, or planned looks before the first: not yet.
 * Else the primary metric of each variant against the control as analysis.h tests it, by the p that holds for its family: better or worse by the
 * metric's direction, or no difference. Of several variants the one with the smallest p speaks; guardrails that got worse are named. */
#pragma once
#include "base/buf.h"
#include "experimentd/results/analysis.h"

#define SRM_THRESHOLD 0.001 /* Fabijan et al., KDD 2019; GrowthBook, Spotify */

enum verdict_state {
    VERDICT_NO_DATA,
    VERDICT_UNHEALTHY,
    VERDICT_NOT_YET,
    VERDICT_BETTER,
    VERDICT_WORSE,
    VERDICT_NO_DIFFERENCE,
    VERDICT_COUNT
};
extern const char *const verdict_names[VERDICT_COUNT];

struct verdict {
    enum verdict_state state;
    struct str metric, variant; /* {NULL, 0}: none */
    struct str text;
};

/* Which way a comparison points for this metric, at `alpha` (two-sided). */
enum outcome outcome_of(const struct result_metric *m, const struct comparison *c, double alpha);
/* SRM of the result; false with a reason when there is nothing to test, or a bandit's weights have moved. `expected` has room for each variant. */
bool result_srm(const struct result *r, struct srm *out, int64_t *observed, double *weights, struct err *err) MUSTCHECK;
bool result_mismatched(const struct result *r, struct arena *arena); /* SRM below SRM_THRESHOLD */
/* Its words: an arm's moments that count now; what a variant is called; "+1.6 % (95 % interval 0.4 % to 2.8 %)" of a comparison at `level`,
 * or the absolute difference where a lift has no interval. */
struct arm verdict_arm(const struct result_metric *m, size_t variant);
struct str verdict_name(const struct snapshot_variant *v);
void verdict_add_effect(struct buf *b, const struct comparison *c, double level);
void verdict_make(struct verdict *out, const struct analysis *a, struct arena *arena);
