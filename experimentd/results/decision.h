/* decision.h - what to do: ship, roll back, keep running, or say that it cannot be told; with the rule written out.
 *
 * For each treatment, in this order:
 *   unhealthy     the sample ratio does not fit, or nothing has been aggregated that could be trusted
 *   roll back     a primary metric is shown worse, or a guardrail is (with a margin: by more than the margin). Harm does not wait for the minimum run time
 *   ship          a primary metric is shown better, by at least the target effect; every guardrail is shown not to be worse by its margin, or, without
 *                 one, not shown worse; no secondary metric is shown worse; and the minimum days have passed
 *   keep running  it runs, and what was planned is not there yet
 *   cannot tell   the plan is used up, or it was stopped, and one of the conditions of shipping is not met
 * The experiment's decision is the best of its treatments': ship before keep running before cannot tell before roll back.
 *
 * All guardrails must pass, so none of their tests needs correcting (R. Berger, Technometrics 24, 1982; M. Schultzberg, S. Ankargren, M. Frånberg,
 * arXiv 2402.11609, is the rule's model). The levels of everything else are analysis.h's. */
#pragma once
#include "experimentd/results/analysis.h"

enum decision_kind {
    DECISION_UNHEALTHY,
    DECISION_ROLL_BACK,
    DECISION_CANNOT_TELL,
    DECISION_KEEP_RUNNING,
    DECISION_SHIP,
    DECISION_COUNT
};
extern const char *const decision_names[DECISION_COUNT];

enum condition_met { CONDITION_YES, CONDITION_NO };
/* One line of the rule, as it stands. */
struct condition {
    const char *name; /* healthy, primary, target, guardrails, secondary, days, harm */
    struct str text;
    enum condition_met met;
};
enum { CONDITIONS_MAX = 7 };

struct decided {
    enum decision_kind kind;
    struct condition conditions[CONDITIONS_MAX];
    size_t conditions_count;
};

struct decision {
    enum decision_kind kind;
    size_t variant;       /* that it is about; 0: none */
    struct decided *each; /* [variant]; of the control empty */
    struct str text;      /* for whoever decides */
    bool has_left;        /* it runs, and how long it still has to is known */
    int64_t units_left;   /* until the next planned look, or the planned end */
    double days_left;     /* at the rate of the days so far */
    bool has_needed;      /* what the planner says of the primary metric's mde */
    double units_needed,
        days_needed; /* of all variants in all; days from the start, NAN when nothing is known of the rate */
};

void decision_make(struct decision *out, const struct analysis *a, struct arena *arena);
