/* rank.h - parameters of the job that learns rankers (docs/learning-to-rank.md); for job/types.c alone. */
#pragma once
#include "job/ranking.h"

static const char *const rank_metrics[] = { "ndcg@10",       "ndcg@1", "ndcg@5", "ndcg_burges@10", "ndcg_burges@1",
                                            "ndcg_burges@5", "mrr@10", "map@10", "precision@10",   NULL };
static const char *const rank_labels[] = { "judgments", "clicks", NULL };
static const char *const rank_debias[] = { "none", "ips", "ratio", NULL };
static const char *const rank_objectives[] = { "lambdamart", "pairwise", "listwise", NULL };
static const char *const rank_gains[] = { "exponential", "linear", NULL };

/* What documents are worth to who searches. */
#define RANK_LABELS                                                                                                 \
    { .name = "feature_set",                                                                                        \
      .type = JOB_TEXT,                                                                                             \
      .fallback = "default",                                                                                        \
      .max = 64,                                                                                                    \
      .unit = "name",                                                                                               \
      .help = "what documents are described by: /v1/feature-sets" },                                                \
        { .name = "labels",                                                                                         \
          .type = JOB_CHOICE,                                                                                       \
          .fallback = "judgments",                                                                                  \
          .choices = rank_labels,                                                                                   \
          .help = "what says which documents are better: a judgment set, or clicks on what was shown" },            \
        { .name = "judgments",                                                                                      \
          .type = JOB_TEXT,                                                                                         \
          .fallback = "clicks",                                                                                     \
          .max = 64,                                                                                                \
          .unit = "name",                                                                                           \
          .help = "labels=judgments: the judgment set" },                                                           \
        { .name = "debias",                                                                                         \
          .type = JOB_CHOICE,                                                                                       \
          .fallback = "ratio",                                                                                      \
          .choices = rank_debias,                                                                                   \
          .help = "labels=clicks: ratio: clicks over how often a place was looked at, ips: each click over its "    \
                  "place's propensity, none: clicks over how often it was shown" },                                 \
        { .name = "click_model",                                                                                    \
          .type = JOB_TEXT,                                                                                         \
          .fallback = "click-models",                                                                               \
          .max = 64,                                                                                                \
          .unit = "name",                                                                                           \
          .help = "debias: the model of kind clicks whose propensities are taken" },                                \
        { .name = "propensity",                                                                                     \
          .type = JOB_TEXT,                                                                                         \
          .fallback = "pbm",                                                                                        \
          .max = 64,                                                                                                \
          .unit = "name",                                                                                           \
          .help = "debias: which of its propensities: that of a click model, or swaps" },                           \
        { .name = "clip",                                                                                           \
          .type = JOB_REAL,                                                                                         \
          .fallback = "20",                                                                                         \
          .min = 1,                                                                                                 \
          .max = 1e6,                                                                                               \
          .help = "debias: no place counts as looked at less often than in one of so many searches" },              \
        { .name = "prior",                                                                                          \
          .type = JOB_REAL,                                                                                         \
          .fallback = "2",                                                                                          \
          .min = 0,                                                                                                 \
          .max = 1e6,                                                                                               \
          .unit = "searches",                                                                                       \
          .help = "labels=clicks: with what its places are worth on average, added to those that a document was "   \
                  "shown in" },                                                                                     \
        { .name = "min_sessions",                                                                                   \
          .type = JOB_WHOLE,                                                                                        \
          .fallback = "10",                                                                                         \
          .min = 1,                                                                                                 \
          .max = 1e9,                                                                                               \
          .unit = "searches",                                                                                       \
          .help = "labels=clicks: a query that was searched less often is left out" },                              \
        { .name = "feature_days",                                                                                   \
          .type = JOB_WHOLE,                                                                                        \
          .fallback = "90",                                                                                         \
          .min = 1,                                                                                                 \
          .max = 36500,                                                                                             \
          .unit = "days",                                                                                           \
          .help = "of signals that features with source signals are counted from, before those of the labels" },    \
        { .name = "min_queries",                                                                                    \
          .type = JOB_WHOLE,                                                                                        \
          .fallback = "20",                                                                                         \
          .min = 1,                                                                                                 \
          .max = 1e9,                                                                                               \
          .unit = "queries",                                                                                        \
          .help = "with documents of different worth: fewer are too little data to train on" },                     \
        { .name = "holdout_queries",                                                                                \
          .type = JOB_REAL,                                                                                         \
          .fallback = "0.2",                                                                                        \
          .min = 0,                                                                                                 \
          .max = 0.9,                                                                                               \
          .help = "labels=judgments: the share of queries that nothing is trained on and the model is judged by" }, \
    {                                                                                                               \
        .name = "folds", .type = JOB_WHOLE, .fallback = "5", .min = 0, .max = 100,                                  \
        .help =                                                                                                     \
            "parts of the queries that are each judged by what the others taught: how many trees there are, and a " \
            "second opinion; 0: none"                                                                               \
    }
/* How it is learned. */
#define RANK_LEARNING                                                                                                  \
    { .name = "objective",                                                                                             \
      .type = JOB_CHOICE,                                                                                              \
      .fallback = "lambdamart",                                                                                        \
      .choices = rank_objectives,                                                                                      \
      .help = "trees by LambdaMART, or a linear model by pairs or by whole lists" },                                   \
        { .name = "gain",                                                                                              \
          .type = JOB_CHOICE,                                                                                          \
          .choices = rank_gains,                                                                                       \
          .help = "of a label: exponential 2^label - 1, linear the label; without: exponential for judgments, linear " \
                  "for clicks" },                                                                                      \
        { .name = "k",                                                                                                 \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "10",                                                                                            \
          .min = 1,                                                                                                    \
          .max = 1000,                                                                                                 \
          .help = "folds judge by nDCG at this rank" },                                                                \
        { .name = "truncation",                                                                                        \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "30",                                                                                            \
          .min = 1,                                                                                                    \
          .max = 100000,                                                                                               \
          .help = "lambdamart: pairs have a document among the first so many" },                                       \
        { .name = "trees",                                                                                             \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "300",                                                                                           \
          .min = 1,                                                                                                    \
          .max = 10000,                                                                                                \
          .help = "lambdamart: at most, when folds stop earlier" },                                                    \
        { .name = "early_stopping",                                                                                    \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "50",                                                                                            \
          .min = 0,                                                                                                    \
          .max = 10000,                                                                                                \
          .unit = "trees",                                                                                             \
          .help = "lambdamart with folds: so many that bring nothing end a fold, and the best count is taken; 0: all " \
                  "trees are" },                                                                                       \
        { .name = "depth",                                                                                             \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "6",                                                                                             \
          .min = 0,                                                                                                    \
          .max = 20,                                                                                                   \
          .help = "lambdamart: of a tree; 0 with leaves: any" },                                                       \
        { .name = "leaves",                                                                                            \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "0",                                                                                             \
          .min = 0,                                                                                                    \
          .max = 10000,                                                                                                \
          .help = "lambdamart: of a tree, which grows where it gains most; 0: level by level to its depth" },          \
        { .name = "learning_rate",                                                                                     \
          .type = JOB_REAL,                                                                                            \
          .fallback = "0.1",                                                                                           \
          .min = 0,                                                                                                    \
          .max = 1,                                                                                                    \
          .open = true,                                                                                                \
          .help = "lambdamart: how far each tree goes" },                                                              \
        { .name = "min_child_weight",                                                                                  \
          .type = JOB_REAL,                                                                                            \
          .fallback = "5",                                                                                             \
          .min = 0,                                                                                                    \
          .max = 1e9,                                                                                                  \
          .help = "lambdamart: of a leaf, about documents whose order is open" },                                      \
        { .name = "subsample",                                                                                         \
          .type = JOB_REAL,                                                                                            \
          .fallback = "1",                                                                                             \
          .min = 0.01,                                                                                                 \
          .max = 1,                                                                                                    \
          .help = "lambdamart: share of the documents that a tree sees" },                                             \
        { .name = "colsample",                                                                                         \
          .type = JOB_REAL,                                                                                            \
          .fallback = "1",                                                                                             \
          .min = 0.01,                                                                                                 \
          .max = 1,                                                                                                    \
          .help = "lambdamart: share of the features that a tree sees" },                                              \
        { .name = "l2",                                                                                                \
          .type = JOB_REAL,                                                                                            \
          .min = 0,                                                                                                    \
          .max = 1e6,                                                                                                  \
          .help = "how much large weights cost; without: 20 for trees, 0.01 for linear models" },                      \
        { .name = "iterations",                                                                                        \
          .type = JOB_WHOLE,                                                                                           \
          .fallback = "500",                                                                                           \
          .min = 1,                                                                                                    \
          .max = 100000,                                                                                               \
          .help = "linear models: at most" },                                                                          \
    {                                                                                                                  \
        .name = "threads", .type = JOB_WHOLE, .fallback = "1", .min = 1, .max = 64,                                    \
        .help = "lambdamart: of XGBoost in a worker; its sums, and so the model, depend on it"                         \
    }

static const struct job_param learn_to_rank_params[] = {
    MODEL("learn-to-rank"),
    AS_OF,
    DAYS("30"),
    HOLDOUT("7"),
    RANK_LABELS,
    RANK_LEARNING,
    SEED,
    GATE_PARAMS(rank_metrics, "ndcg@10"),
    SERP_LOG,
};
