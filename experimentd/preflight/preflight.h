/* preflight.h - before an experiment starts: what keeps it from working, how its units would be split, and what it will be able to see.
 *
 * Findings that are errors refuse the start; warnings only tell. The split is no formula: PREFLIGHT_UNITS made-up units go through the
 * compiled rule itself (seed, versions, coverage, weights, layers, holdouts, prerequisites), so what is wrong with it shows; it takes a
 * worker's thread some tens of milliseconds. Power is that of the declared way of looking at the primary metric, at the traffic of the last days.
 * All of it is pure: configuration, traffic and baseline in, a struct out, memory from the arena. */
#pragma once
#include "base/jsonw.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/plan/known.h"
#include "experimentd/plan/planner.h"
#include "stats/compare.h"

enum {
    PREFLIGHT_UNITS = 100000,
    PREFLIGHT_FINDINGS_MAX = 64 /* more are not told */
};
/* A split that chance makes as rarely as this is broken. The same units are used each time: chance does not come back. */
#define PREFLIGHT_SRM_P 1e-6
#define PREFLIGHT_POWER 0.8      /* that an effect is called detectable at */
#define PREFLIGHT_POWER_POOR 0.5 /* less than this after the last week is warned of */

struct preflight_finding {
    bool is_error;
    const char *field; /* of the experiment's document, or "traffic" */
    struct str text;
};

struct preflight_findings {
    struct preflight_finding p[PREFLIGHT_FINDINGS_MAX];
    size_t n;
    size_t errors;
};

struct preflight_split {
    const char *why_not; /* why nothing was simulated; NULL: it was */
    int64_t reached;     /* units in the experiment */
    int64_t *counts;     /* one a variant, as the next two; NULL: nothing is split (interleaving) */
    double *weights, *expected;
    bool ignores_conditions; /* targeting, segments or URLs, which made-up units cannot meet, were taken as met */
    bool has_srm;
    struct srm srm;
};

struct preflight_power {
    const char *why_not; /* why there are no weeks; NULL: there are */
    struct str metric;   /* {NULL, 0}: none is primary */
    double effect;       /* relative: the experiment's mde */
    double alpha;        /* of one comparison */
    struct known_traffic traffic;
    struct known_baseline baseline;
    enum plan_method method;
    struct planner plan;
};

struct preflight {
    struct preflight_findings findings;
    struct preflight_split split;
    struct preflight_power power;
};

/* Everything. `e` is one of the snapshot's, a draft; what it names must not have been checked. */
void preflight_make(const struct snapshot_experiment *e, const struct snapshot *s, const struct known_traffic *traffic,
                    const struct known_baseline *baseline, struct arena *arena, struct preflight *out);
/* The same without traffic and baseline, for starts that nobody waits for: the first error. */
bool preflight_may_start(const struct snapshot_experiment *e, const struct snapshot *s, struct arena *arena,
                         struct err *err) MUSTCHECK;
/* False with ERR_CONFLICT when a finding is an error: the first one. */
bool preflight_passed(const struct preflight *p, struct err *err) MUSTCHECK;
void preflight_write(struct jsonw *w, const char *key, const struct snapshot_experiment *e, const struct preflight *p);
/* The primary metric, or {NULL, 0}. */
struct str preflight_metric(const struct snapshot_experiment *e);

/* ---- the parts ---- */

void preflight_add(struct preflight_findings *f, bool is_error, const char *field, struct str text);
/* check.c: what the configuration says. *placed is e as it would run: with its part of the layer. */
void preflight_check(const struct snapshot_experiment *e, const struct snapshot *s, int64_t now_us, struct arena *arena,
                     struct preflight_findings *out, struct snapshot_experiment *placed);
/* split.c */
void preflight_split(const struct snapshot_experiment *placed, const struct snapshot *s, struct arena *arena,
                     struct preflight_split *out);
/* power.c: traffic and baseline are in *out already. */
void preflight_power(const struct snapshot_experiment *e, const struct preflight_split *split,
                     struct preflight_power *out);
