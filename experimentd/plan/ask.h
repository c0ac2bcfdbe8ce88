/* ask.h - from what somebody asks, or an experiment declares, to a struct planner_ask; and the answer. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/plan/known.h"
#include "experimentd/plan/planner.h"

/* The control's weight and the least of the treatments'. False: control, or every treatment, has none. */
bool ask_weights(struct planner_ask *a, const double *weights, size_t n);
void ask_looks(struct planner_ask *a, const struct experiment_analysis *analysis);
void ask_baseline(struct planner_ask *a, const struct known_baseline *b);

/* What POST /v1/plan says: docs/planning.md. */
struct ask {
    struct planner_ask plan; /* filled in by ask_finish */
    struct str experiment;   /* whose document says what the request does not; {NULL, 0}: none */
    struct str metric;       /* whose baseline is looked up; {NULL, 0}: it was given */
    struct known_baseline baseline;
    struct known_traffic traffic;
    double growth; /* of traffic that was given */
    bool has_baseline, has_traffic, has_reduction;
};
/* Everything but what has to be looked up. Errors name the field. */
bool ask_read(json_t *root, const struct snapshot *s, struct arena *arena, struct ask *out, struct err *err) MUSTCHECK;
/* With baseline and traffic known. Refuses what no plan can be made of. */
bool ask_finish(struct ask *a, struct err *err) MUSTCHECK;

const char *ask_method_text(enum plan_method method); /* what the numbers are of */
/* The members "units" and "weeks"; why_not: there are none. */
void ask_write_plan(struct jsonw *w, const struct planner *p, const char *why_not);
void ask_write(struct jsonw *w, const struct ask *a, const struct planner *p);
