/* ranker.h - an artifact that gives documents scores from their features: regression trees (gradient boosting, LambdaMART) or a linear model.
 *
 *   section "ranker"      binary, below: what is scored, and the names of the features
 *   section "features"    JSON, optional: [{"name", "default"?, "source"?, "solr"?, "elasticsearch"?, "vespa"?}], one for each feature in their
 *                         order; "default" stands for a value that is missing, the engines' members go into exports
 *   section "importance"  JSON, optional: [{"name", "gain"?, "splits"?, "permutation"?}], the most important first
 *   section "signals"     lists, optional: key query (normal form, query_text.h) or "" (whatever the query), entries are documents, columns names of
 *                         features: values that a request need not bring. A document's entry under its query is taken whole, else that under ""
 *   section "card"        JSON text of the job
 *
 *   "ranker": "XPRANK01" | u32 type | u32 features | u32 trees | u32 nodes | u32 bytes of names | 36 bytes 0
 *     names, each ended by \n, padded to a multiple of 4
 *     trees:  u32 end of each tree's nodes | nodes of 24 bytes: u32 feature | u32 flags | f32 threshold | f32 leaf | f32 gain | f32 cover
 *             breadth first: the children of a tree's k-th inner node are its nodes 2k + 1 and 2k + 2, so that no other shape can be written down
 *     linear: f32 weight, f32 mean, f32 scale of each feature
 *
 * Little-endian; all numbers are finite. A tree goes left when value < threshold, as XGBoost does, and with a missing value (NaN) where the node
 * says. The score is the sum of the trees' leaves in float32, in their order: what XGBoost computes with base_score 0. A linear score is
 * the sum of weight × (value − mean) / scale in float32, in the order of features; what is missing is the mean. Pure. */
#pragma once
#include "model/artifact.h"
#include "model/lists.h"

#define RANKER_KIND "ranker"
enum {
    RANKER_FEATURES_MAX = 2000,
    RANKER_NAME_MAX = 200, /* bytes of a feature's name */
    RANKER_TREES_MAX = 20000,
    RANKER_TREE_NODES_MAX = 65535,
    RANKER_NODES_MAX = 1 << 24,
    RANKER_DEPTH_MAX = 512
};

enum ranker_type { RANKER_TREES, RANKER_LINEAR, RANKER_TYPE_COUNT };
extern const char *const ranker_type_names[RANKER_TYPE_COUNT]; /* "trees", "linear" */

/* A node of one tree; the root is node 0. It is a leaf when left is 0 (right too). */
struct ranker_tree_node {
    uint32_t feature;
    float threshold; /* left when value < threshold */
    uint32_t left, right;
    bool missing_left;
    float leaf;
    float gain;  /* of the split; 0: not known */
    float cover; /* weight of the training rows that came here; 0: not known */
};

/* ---- writing ---- */

struct ranker_out {
    enum ranker_type type;
    const struct str *names;
    uint32_t features, trees, nodes;
    struct buf ends, body;
    struct err wrong; /* the first thing that was wrong; ranker_end says it */
};
/* Names are borrowed until ranker_end: UTF-8 without control characters, each once. */
void ranker_begin(struct ranker_out *o, enum ranker_type type, const struct str *names, uint32_t features);
/* Nodes in any order, the root first; those that the root does not reach are dropped (XGBoost keeps pruned ones). */
void ranker_tree(struct ranker_out *o, const struct ranker_tree_node *nodes, uint32_t count);
/* Of each feature; means, scales NULL: 0, 1. Scales are not 0. */
void ranker_linear(struct ranker_out *o, const float *weights, const float *means, const float *scales);
/* Appends the section to `out`, which the caller limits. Fails when something was no tree, not finite, or not there. Releases `o` in every case. */
bool ranker_end(struct ranker_out *o, struct buf *out, struct err *err) MUSTCHECK;
void ranker_release(struct ranker_out *o); /* gives up; also behind ranker_end */

/* Trees as an importer gives them (ranker_xgboost.h), to look at and change before they are written. */
struct ranker_tree {
    struct ranker_tree_node *nodes;
    uint32_t count;
};
struct ranker_forest {
    struct str *names;
    uint32_t features, trees_count;
    struct ranker_tree *trees;
};
/* ranker_begin, ranker_tree for each, ranker_end. */
bool ranker_forest_write(const struct ranker_forest *f, struct buf *out, struct err *err) MUSTCHECK;

/* ---- reading ---- */

struct ranker_step; /* a node as it is walked (ranker_score.c) */

struct ranker {
    enum ranker_type type;
    uint32_t features, trees, nodes;
    struct str *names;
    float *defaults; /* NaN: none */
    bool has_defaults;
    struct str features_json, importance_json; /* {NULL, 0}: no such section */
    const char *ends, *body;                   /* of the section */
    /* trees, laid out for walking */
    uint32_t *first; /* node of each tree's root; first[trees] is the count of nodes */
    uint32_t *depth; /* steps to the deepest leaf */
    struct ranker_step *steps;
    float *leaves;
    double *
        means; /* of each node: expected leaf below it, by cover; where no cover is known, every leaf counts the same */
    /* linear */
    float *weights, *centers, *scales;
    uint32_t *slots; /* names by their hash: 1 + number, 0 free */
    uint32_t slots_count;
    /* values by query and document */
    bool has_signals;
    struct lists signals;
    uint32_t signal_features[LISTS_COLUMNS_MAX]; /* of each column */
    uint32_t *docs;                              /* entries of key "" by their hash: 1 + entry, 0 free */
    uint32_t docs_slots;
};

/* Checks everything once; afterwards nothing can go out of bounds. Borrows the artifact's bytes, the rest is the arena's. */
bool ranker_open(const struct artifact *a, struct arena *arena, struct ranker *out, struct err *err) MUSTCHECK;
/* Of section "ranker" alone, without the others. */
bool ranker_read(struct str section, struct arena *arena, struct ranker *out, struct err *err) MUSTCHECK;
int ranker_feature(const struct ranker *r, struct str name); /* or -1 */
/* Tree `tree`, as ranker_tree_node in the section's order; `out` has room for ranker_tree_size nodes. */
uint32_t ranker_tree_size(const struct ranker *r, uint32_t tree);
void ranker_tree_nodes(const struct ranker *r, uint32_t tree, struct ranker_tree_node *out);

/* ---- scoring ---- */

/* Values: docs × features, row by row, NaN what is missing. Of any number of documents; a document's score does not depend on the others. */
void ranker_score(const struct ranker *r, const float *values, size_t docs, float *out_scores);
/* What each feature adds to the score of one document; `out` has r->features numbers, which with *out_base sum up to the score. Linear models: the
 * terms of the sum. Trees: path attribution (Saabas 2014; XGBoost's approx_contribs): each step from a node to its child adds the change of the
 * expected leaf to the feature that was asked. */
void ranker_explain(const struct ranker *r, const float *values, double *out, double *out_base);
/* Of each feature: gain and splits summed over all nodes. Trees only. */
void ranker_importance(const struct ranker *r, double *out_gain, uint32_t *out_splits);

/* The values of signals for one query's documents. Made once a request, in its arena. */
struct ranker_signals {
    const struct ranker *r;
    struct lists_row row; /* of the query */
    uint32_t *slots, slots_count;
};
void ranker_signals_open(const struct ranker *r, struct str query, struct arena *arena, struct ranker_signals *out);
/* Fills in what is NaN in a document's values and known. */
void ranker_signals_fill(const struct ranker_signals *s, struct str doc, float *values);
