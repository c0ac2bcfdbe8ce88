/* clusters.h - parameters of the jobs that put documents into groups (docs/clusters.md); for job/types.c alone. */
#pragma once
#include "job/items.h"

/* Of jobs over the texts of the catalogue: what trainer/jobs/doc_vectors.h reads. */
#define DOC_TEXTS(most)                                                            \
    FIELD_WEIGHTS, NGRAMS("1"), LANGUAGE("english"), STOP_WORDS,                   \
        { .name = "min_df",                                                        \
          .type = JOB_WHOLE,                                                       \
          .fallback = "2",                                                         \
          .min = 1,                                                                \
          .max = 1e9,                                                              \
          .unit = "documents",                                                     \
          .help = "a term of fewer is left out" },                                 \
        { .name = "max_df",                                                        \
          .type = JOB_REAL,                                                        \
          .fallback = "0.5",                                                       \
          .min = 0,                                                                \
          .max = 1,                                                                \
          .help = "a term of more than this share of the documents is left out" }, \
        { .name = "max_terms",                                                     \
          .type = JOB_WHOLE,                                                       \
          .fallback = "200",                                                       \
          .min = 1,                                                                \
          .max = 10000,                                                            \
          .unit = "terms",                                                         \
          .help = "so many of a document, those that weigh most" },                \
        { .name = "max_features",                                                  \
          .type = JOB_WHOLE,                                                       \
          .fallback = "20000",                                                     \
          .min = 1,                                                                \
          .max = 200000,                                                           \
          .unit = "terms",                                                         \
          .help = "so many of the catalogue, those of most documents" },           \
        MIN_DOCUMENTS(most, 1)

#define CLUSTER_TERMS                                                                                          \
    { .name = "label_terms",                                                                                   \
      .type = JOB_WHOLE,                                                                                       \
      .fallback = "5",                                                                                         \
      .min = 1,                                                                                                \
      .max = 100,                                                                                              \
      .unit = "terms",                                                                                         \
      .help = "that tell a group from the others, at most; a term labels one group only" },                    \
    {                                                                                                          \
        .name = "frequent_terms", .type = JOB_WHOLE, .fallback = "10", .min = 1, .max = 1000, .unit = "terms", \
        .help = "most frequent ones of a group"                                                                \
    }

/* Which version takes the champion's place, when what it is judged by are documents, or sentences, that it was not trained on. */
#define GATE_HELD_OUT(metrics, fallback_metric, things)                                             \
    { .name = "holdout",                                                                            \
      .type = JOB_REAL,                                                                             \
      .fallback = "0.1",                                                                            \
      .min = 0,                                                                                     \
      .max = 0.9,                                                                                   \
      .help = "share of the " things                                                                \
              " that nothing is trained on: versions are judged by them; 0: they are not judged" }, \
        GATE_RULE(metrics, fallback_metric, things " that nothing was trained on", "10", things, things)

static const char *const clusters_metrics[] = { "cohesion", "silhouette", NULL };
static const char *const clusters_methods[] = { "kmeans", "bisecting", NULL };
static const struct job_param clusters_params[] = {
    MODEL("clusters"),
    DOC_TEXTS("20"),
    { .name = "vectors",
      .type = JOB_TEXT,
      .max = 64,
      .unit = "model",
      .help = "of words (job word2vec): a document is the sum of its words' vectors by TF-IDF; without: TF-IDF alone" },
    { .name = "short_len",
      .type = JOB_REAL,
      .fallback = "2",
      .min = 0,
      .max = 1e9,
      .unit = "words",
      .help =
          "documents of fewer words are set apart (short_doc); below 1: as many as this share of the documents have" },
    { .name = "long_len",
      .type = JOB_REAL,
      .fallback = "0.99",
      .min = 0,
      .max = 1e9,
      .unit = "words",
      .help = "documents of more words are set apart (long_doc); up to 1: as many as this share of the documents have; "
              "0: none is" },
    { .name = "outlier_k",
      .type = JOB_WHOLE,
      .fallback = "10",
      .min = 0,
      .max = 1000,
      .unit = "groups",
      .help = "in which outliers are looked for first; 0: they are not" },
    { .name = "outlier_threshold",
      .type = JOB_REAL,
      .fallback = "0.01",
      .min = 0,
      .max = 1,
      .help = "one of these groups with less than this share of the documents is a group of outliers" },
    { .name = "outliers_only", .type = JOB_BOOLEAN, .fallback = "false", .help = "find outliers and nothing else" },
    { .name = "method",
      .type = JOB_CHOICE,
      .fallback = "kmeans",
      .choices = clusters_methods,
      .help = "spherical k-means with seeds of k-means++, or splitting the largest groups in two" },
    { .name = "k",
      .type = JOB_WHOLE,
      .min = 1,
      .max = 1000,
      .unit = "clusters",
      .help = "exactly so many; without: chosen from k_min to k_max" },
    { .name = "k_min",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 2,
      .max = 1000,
      .unit = "clusters",
      .help = "at least" },
    { .name = "k_max",
      .type = JOB_WHOLE,
      .fallback = "40",
      .min = 2,
      .max = 1000,
      .unit = "clusters",
      .help = "at most" },
    { .name = "k_step",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1000,
      .unit = "clusters",
      .help = "numbers of clusters that are tried lie so far apart" },
    { .name = "k_discount",
      .type = JOB_REAL,
      .fallback = "0.7",
      .min = 0,
      .max = 1,
      .help = "what many clusters cost; 0: nothing, 1: so much that one for each document is worth nothing" },
    { .name = "starts",
      .type = JOB_WHOLE,
      .fallback = "3",
      .min = 1,
      .max = 64,
      .help = "with seeds of their own, of which the best counts" },
    { .name = "max_iterations", .type = JOB_WHOLE, .fallback = "30", .min = 1, .max = 1000, .help = "of each start" },
    CLUSTER_TERMS,
    SEED,
    GATE_HELD_OUT(clusters_metrics, "cohesion", "documents"),
    { .name = "max_cluster_share",
      .type = JOB_REAL,
      .fallback = "0.9",
      .min = 0,
      .max = 1,
      .help = "of the documents that the largest cluster may have; more: refused" },
    { .name = "max_outlier_share",
      .type = JOB_REAL,
      .fallback = "0.5",
      .min = 0,
      .max = 1,
      .help = "of the documents that may be outliers; more: refused" },
    RANGES,
};

static const struct job_param cluster_labels_params[] = {
    MODEL("cluster-labels"),
    { .name = "class_field",
      .type = JOB_TEXT,
      .fallback = "category",
      .max = 100,
      .unit = "field",
      .help = "of the catalogue: whose values are the classes; a text, or a list of texts" },
    { .name = "min_class_documents",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 1e9,
      .unit = "documents",
      .help = "a class of fewer is left out" },
    DOC_TEXTS("2"),
    CLUSTER_TERMS,
    RANGES,
};
