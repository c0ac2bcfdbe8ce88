/* queries.h - parameters of the jobs that learn what belongs to a query (docs/related-queries.md, docs/boosts.md); for job/types.c alone. */
#pragma once
#include "job/training.h"

static const char *const query_metrics[] = { "ndcg@10",           "hit_rate@10",  "mrr@10", "items_ndcg@10",
                                             "items_hit_rate@10", "items_mrr@10", NULL };
static const char *const similar_sources[] = { "both", "clicks", "sessions", NULL };
/* Beside GATE_PARAMS, for lists of queries' own. */
#define GATE_LEADS(fallback_concentration)                                                                   \
    { .name = "max_concentration",                                                                           \
      .type = JOB_REAL,                                                                                      \
      .fallback = fallback_concentration,                                                                    \
      .min = 0,                                                                                              \
      .max = 1,                                                                                              \
      .help = "share of the lists that one and the same entry leads; more: refused, as after a click bot" }, \
    {                                                                                                        \
        .name = "min_coverage", .type = JOB_REAL, .fallback = "0", .min = 0, .max = 1,                       \
        .help = "share of the queries of the later days for which there is a list; less: refused"            \
    }
#define MIN_QUERY_UNITS                                                                                       \
    {                                                                                                         \
        .name = "min_query_units", .type = JOB_WHOLE, .fallback = "2", .min = 1, .max = 1e9, .unit = "units", \
        .help = "a query that fewer asked is left out: what one person types is nobody else's suggestion"     \
    }
/* When two queries are alike. */
#define SIMILAR_EVIDENCE                                                                                              \
    { .name = "min_pair_count",                                                                                       \
      .type = JOB_WHOLE,                                                                                              \
      .fallback = "2",                                                                                                \
      .min = 1,                                                                                                       \
      .max = 1e9,                                                                                                     \
      .help = "clicks on documents of both, or sessions with both: fewer are no evidence" },                          \
        { .name = "min_overlap",                                                                                      \
          .type = JOB_REAL,                                                                                           \
          .fallback = "0.3",                                                                                          \
          .min = 0,                                                                                                   \
          .max = 1,                                                                                                   \
          .help = "of the shares of clicks of both queries: less is not alike" },                                     \
        { .name = "min_llr",                                                                                          \
          .type = JOB_REAL,                                                                                           \
          .fallback = "10.83",                                                                                        \
          .min = 0,                                                                                                   \
          .max = 1e9,                                                                                                 \
          .help = "log-likelihood ratio of coming together by more than chance; 10.83: one pair of chance in 1000" }, \
    {                                                                                                                 \
        .name = "prior_sessions", .type = JOB_REAL, .fallback = "10", .min = 0, .max = 1e9, .unit = "sessions",       \
        .help = "without the other query, added to those that were: few sessions say little"                          \
    }
#define SIMILAR_QUERIES(fallback_top, fallback_items)                                                          \
    { .name = "source",                                                                                        \
      .type = JOB_CHOICE,                                                                                      \
      .fallback = "both",                                                                                      \
      .choices = similar_sources,                                                                              \
      .help = "what makes queries alike: the same documents clicked, the same sessions, or either" },          \
        { .name = "min_query_count",                                                                           \
          .type = JOB_WHOLE,                                                                                   \
          .fallback = "2",                                                                                     \
          .min = 1,                                                                                            \
          .max = 1e9,                                                                                          \
          .unit = "searches",                                                                                  \
          .help = "a query with fewer is left out" },                                                          \
        SIMILAR_EVIDENCE,                                                                                      \
        { .name = "prior_clicks",                                                                              \
          .type = JOB_REAL,                                                                                    \
          .fallback = "10",                                                                                    \
          .min = 0,                                                                                            \
          .max = 1e9,                                                                                          \
          .unit = "clicks",                                                                                    \
          .help = "as those of similar queries, added to a query's own for the documents that are expected" }, \
        { .name = "min_length",                                                                                \
          .type = JOB_WHOLE,                                                                                   \
          .fallback = "3",                                                                                     \
          .min = 1,                                                                                            \
          .max = 512,                                                                                          \
          .unit = "characters",                                                                                \
          .help = "of a query; a shorter one has no related queries and is none" },                            \
        { .name = "max_length",                                                                                \
          .type = JOB_WHOLE,                                                                                   \
          .fallback = "50",                                                                                    \
          .min = 1,                                                                                            \
          .max = 512,                                                                                          \
          .unit = "characters",                                                                                \
          .help = "of a query; a longer one has no related queries and is none" },                             \
        { .name = "min_token_overlap",                                                                         \
          .type = JOB_REAL,                                                                                    \
          .fallback = "0",                                                                                     \
          .min = 0,                                                                                            \
          .max = 1,                                                                                            \
          .help = "words that both have, of all words; 0: they need have none in common" },                    \
        { .name = "top",                                                                                       \
          .type = JOB_WHOLE,                                                                                   \
          .fallback = fallback_top,                                                                            \
          .min = 1,                                                                                            \
          .max = 1000,                                                                                         \
          .unit = "queries",                                                                                   \
          .help = "of a list, the best" },                                                                     \
    {                                                                                                          \
        .name = "top_items", .type = JOB_WHOLE, .fallback = fallback_items, .min = 1, .max = 1000,             \
        .unit = "documents", .help = "of a list, the best"                                                     \
    }

static const struct job_param similar_queries_params[] = {
    MODEL("similar-queries"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    MIN_SEARCHES("1000", 1, "in the training days: fewer are too little data"),
    SESSION_GAP,
    CLICK_TYPES,
    MIN_QUERY_UNITS,
    SIMILAR_QUERIES("20", "50"),
    GATE_PARAMS(query_metrics, "ndcg@10"),
    GATE_LEADS("0.5"),
    RANGES,
    FULL,
};

static const struct job_param query_similarity_params[] = {
    MODEL("query-similarity"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    MIN_SEARCHES("1000", 1, "in the training days: fewer are too little data"),
    SESSION_GAP,
    CLICK_TYPES,
    MIN_QUERY_UNITS,
    { .name = "min_query_count",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1e9,
      .unit = "searches",
      .help = "a query with fewer is left out" },
    { .name = "factors",
      .type = JOB_WHOLE,
      .fallback = "64",
      .min = 1,
      .max = 1000,
      .help = "numbers that a query and a document are described by" },
    { .name = "iterations", .type = JOB_WHOLE, .fallback = "15", .min = 1, .max = 1000, .help = "of ALS" },
    { .name = "alpha",
      .type = JOB_REAL,
      .fallback = "10",
      .min = 0,
      .max = 1e6,
      .open = true,
      .help = "how much surer clicks make: 1 + alpha · ln(1 + clicks)" },
    { .name = "lambda",
      .type = JOB_REAL,
      .fallback = "1",
      .min = 0,
      .max = 1e9,
      .open = true,
      .help = "regularisation: draws factors towards 0" },
    { .name = "min_similarity",
      .type = JOB_REAL,
      .fallback = "0.3",
      .min = -1,
      .max = 1,
      .help = "cosine of two queries' factors: less is not alike" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "20",
      .min = 1,
      .max = 1000,
      .unit = "queries",
      .help = "of a list, the best" },
    { .name = "top_items",
      .type = JOB_WHOLE,
      .fallback = "50",
      .min = 1,
      .max = 1000,
      .unit = "documents",
      .help = "of a list, the best" },
    SEED,
    GATE_PARAMS(query_metrics, "ndcg@10"),
    GATE_LEADS("0.5"),
    RANGES,
    FULL,
};

static const char *const boost_expressions[] = { "log", "sqrt", "linear", NULL };
static const char *const boost_metrics[] = { "ndcg@10", "hit_rate@10", "mrr@10", NULL };
static const struct job_param boosts_params[] = {
    MODEL("boosts"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    { .name = "min_queries",
      .type = JOB_WHOLE,
      .fallback = "10",
      .min = 1,
      .max = 1e12,
      .unit = "queries",
      .help = "with boosts; fewer are too little data" },
    CLICK_WEIGHTS,
    CLICK_HALF_LIFE,
    CLICK_RULES,
    { .name = "expression",
      .type = JOB_CHOICE,
      .fallback = "log",
      .choices = boost_expressions,
      .help = "what a weight w is worth: ln(1 + w), its square root, or w" },
    { .name = "scale_low",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1e6,
      .help = "the least boost, when scale_high is given" },
    { .name = "scale_high",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1e6,
      .help = "the boost of a query's best document, by which the others are scaled, as 5; 0: boosts are what the "
              "expression gives" },
    SESSION_GAP,
    CLICK_TYPES,
    MIN_QUERY_UNITS,
    { .name = "top_similar",
      .type = JOB_WHOLE,
      .fallback = "10",
      .min = 1,
      .max = 1000,
      .unit = "queries",
      .help = "that are like a query, for one without boosts of its own" },
    { .name = "min_query_count",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1e9,
      .unit = "searches",
      .help = "a query with fewer has no similar ones and is none" },
    SIMILAR_EVIDENCE,
    GATE_PARAMS(boost_metrics, "ndcg@10"),
    GATE_LEADS("0.5"),
    RANGES,
    FULL,
};
