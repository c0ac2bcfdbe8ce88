/* items.h - parameters of the jobs that learn which items go together (docs/recommenders.md); for job/types.c alone. */
#pragma once
#include "job/training.h"

/* ---- parameters of the matrix (trainer/jobs/matrix.h) ---- */

/* Of jobs over the texts of the catalogue. */
static const char *const content_languages[] = { "none", "english", "german", NULL };
#define FIELD_WEIGHTS                                                                              \
    {                                                                                              \
        .name = "fields", .type = JOB_TEXT, .fallback = "title=3,text=1", .unit = "fields",        \
        .help = "of the catalogue, each with what a word in it weighs; a text, or a list of texts" \
    }
#define NGRAMS(fallback_words)                                                                                \
    {                                                                                                         \
        .name = "ngrams", .type = JOB_WHOLE, .fallback = fallback_words, .min = 1, .max = 3, .unit = "words", \
        .help = "terms are single words and runs of up to so many"                                            \
    }
#define LANGUAGE(fallback_language)                                                                          \
    {                                                                                                        \
        .name = "language", .type = JOB_CHOICE, .fallback = fallback_language, .choices = content_languages, \
        .help = "whose stop words are left out"                                                              \
    }
#define STOP_WORDS                                                                                                 \
    {                                                                                                              \
        .name = "stop_words", .type = JOB_TEXT, .unit = "words", .help = "left out besides, with commas: new,sale" \
    }
#define MIN_DOCUMENTS(fallback_documents, least)                                                               \
    {                                                                                                          \
        .name = "min_documents", .type = JOB_WHOLE, .fallback = fallback_documents, .min = least, .max = 1e12, \
        .unit = "documents", .help = "a catalogue of fewer is too little"                                      \
    }

#define ITEMS_WEIGHTS(fallback_weights)                                                             \
    {                                                                                               \
        .name = "weights", .type = JOB_TEXT, .fallback = fallback_weights, .unit = "weights",       \
        .help = "what a signal of each type is worth; a document with one is an item of the unit's" \
    }
#define ITEMS_MATRIX(min_units, min_items, max_items)                                                                \
    { .name = "min_item_units",                                                                                      \
      .type = JOB_WHOLE,                                                                                             \
      .fallback = min_units,                                                                                         \
      .min = 1,                                                                                                      \
      .max = 1e9,                                                                                                    \
      .unit = "units",                                                                                               \
      .help = "an item that fewer units had is left out" },                                                          \
        { .name = "min_unit_items",                                                                                  \
          .type = JOB_WHOLE,                                                                                         \
          .fallback = min_items,                                                                                     \
          .min = 1,                                                                                                  \
          .max = 10000,                                                                                              \
          .unit = "items",                                                                                           \
          .help = "a unit that had fewer is left out" },                                                             \
    {                                                                                                                \
        .name = "max_unit_items", .type = JOB_WHOLE, .fallback = max_items, .min = 1, .max = 10000, .unit = "items", \
        .help = "so many of a unit, those that weigh most: what one had them all says little"                        \
    }
#define USER_TOP                                                                                            \
    {                                                                                                       \
        .name = "user_top", .type = JOB_WHOLE, .fallback = "50", .min = 0, .max = 10000, .unit = "items",   \
        .help = "length of the list of a unit; 0: none is made, servers answer from a unit's history alone" \
    }
#define ITEMS_POPULAR                                                                                          \
    { .name = "popular_top",                                                                                   \
      .type = JOB_WHOLE,                                                                                       \
      .fallback = "100",                                                                                       \
      .min = 1,                                                                                                \
      .max = 10000,                                                                                            \
      .unit = "items",                                                                                         \
      .help = "length of the lists of popular items, which are answered when nothing else is known" },         \
        { .name = "popular_shrink",                                                                            \
          .type = JOB_REAL,                                                                                    \
          .fallback = "5",                                                                                     \
          .min = 0,                                                                                            \
          .max = 1e6,                                                                                          \
          .unit = "units",                                                                                     \
          .help = "popular: an item that n units had counts n/(n + popular_shrink) of its weight" },           \
    {                                                                                                          \
        .name = "category_field", .type = JOB_TEXT, .fallback = "category", .max = 100, .unit = "field",       \
        .help = "of the catalogue: a list of popular items for each of its values; a text, or a list of texts" \
    }

/* ---- by type ---- */

static const struct job_param catalogue_params[] = {
    MODEL("catalogue"),
    { .name = "fields",
      .type = JOB_TEXT,
      .max = 4000,
      .unit = "fields",
      .help = "of documents, by which servers are to filter: category,price,stock; without: the 64 most frequent" },
    { .name = "max_bytes",
      .type = JOB_WHOLE,
      .fallback = "256",
      .min = 1,
      .max = 65536,
      .unit = "bytes",
      .help = "a longer value is left out: texts are no filters" },
    MIN_DOCUMENTS("1", 0),
    { .name = "min_share",
      .type = JOB_REAL,
      .fallback = "0.5",
      .min = 0,
      .max = 1,
      .help = "of the documents of the version before: one that has fewer is refused" },
};

static const struct job_param popular_params[] = {
    MODEL("popular"), ITEMS_WEIGHTS("click=1,cart=10,purchase=25"),
    HALF_LIFE("7"),   AS_OF,
    DAYS("90"),       HOLDOUT("1"),
    MIN_UNITS("10"),  ITEMS_MATRIX("1", "1", "1000"),
    ITEMS_POPULAR,    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    RANGES,           FULL,
};

static const char *const similarity_values[] = { "once", "weights", NULL };
static const char *const similarity_kinds[] = { "cosine", "llr", NULL };
static const struct job_param item_similarity_params[] = {
    MODEL("item-similarity"),
    ITEMS_WEIGHTS("click=1,cart=10,purchase=25"),
    HALF_LIFE("0"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    MIN_UNITS("100"),
    ITEMS_MATRIX("2", "1", "200"),
    { .name = "similarity",
      .type = JOB_CHOICE,
      .fallback = "cosine",
      .choices = similarity_kinds,
      .help = "cosine of the units that had them, or the log-likelihood ratio (Dunning): how surprising it is that so "
              "many had both" },
    { .name = "values",
      .type = JOB_CHOICE,
      .fallback = "once",
      .choices = similarity_values,
      .help = "cosine: each item of a unit counts once, or by its weight" },
    { .name = "shrink",
      .type = JOB_REAL,
      .fallback = "3",
      .min = 0,
      .max = 1e6,
      .unit = "units",
      .help = "a pair that n units had counts n/(n + shrink) of its score" },
    { .name = "min_pair_units",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1e9,
      .unit = "units",
      .help = "a pair that fewer units had is no pair" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "50",
      .min = 1,
      .max = 10000,
      .unit = "items",
      .help = "length of the list of an item" },
    USER_TOP,
    ITEMS_POPULAR,
    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    GATE_LISTS("0.8"),
    RANGES,
    FULL,
};

static const char *const rule_measures[] = { "confidence", "lift", "leverage", "support", NULL };
static const struct job_param association_rules_params[] = {
    MODEL("association-rules"),
    ITEMS_WEIGHTS("cart=1,purchase=1"),
    HALF_LIFE("0"),
    AS_OF,
    DAYS("90"),
    HOLDOUT("1"),
    MIN_UNITS("100"),
    ITEMS_MATRIX("2", "1", "200"),
    { .name = "min_count",
      .type = JOB_WHOLE,
      .fallback = "5",
      .min = 1,
      .max = 1e9,
      .unit = "units",
      .help = "a set of items that fewer units had makes no rule" },
    { .name = "min_support",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1,
      .help = "the same as a share of all units; the larger of the two counts" },
    { .name = "triples",
      .type = JOB_BOOLEAN,
      .fallback = "true",
      .help = "also rules of two items: who had both also had that" },
    { .name = "min_confidence",
      .type = JOB_REAL,
      .fallback = "0.01",
      .min = 0,
      .max = 1,
      .help = "share of those with the antecedent who have the consequent; less: no rule" },
    { .name = "min_lift",
      .type = JOB_REAL,
      .fallback = "1",
      .min = 0,
      .max = 1e9,
      .help = "how many times more often than by chance; less: no rule" },
    { .name = "max_q",
      .type = JOB_REAL,
      .fallback = "0.05",
      .min = 1e-12,
      .max = 1,
      .help = "of the rules that are kept at most such a share is chance (Fisher's test, adjusted over all that there "
              "could be)" },
    { .name = "min_improvement",
      .type = JOB_REAL,
      .fallback = "0",
      .min = 0,
      .max = 1,
      .help = "a rule of two items has to be more confident than each of them alone, by more than this" },
    { .name = "rank_by",
      .type = JOB_CHOICE,
      .fallback = "confidence",
      .choices = rule_measures,
      .help = "by which rules of an antecedent are ordered, and servers add them up" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "50",
      .min = 1,
      .max = 10000,
      .unit = "rules",
      .help = "so many of an antecedent" },
    USER_TOP,
    ITEMS_POPULAR,
    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    GATE_LISTS("0.8"),
    RANGES,
    FULL,
};

static const char *const trending_of[] = { "documents", "queries", NULL };
static const struct job_param trending_params[] = {
    MODEL("trending"),
    { .name = "of",
      .type = JOB_CHOICE,
      .fallback = "documents",
      .choices = trending_of,
      .help = "what is counted; a model of queries needs a name of its own" },
    { .name = "types",
      .type = JOB_TEXT,
      .unit = "types",
      .help = "of the signals that are counted: click,cart; without: click for documents, request for queries" },
    AS_OF,
    { .name = "target_days",
      .type = JOB_WHOLE,
      .fallback = "7",
      .min = 1,
      .max = 366,
      .unit = "days",
      .help = "lately: the last days up to `as_of`" },
    { .name = "reference_days",
      .type = JOB_WHOLE,
      .fallback = "21",
      .min = 1,
      .max = 3660,
      .unit = "days",
      .help = "before: the days in front of these" },
    { .name = "min_signals",
      .type = JOB_WHOLE,
      .fallback = "100",
      .min = 1,
      .max = 1e12,
      .unit = "signals",
      .help = "fewer in either window are too little data" },
    { .name = "min_unit_days",
      .type = JOB_WHOLE,
      .fallback = "5",
      .min = 1,
      .max = 1e9,
      .unit = "unit-days",
      .help = "what fewer units had on some day, in both windows together, is not tested" },
    { .name = "max_q",
      .type = JOB_REAL,
      .fallback = "0.05",
      .min = 0,
      .max = 1,
      .open = true,
      .help = "of what is found at most such a share is chance (test of two Poisson rates, Benjamini-Hochberg)" },
    { .name = "prior",
      .type = JOB_REAL,
      .fallback = "5",
      .min = 0,
      .max = 1000,
      .help = "so many expected events draw a ratio towards 1 (shape of the gamma prior); 0: found from all, which is "
              "many where hardly anything changes, and then hides the few that do" },
    { .name = "level",
      .type = JOB_REAL,
      .fallback = "0.9",
      .min = 0,
      .max = 1,
      .open = true,
      .help = "of the interval whose nearer bound is the score" },
    { .name = "top", .type = JOB_WHOLE, .fallback = "100", .min = 1, .max = 100000, .help = "length of the lists" },
    RANGES,
    FULL,
};

static const struct job_param content_params[] = {
    MODEL("content"),
    FIELD_WEIGHTS,
    NGRAMS("3"),
    LANGUAGE("english"),
    STOP_WORDS,
    { .name = "min_df",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1e9,
      .unit = "documents",
      .help = "a term of fewer is left out: it tells nobody who else is alike" },
    { .name = "max_df",
      .type = JOB_REAL,
      .fallback = "0.2",
      .min = 0,
      .max = 1,
      .help = "a term of more than this share of the documents is left out: it tells nothing, and costs most" },
    { .name = "max_terms",
      .type = JOB_WHOLE,
      .fallback = "100",
      .min = 1,
      .max = 10000,
      .unit = "terms",
      .help = "so many of a document, those that weigh most" },
    { .name = "min_score",
      .type = JOB_REAL,
      .fallback = "0.05",
      .min = 0,
      .max = 1,
      .help = "documents of a smaller cosine are not alike" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "20",
      .min = 1,
      .max = 10000,
      .unit = "documents",
      .help = "length of the list of a document" },
    MIN_DOCUMENTS("2", 1),
    HOLDOUT("0"),
    ITEMS_WEIGHTS("click=1,cart=10,purchase=25"),
    HALF_LIFE("0"),
    AS_OF,
    DAYS("90"),
    MIN_UNITS("10"),
    ITEMS_MATRIX("1", "1", "200"),
    GATE_PARAMS(job_recommender_metrics, "ndcg@10"),
    GATE_LISTS("0.8"),
    RANGES,
    FULL,
};
