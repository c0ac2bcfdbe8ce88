/* planner.h - how many units an experiment needs, how long that takes, and what it can see when.
 *
 * A plan compares the control with the smallest treatment, by the way of looking that the experiment declares; alpha is shared by the treatments
 * (Bonferroni, as the least favourable of the ways to read them together). What is measured comes as mean and variance of one unit, whatever the kind
 * of metric: p (1 - p) of a share (retention and funnels are shares), s² of a mean or count, the linearised variance of a ratio, n se² of a
 * quantile (whose standard error from ranks costs power: plan.h); times 1 - reduction when covariates are known. One number of units a week comes from the traffic of the last days (traffic.h).
 *
 * With a margin it is a guardrail that is planned: how many units show that it is not worse by the margin, when it is in truth better by `effect`.
 * The critical value is that of the two-sided interval, as the verdict's.
 *
 * Pure: values in, values out. Looks are weekly for the weeks of a confidence sequence: more of them find a little more. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "experimentd/plan/traffic.h"
#include "stats/sequential/plan.h"

enum { PLANNER_WEEKS = 8, PLANNER_LOOKS_MAX = 50, PLANNER_TREATMENTS_MAX = 99, PLANNER_LOOKS_DEFAULT = 5 };

/* How it is looked at; as the experiment's document has it. */
struct planner_looks {
    enum plan_method method;
    struct spending spending;
    double
        planned_units; /* of all variants: where a confidence sequence is narrowest, where planned looks end; 0: wherever it takes */
    double shares[PLANNER_LOOKS_MAX]; /* of the planned units, ascending, the last one 1 */
    size_t count;
    double level; /* 1 - alpha, of all treatments together */
};

struct planner_ask {
    double mean, variance; /* of a unit of the control */
    bool is_share;         /* then the treatment's variance follows from its share */
    double rank_sd;        /* of a quantile: plan.h; else 0 */
    double reduction;      /* of the variance, by covariates: 0 to below 1 */
    double
        effect; /* to be found, relative to the mean; above or below 0; of a guardrail what it is in truth, better above 0 */
    double margin; /* relative, above 0: a guardrail; 0: none */
    double power;  /* to be found with */
    size_t treatments;
    double control, treatment; /* weights: shares of the experiment's units, the treatment's the smallest */
    struct planner_looks looks;
    struct traffic traffic;
    double reached; /* share of the traffic that is in the experiment */
};

struct planner_units {
    const char *why_not;            /* NULL: the rest holds */
    double control, treatment, all; /* whole numbers; all: of every variant */
    double inflation, expected; /* beside one look; share of them that is needed on average when the effect is there */
    double unadjusted;          /* all without the reduction */
    const char *no_days;        /* why there are none; NULL: there are */
    double days, weeks;         /* from the start; whole weeks */
};

struct planner_week {
    int week;
    double units; /* in the experiment by its end, of all variants */
    double power; /* to find the effect by then */
    double
        detectable; /* relative to the mean, with the power asked for; with a margin the least margin; NAN: too few units */
};

struct planner {
    double alpha;    /* of one comparison */
    double distance; /* that the test has to see, absolute */
    struct planner_units units;
    struct planner_week weeks[PLANNER_WEEKS];
    size_t weeks_count; /* 0 without traffic */
};

/* Refuses what no plan can be made of, naming the field. */
bool planner_check(const struct planner_ask *a, struct err *err) MUSTCHECK;
/* Of an ask that has passed. What cannot be had says why. */
void planner_make(const struct planner_ask *a, struct planner *out);
