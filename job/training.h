/* training.h - parameters of every job that trains a model (trainer/models/), as rows for job/types.c, so that all have the same names, bounds and words.
 *
 *   MODEL("als"), AS_OF, DAYS("90"), HOLDOUT("1"), MIN_UNITS("100"), SEED, GATE_PARAMS(job_recommender_metrics, "ndcg@10"), GATE_LISTS("0.8") */
#pragma once
#include "job/types.h"

extern const char *const job_gate_rules[];          /* better, superior, not_worse, none */
extern const char *const job_recommender_metrics[]; /* of trainer/models/gate_recommender.c */

#define MODEL(fallback_name)                                                                                          \
    {                                                                                                                 \
        .name = "model", .type = JOB_TEXT, .fallback = fallback_name, .max = 64, .unit = "name",                      \
        .help =                                                                                                       \
            "that gets a new version: small letters, digits, \".\", \"_\" and \"-\"; it is made when it is not there" \
    }
#define HOLDOUT(fallback_days)                                                                                        \
    {                                                                                                                 \
        .name = "holdout_days", .type = JOB_WHOLE, .fallback = fallback_days, .min = 0, .max = 366, .unit = "days",   \
        .help = "the last days up to `as_of`: nothing is trained on them, the model is judged by them; 0: it is not " \
                "judged"                                                                                              \
    }
#define MIN_UNITS(fallback_units)                                                                                   \
    {                                                                                                               \
        .name = "min_units", .type = JOB_WHOLE, .fallback = fallback_units, .min = 1, .max = 1e12, .unit = "units", \
        .help = "fewer units are too little data to train on"                                                       \
    }
#define MIN_SEARCHES(fallback_searches, least, words)                                                        \
    {                                                                                                        \
        .name = "min_searches", .type = JOB_WHOLE, .fallback = fallback_searches, .min = least, .max = 1e12, \
        .unit = "searches", .help = words                                                                    \
    }
#define SEED                                                                                                          \
    {                                                                                                                 \
        .name = "seed", .type = JOB_WHOLE, .fallback = "1", .min = 0, .max = 4294967295.0, .help = "of what is drawn" \
    }
/* Which version takes the champion's place. metrics: names that the job's evaluation gives, ended by NULL; fallback_metric: the one that decides. */
#define GATE_RULE(metrics, fallback_metric, judged_by, least, things, too_few)                                        \
    { .name = "gate",                                                                                                 \
      .type = JOB_CHOICE,                                                                                             \
      .fallback = "better",                                                                                           \
      .choices = job_gate_rules,                                                                                      \
      .help =                                                                                                         \
          "what the difference to the champion must be: better: above 0; superior: its interval above 0; not_worse: " \
          "its interval above -gate_margin; none: only the bounds count" },                                           \
        { .name = "gate_metric",                                                                                      \
          .type = JOB_CHOICE,                                                                                         \
          .fallback = fallback_metric,                                                                                \
          .choices = metrics,                                                                                         \
          .help = "by which the rule decides, over " judged_by },                                                     \
        { .name = "gate_margin",                                                                                      \
          .type = JOB_REAL,                                                                                           \
          .fallback = "0.005",                                                                                        \
          .min = 0,                                                                                                   \
          .max = 1e6,                                                                                                 \
          .help = "gate=not_worse: so much less of the metric is taken" },                                            \
        { .name = "gate_level",                                                                                       \
          .type = JOB_REAL,                                                                                           \
          .fallback = "0.95",                                                                                         \
          .min = 0,                                                                                                   \
          .max = 1,                                                                                                   \
          .open = true,                                                                                               \
          .help = "of the intervals" },                                                                               \
        { .name = "gate_min_units",                                                                                   \
          .type = JOB_WHOLE,                                                                                          \
          .fallback = least,                                                                                          \
          .min = 0,                                                                                                   \
          .max = 1e12,                                                                                                \
          .unit = things,                                                                                             \
          .help = "fewer " too_few " cannot judge a version: it is refused" },                                        \
    {                                                                                                                 \
        .name = "min_value", .type = JOB_REAL, .min = 0, .max = 1e6,                                                  \
        .help = "a version whose gate_metric is less is refused, also a first one"                                    \
    }
#define GATE_PARAMS(metrics, fallback_metric) \
    GATE_RULE(metrics, fallback_metric, "units of the later days", "30", "units", "units in the later days")
/* Beside them, for lists of items. */
#define GATE_LISTS(fallback_concentration)                                                                      \
    { .name = "max_concentration",                                                                              \
      .type = JOB_REAL,                                                                                         \
      .fallback = fallback_concentration,                                                                       \
      .min = 0,                                                                                                 \
      .max = 1,                                                                                                 \
      .help = "share of the lists that the most recommended item is in; more: refused, as after a click bot" }, \
        { .name = "max_concentration_rise",                                                                     \
          .type = JOB_REAL,                                                                                     \
          .fallback = "0.2",                                                                                    \
          .min = 0,                                                                                             \
          .max = 1,                                                                                             \
          .help = "by how much that share may be above the champion's, asked for the same units" },             \
    {                                                                                                           \
        .name = "min_coverage", .type = JOB_REAL, .fallback = "0", .min = 0, .max = 1,                          \
        .help = "share of all items that are in some list; less: refused"                                       \
    }
