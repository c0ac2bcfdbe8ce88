#include "job/types.h"

#include "base/mem.h"
#include "job/training.h"

/* ---- parameters that several have ---- */

#define EXPERIMENT(...)                                                    \
    {                                                                      \
        .name = "experiment", .type = JOB_TEXT, .unit = "key", __VA_ARGS__ \
    }
#define RANGES                                                                                                     \
    {                                                                                                              \
        .name = "ranges", .type = JOB_WHOLE, .fallback = "16", .min = 1, .max = 1024, .power_of_two = true,        \
        .help = "ranges of buckets, which are splits of a pass: more of them share better and cost more overhead", \
    }
#define FULL                                                                                                        \
    {                                                                                                               \
        .name = "full", .type = JOB_BOOLEAN, .fallback = "false", .help = "read all days, whatever is kept of them" \
    }

#define AS_OF                                                                                               \
    {                                                                                                       \
        .name = "as_of", .type = JOB_DAY,                                                                   \
        .help = "signals count up to the end of this day (UTC), and weights are as of then; without: today" \
    }
#define DAYS(fallback_days)                                                                                   \
    {                                                                                                         \
        .name = "days", .type = JOB_WHOLE, .fallback = fallback_days, .min = 0, .max = 36500, .unit = "days", \
        .help = "the last days up to `as_of`; 0: all"                                                         \
    }
#define HALF_LIFE(fallback_days)                                                                                       \
    {                                                                                                                  \
        .name = "half_life_days", .type = JOB_REAL, .fallback = fallback_days, .min = 0, .max = 36500, .unit = "days", \
        .help = "after so long a signal counts half; 0: nothing decays"                                                \
    }

/* Of jobs about queries: what trainer/jobs/query_log.h reads. Their data sets are shared as long as these have the same values. */
#define SESSION_GAP                                                                                                 \
    {                                                                                                               \
        .name = "session_gap_minutes", .type = JOB_WHOLE, .fallback = "30", .min = 1, .max = 60, .unit = "minutes", \
        .help = "a longer pause ends a session"                                                                     \
    }
#define CLICK_TYPES                                                                       \
    {                                                                                     \
        .name = "click_types", .type = JOB_TEXT, .fallback = "click", .unit = "types",    \
        .help = "signals that choose a document for a query, with commas: click,purchase" \
    }

/* ---- by type ---- */

static const struct job_param metrics_params[] = {
    EXPERIMENT(.help = "only this one; without: all with an exposure"),
    RANGES,
    FULL,
};

static const struct job_param preview_params[] = {
    { .name = "metric", .type = JOB_TEXT, .unit = "key", .required = true, .help = "which" },
    { .name = "days",
      .type = JOB_WHOLE,
      .fallback = "14",
      .min = 1,
      .max = 366,
      .unit = "days",
      .help = "the last days, today with them" },
    RANGES,
};

static const struct job_param bootstrap_params[] = {
    EXPERIMENT(.required = true, .help = "which one"),
    { .name = "metric", .type = JOB_TEXT, .unit = "key", .help = "only this metric; without: all of the experiment" },
    { .name = "replicates",
      .type = JOB_WHOLE,
      .fallback = "1000",
      .min = 100,
      .max = 5000,
      .help = "how often units are drawn" },
    { .name = "level",
      .type = JOB_REAL,
      .fallback = "0.95",
      .min = 0,
      .max = 1,
      .open = true,
      .help = "of the intervals" },
    { .name = "seed",
      .type = JOB_WHOLE,
      .fallback = "0",
      .min = 0,
      .max = 4294967295.0,
      .help = "another: other draws" },
    RANGES,
};

static const struct job_param bandit_params[] = {
    EXPERIMENT(.help = "only this one; without: every bandit that runs"),
};

static const struct job_param seal_params[] = {
    { .name = "after_days",
      .type = JOB_WHOLE,
      .min = 0,
      .max = 100000,
      .unit = "days",
      .help = "days older than so many become files, 0: none does; without: setting archive.after_days" },
};

static const struct job_param retention_params[] = {
    { .name = "signals",
      .type = JOB_TEXT,
      .unit = "rules",
      .help = "days to keep, by type: default=400,impression=90; without: setting retention.signals" },
    { .name = "run_days",
      .type = JOB_WHOLE,
      .fallback = "400",
      .min = 1,
      .max = 100000,
      .unit = "days",
      .help = "how long it is known that a run was" },
    { .name = "run_log_days",
      .type = JOB_WHOLE,
      .fallback = "30",
      .min = 1,
      .max = 100000,
      .unit = "days",
      .help = "how long its log is kept" },
    { .name = "models_keep",
      .type = JOB_WHOLE,
      .fallback = "10",
      .min = 1,
      .max = 100000,
      .unit = "versions",
      .help = "the newest of each model, which stay; so does one that an alias points to, or would be rolled back to" },
    { .name = "models_days",
      .type = JOB_WHOLE,
      .fallback = "90",
      .min = 1,
      .max = 100000,
      .unit = "days",
      .help = "how long the others stay" },
};

static const struct job_param sessions_params[] = {
    { .name = "from", .type = JOB_DAY, .help = "only sessions that began on this day (UTC) or later; without: all" },
    { .name = "to", .type = JOB_DAY, .help = "only those that began on this day or before; without: all" },
    { .name = "gap_minutes",
      .type = JOB_WHOLE,
      .fallback = "30",
      .min = 1,
      .max = 720,
      .unit = "minutes",
      .help = "a longer pause ends a session" },
    { .name = "ranges",
      .type = JOB_WHOLE,
      .fallback = "4",
      .min = 1,
      .max = 1024,
      .power_of_two = true,
      .help = "ranges of buckets of a day, of which those are computed that changed" },
    FULL,
};

static const struct job_param preferences_params[] = {
    { .name = "weights",
      .type = JOB_TEXT,
      .fallback = "click=1,cart=10,purchase=25",
      .unit = "weights",
      .help = "what a signal of each type is worth; of other types, nothing" },
    HALF_LIFE("30"),
    AS_OF,
    DAYS("365"),
    { .name = "minimum",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1e12,
      .help = "documents of less weight are left out" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "100",
      .min = 0,
      .max = 1000000,
      .unit = "documents",
      .help = "so many of a unit, the best; 0: all" },
    RANGES,
    FULL,
};

static const struct job_param history_params[] = {
    { .name = "weights",
      .type = JOB_TEXT,
      .fallback = "request=1,click=5,cart=10,purchase=25",
      .unit = "weights",
      .help = "what a signal of each type is worth; of other types, nothing" },
    HALF_LIFE("30"),
    AS_OF,
    DAYS("365"),
    { .name = "minimum",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1e12,
      .help = "queries of less weight are left out" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "50",
      .min = 0,
      .max = 1000000,
      .unit = "queries",
      .help = "so many of a unit, the last; 0: all" },
    RANGES,
    FULL,
};

static const char *const sql_marked[] = { "units", "rows", "none", NULL };
static const struct job_param sql_params[] = {
    { .name = "table",
      .type = JOB_TEXT,
      .required = true,
      .max = 48,
      .unit = "name",
      .help = "of the schema aggregations, which the rows go to: small letters, digits and _" },
    { .name = "select",
      .type = JOB_TEXT,
      .required = true,
      .max = 20000,
      .unit = "SQL",
      .help = "over day_signals (and day_exposures), the rows of one day: one row for each group" },
    { .name = "keys",
      .type = JOB_TEXT,
      .required = true,
      .unit = "columns",
      .help = "columns that tell groups apart: query,doc" },
    { .name = "measures",
      .type = JOB_TEXT,
      .max = 4000,
      .unit = "columns",
      .help = "how days are put together: n:sum,last_at:max,price:mean(spent/orders); sum, min, max, count, days, "
              "first, last; without: numbers are added" },
    { .name = "marked",
      .type = JOB_CHOICE,
      .fallback = "units",
      .choices = sql_marked,
      .help = "left out: all rows of marked units, marked rows, or none" },
    AS_OF,
    DAYS("0"),
    { .name = "select_seconds",
      .type = JOB_WHOLE,
      .fallback = "600",
      .min = 1,
      .max = 86400,
      .unit = "seconds",
      .help = "that the select may take for one day" },
    RANGES,
    FULL,
};

static const struct job_param interleave_params[] = {
    EXPERIMENT(.help = "only this one; without: all that have started"),
    RANGES,
};

static const char *const golden_faults[] = { "none", "poison", "hang", "hog", "slow", NULL };
static const struct job_param golden_params[] = {
    { .name = "rows",
      .type = JOB_WHOLE,
      .fallback = "200000",
      .min = 1,
      .max = 1000000000,
      .help = "how many are made up" },
    { .name = "splits",
      .type = JOB_WHOLE,
      .fallback = "16",
      .min = 1,
      .max = 65536,
      .help = "of the passes over rows" },
    { .name = "parts",
      .type = JOB_WHOLE,
      .fallback = "8",
      .min = 1,
      .max = 4096,
      .help = "of the exchange by document" },
    { .name = "passes",
      .type = JOB_WHOLE,
      .fallback = "5",
      .min = 0,
      .max = 1000,
      .help = "of the logistic regression" },
    { .name = "docs",
      .type = JOB_WHOLE,
      .fallback = "1000",
      .min = 1,
      .max = 1048576,
      .help = "documents that rows are about" },
    { .name = "seed",
      .type = JOB_WHOLE,
      .fallback = "1",
      .min = 0,
      .max = 4294967295.0,
      .help = "another: other rows" },
    { .name = "memory_mb",
      .type = JOB_WHOLE,
      .fallback = "0",
      .min = 0,
      .max = 1048576,
      .unit = "MiB",
      .help = "of a worker; 0: as for every job" },
    { .name = "fault",
      .type = JOB_CHOICE,
      .fallback = "none",
      .choices = golden_faults,
      .help = "what goes wrong in split fault_split, for tests of an engine" },
    { .name = "fault_split", .type = JOB_WHOLE, .fallback = "3", .min = 0, .max = 65536, .help = "in which split" },
    { .name = "hog_mb",
      .type = JOB_WHOLE,
      .fallback = "0",
      .min = 0,
      .max = 1048576,
      .unit = "MiB",
      .help = "fault hog: how much it holds" },
    { .name = "slow_ms",
      .type = JOB_WHOLE,
      .fallback = "0",
      .min = 0,
      .max = 10000,
      .unit = "ms",
      .help = "fault slow: how long every split waits for each block" },
};

/* Of jobs over clicks by query: what trainer/jobs/clicks_plan.h reads. */
#define CLICK_WEIGHTS                                                                                      \
    {                                                                                                      \
        .name = "weights", .type = JOB_TEXT, .fallback = "click=1,cart=10,purchase=25", .unit = "weights", \
        .help = "of types of signals, each from 0 to 1000; a type that is not named does not count"        \
    }
#define CLICK_HALF_LIFE                                                                                       \
    {                                                                                                         \
        .name = "half_life_days", .type = JOB_REAL, .fallback = "30", .min = 0, .max = 36500, .unit = "days", \
        .help = "a signal so old weighs half; at least 0.25, or 0: none fades"                                \
    }
#define CLICK_RULES                                                                                                  \
    { .name = "position_power",                                                                                      \
      .type = JOB_REAL,                                                                                              \
      .fallback = "0",                                                                                               \
      .min = 0,                                                                                                      \
      .max = 1,                                                                                                      \
      .help = "a signal weighs its position (at most 50) to this power: who scrolls that far means it" },            \
        { .name = "min_signals",                                                                                     \
          .type = JOB_WHOLE,                                                                                         \
          .fallback = "1",                                                                                           \
          .min = 0,                                                                                                  \
          .max = 4294967295.0,                                                                                       \
          .unit = "signals",                                                                                         \
          .help = "a document with fewer for a query is left out" },                                                 \
        { .name = "top",                                                                                             \
          .type = JOB_WHOLE,                                                                                         \
          .fallback = "100",                                                                                         \
          .min = 0,                                                                                                  \
          .max = 100000,                                                                                             \
          .unit = "documents",                                                                                       \
          .help = "of each query, those that weigh most, 0: all" },                                                  \
    {                                                                                                                \
        .name = "filters", .type = JOB_TEXT, .unit = "field",                                                        \
        .help =                                                                                                      \
            "of params, with the filters of a search: weights for each set of them; without: searches are not told " \
            "apart"                                                                                                  \
    }

static const struct job_param clicks_params[] = {
    CLICK_WEIGHTS, CLICK_HALF_LIFE, AS_OF, DAYS("0"), CLICK_RULES, RANGES, FULL,
};

#include "job/clusters.h" /* these need the macros above */
#include "job/evaluation.h"
#include "job/factors.h"
#include "job/items.h"
#include "job/judgments.h"
#include "job/offpolicy.h"
#include "job/queries.h"
#include "job/rank.h"
#include "job/ranking.h"
#include "job/rewrites.h"
#include "job/spelling.h"
#include "job/tail.h"
#include "job/text.h"
#include "job/vectors.h"

#define PARAMS(p) .params = (p), .params_count = COUNT_OF(p)

const struct job_type job_types[] = {
    { "metrics", "signals and exposures → moments of every metric, variant and day", PARAMS(metrics_params),
      .incremental = true },
    { "preview", "what a metric comes to over all units, before an experiment uses it", PARAMS(preview_params),
      .by_hand = true },
    { "bootstrap", "intervals of an experiment's metrics from units drawn anew", PARAMS(bootstrap_params) },
    { "bandit", "moments of running bandits → weights of their variants", PARAMS(bandit_params) },
    { "seal", "old days → archive files", PARAMS(seal_params) },
    { "retention", "what is too old is deleted: signals from tables and files, runs and their logs, versions of models",
      PARAMS(retention_params) },
    { "sessions", "signals → sessions: what a unit did without a pause", PARAMS(sessions_params), .incremental = true },
    { "preferences", "signals → the documents that a unit likes", PARAMS(preferences_params), .incremental = true },
    { "history", "signals → the queries that a unit asked", PARAMS(history_params), .incremental = true },
    { "sql", "a select over each day's signals → a table of all days", PARAMS(sql_params), .incremental = true },
    { "interleave", "interleaved lists and clicks → what users preferred, by pair and day", PARAMS(interleave_params) },
    { "golden", "made-up rows through every kind of pass → a digest: does each engine compute the same?",
      PARAMS(golden_params) },
    { "als", "signals → a recommender: factors of units and items by implicit ALS", PARAMS(als_params),
      .incremental = true },
    { "bpr", "signals → a recommender: factors of units and items by pairs in the right order", PARAMS(bpr_params),
      .incremental = true },
    { "clicks", "clicks, carts, purchases … → weights of documents for queries", PARAMS(clicks_params),
      .incremental = true },
    { "catalogue", "the catalogue of documents → a model by which servers filter", PARAMS(catalogue_params) },
    { "popular", "what is had most, of all and by category → a recommender", PARAMS(popular_params),
      .incremental = true },
    { "item-similarity", "items that the same units had → a recommender", PARAMS(item_similarity_params),
      .incremental = true },
    { "association-rules", "who had these also had that: rules, tested → a recommender",
      PARAMS(association_rules_params), .incremental = true },
    { "similar-queries", "searches and clicks → related queries, and the documents that are expected for a query",
      PARAMS(similar_queries_params), .incremental = true },
    { "head-tail", "traffic of queries → head and tail, why a query is in the tail, and what it may be rewritten to",
      PARAMS(head_tail_params), .incremental = true },
    { "synonyms", "queries that lead to the same documents → words that stand for each other in them",
      PARAMS(synonyms_params), .incremental = true },
    { "remove-words", "queries that do better without a word → words to leave out", PARAMS(remove_words_params),
      .incremental = true },
    { "spelling", "words that are searched seldom → what was meant, for review", PARAMS(spelling_params),
      .incremental = true },
    { "phrases", "words that go together beyond chance → phrases, for review", PARAMS(phrases_params),
      .incremental = true },
    { "query-similarity", "queries and the documents clicked for them, factorised → similar queries",
      PARAMS(query_similarity_params), .incremental = true },
    { "click-models",
      "what searches were shown and what was clicked → relevance of documents, and how positions are looked at",
      PARAMS(click_models_params), .incremental = true },
    { "boosts", "clicks, carts, purchases … → which documents to lift for a query, and by how much",
      PARAMS(boosts_params), .incremental = true },
    { "publish-rewrites", "rewrites of queries that are approved → a model by which servers rewrite",
      PARAMS(publish_rewrites_params), .incremental = true },
    { "content", "documents that are alike by their texts → a recommender", PARAMS(content_params),
      .incremental = true },
    { "clusters", "documents into groups by their texts, with labels and outliers", PARAMS(clusters_params) },
    { "word2vec", "words as vectors, from texts of the catalogue and from queries", PARAMS(word2vec_params),
      .incremental = true },
    { "cluster-labels", "what tells the classes of a field apart: terms for each", PARAMS(cluster_labels_params) },
    { "judgments", "searches and clicks → what documents are worth for a query, beside what people say",
      PARAMS(judgments_params), .incremental = true },
    { "query-set", "queries drawn from what was searched → a query set", PARAMS(query_set_params),
      .incremental = true },
    { "trending", "what came more often lately, beyond chance → a recommender", PARAMS(trending_params),
      .incremental = true },
    { "ranking-metrics", "a query set, search engines, judgments → what their rankings are worth, and which is better",
      PARAMS(ranking_metrics_params) },
    { "learn-to-rank", "features and judgments, or clicks, of documents by query → a ranker",
      PARAMS(learn_to_rank_params), .incremental = true },
    { "training-data", "clicks on documents of categories → labelled queries, for query-intent",
      PARAMS(training_data_params), .incremental = true },
    { "query-intent", "labelled texts → a classifier that says what a query is about", PARAMS(query_intent_params) },
    { "off-policy", "lists that were shown at random → what another policy would have earned",
      PARAMS(off_policy_params) },
};
const size_t job_types_count = COUNT_OF(job_types);

const struct job_type *job_type_find(struct str name)
{
    for (size_t i = 0; i < job_types_count; i++)
        if (str_eq_c(name, job_types[i].name))
            return &job_types[i];
    return NULL;
}

const struct job_param *job_param_find(const struct job_type *type, struct str name)
{
    for (size_t i = 0; i < type->params_count; i++)
        if (str_eq_c(name, type->params[i].name))
            return &type->params[i];
    return NULL;
}
