/* rank_ask.h - a request of /v1/rank: read, scored, written.
 *
 *   {"model"?, "alias"?, "query"?, "n"?, "explain"?, "deadline_ms"?,
 *    "docs": [{"id"?, "features": {NAME: NUMBER, …} | [NUMBER, …]}, …]           one object a document, or
 *    "values": [[NUMBER, …], …], "ids"?: [ID, …],                                a row a document
 *    "features"?: [NAME, …]}                                                     the order of numbers in lists; without it, the model's
 *   → {"model", "alias", "version", "docs": [{"id" | "index", "score", "contributions"?}, …]}, the best first
 *
 * Read with the pull reader, without a tree: numbers go straight into the matrix that is scored. Its columns are the model's, which the members before the
 * documents mostly name; where they do not, or what comes behind them names another, documents are passed over by their brackets and read in the end.
 * null is a missing value. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"
#include "model/ranker.h"

struct http_request;

struct rank_docs {
    uint32_t count;
    struct str *ids; /* NULL: they have none */
    float *values;   /* count × the ranker's features, NaN missing */
};

enum { RANK_DOCS_MAX = 1000, RANK_ID_MAX = 256, RANK_DEADLINE_MAX_MS = 60000 };

struct rank_ask {
    struct str model, alias, query;         /* query: its normal form */
    struct str docs, features, values, ids; /* as they stand in the body; {NULL, 0}: not there */
    uint32_t n;                             /* documents to answer; RANK_DOCS_MAX: all */
    bool explain;
    int64_t deadline_us; /* monotonic; 0: none */
    uint32_t deadline_ms;
    /* Read on the way, for this ranker and with these "features"; NULL: not yet. */
    const struct ranker *early;
    const char *early_features;
    struct rank_docs early_docs;
};

/* Which ranker a model and alias are, as far as the request named them; NULL: none, and the documents are read later. */
typedef const struct ranker *(*rank_find_fn)(void *arg, struct str model, struct str alias);
/* `find` may be NULL. */
bool rank_ask_read(struct str body, int64_t started_us, rank_find_fn find, void *arg, struct arena *arena,
                   struct rank_ask *out, struct err *err) MUSTCHECK;
/* The same of a value that was read already (/v1/models/{name}/predict). */
bool rank_ask_of(const struct assign_value *object, int64_t started_us, struct arena *arena, struct rank_ask *out,
                 struct err *err) MUSTCHECK;

/* The documents, with the values of signals filled in. */
bool rank_docs_read(const struct rank_ask *ask, const struct ranker *r, struct arena *arena, struct rank_docs *out,
                    struct err *err) MUSTCHECK;

/* Scores and answers, appended as one JSON object. ERR_BUSY when the deadline passes. */
bool rank_answer_write(const struct rank_ask *ask, const struct serving_entry *e, struct arena *arena, struct buf *out,
                       struct err *err) MUSTCHECK;
