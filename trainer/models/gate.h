/* gate.h - whether what a job trained may take the champion's place: the rule and the bounds, and the evaluation of recommenders.
 *
 * A candidate is judged on a later window than it was trained on, by the code that serves it. Each metric is a mean over units, its interval is
 * normal; the difference to the champion is paired by unit: both were asked for the same units, and differences within a unit are what is averaged. Every
 * check is written down, also those behind the first that failed. gate_decide and what writes are pure. */
#pragma once
#include "base/buf.h"
#include "stats/moments.h"

struct run_context;
struct matrix;

enum gate_rule {
    GATE_BETTER,    /* the estimate of the difference is above 0 */
    GATE_SUPERIOR,  /* its interval is above 0 */
    GATE_NOT_WORSE, /* its interval is above -margin */
    GATE_NONE,      /* bounds alone decide */
    GATE_RULE_COUNT
};

struct gate_rules {
    enum gate_rule rule;
    const char *metric;                                          /* name of the one that decides */
    double margin, level;                                        /* of the difference; of the intervals */
    double min_value, max_concentration, max_rise, min_coverage; /* NAN: no bound */
    uint64_t min_units;                                          /* fewer in the later window: refused */
};
const char *gate_rule_name(enum gate_rule rule);
enum gate_rule gate_rule_named(const char *name); /* it is one of them (asserted) */
/* The run's parameters "gate", "gate_metric", … (job/types.c: GATE_PARAMS). A job without some of them has no such bound. */
struct gate_rules gate_rules_of(const struct run_context *run);

/* Values of the units of the later window: x the candidate's, y the champion's of the same unit (x again when there is none). */
struct gate_metric {
    const char *name;
    struct moments2 m;
};
/* A number of the whole, not of units: coverage, concentration. A bound or a champion's value of NAN: there is none. */
struct gate_bound {
    const char *name;
    double value, champion, min, max;
};

enum { GATE_CHECKS_MAX = 16, GATE_NAME = 32, GATE_TEXT = 200 };
struct gate_check {
    char name[GATE_NAME]; /* of the parameter that asks for it: "gate", "min_value", "max_concentration" */
    bool passed;
    char text[GATE_TEXT]; /* what was seen and what was asked for */
};
struct gate_outcome {
    bool passed;
    int champion;         /* the version that it was compared with; 0: there was none */
    char rule[GATE_NAME]; /* the check that refused it; of one that passed the rule: "better", "first", "none" */
    char reason[GATE_TEXT];
    struct gate_check checks[GATE_CHECKS_MAX];
    size_t checks_count;
};

/* `champion` is its version, 0: a first version, which passes unless a bound is broken. The metric that decides must be among those given, unless the rule is
 * GATE_NONE (asserted). */
void gate_decide(const struct gate_rules *rules, const struct gate_metric *metrics, size_t metrics_count,
                 const struct gate_bound *bounds, size_t bounds_count, int champion, struct gate_outcome *out);
/* Nothing was evaluated (holdout_days is 0): passes, and says so. */
void gate_unevaluated(int champion, struct gate_outcome *out);

/* Mean of x - y with its normal interval; low = high when units do not differ. False for fewer than two units. */
struct gate_interval {
    double value, low, high;
};
bool gate_difference(const struct moments2 *m, double level, struct gate_interval *out);
bool gate_mean(int64_t n, double mean, double m2, double level, struct gate_interval *out);

/* {"ndcg@10": {"value", "low", "high", "level", "method", "n", "champion", "difference": {"value", "low", "high"}}, "coverage": {"value", "champion"}} */
void gate_metrics_json(const struct gate_rules *rules, const struct gate_metric *metrics, size_t metrics_count,
                       const struct gate_bound *bounds, size_t bounds_count, bool champion, struct buf *out);
/* {"decision": "passed" | "refused", "rule", "reason", "champion", "checks": [{"name", "passed", "text"}]} */
void gate_outcome_json(const struct gate_outcome *o, struct buf *out);

/* The gate of recommenders (model/recommend.h): `candidate`, an artifact, and the champion are asked for each unit that had something new in the later days of
 * the matrix, in a pass of its own. Metrics over units: ndcg@10, recall@10, precision@10, map@10, mrr@10, hit_rate@10, novelty@10; of the whole: coverage, the share of
 * the matrix' items that are in some list, and concentration, the share of lists that the item is in that is in most; it may be
 * max_rise above the champion's. Without later days nothing is evaluated, and
 * metrics_json stays empty. */
bool gate_recommender(struct run_context *run, const struct matrix *m, struct str candidate, struct gate_outcome *out,
                      struct buf *metrics_json, struct err *err) MUSTCHECK;
