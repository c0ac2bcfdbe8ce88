/* rank_ask.h - a request of /v1/rank: read, scored, written.
 *
 *   {"model"?, "alias"?, "query"?, "n"?, "explain"?, "deadline_ms"?,
 *    "docs": [{"id"?, "features": {NAME: NUMBER, …} | [NUMBER, …]}, …]           one object a document, or
 *    "values": [[NUMBER, …], …], "ids"?: [ID, …],                                a row a document
 *    "features"?: [NAME, …]}                                                     the order of numbers in lists; without it, the model's
 *   → {"model", "alias", "version", "docs": [{"id" | "index", "score", "contributions"?}, …]}, the best first
 *
 * Two walks over the text with the pull reader and no tree: the first finds the members and passes over the documents without looking into them,
 * the second, when the model and thereby the features are known, reads numbers straight into the matrix that is scored. null is a missing value. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"
#include "model/ranker.h"

struct http_request;

enum { RANK_DOCS_MAX = 1000, RANK_ID_MAX = 256, RANK_DEADLINE_MAX_MS = 60000 };

struct rank_ask {
    struct str model, alias, query;         /* query: its normal form */
    struct str docs, features, values, ids; /* as they stand in the body; {NULL, 0}: not there */
    uint32_t n;                             /* documents to answer; RANK_DOCS_MAX: all */
    bool explain;
    int64_t deadline_us; /* monotonic; 0: none */
    uint32_t deadline_ms;
};

bool rank_ask_read(struct str body, int64_t started_us, struct arena *arena, struct rank_ask *out,
                   struct err *err) MUSTCHECK;
/* The same of a value that was read already (/v1/models/{name}/predict). */
bool rank_ask_of(const struct assign_value *object, int64_t started_us, struct arena *arena, struct rank_ask *out,
                 struct err *err) MUSTCHECK;

struct rank_docs {
    uint32_t count;
    struct str *ids; /* NULL: they have none */
    float *values;   /* count × the ranker's features, NaN missing; those of signals are filled in */
};
bool rank_docs_read(const struct rank_ask *ask, const struct ranker *r, struct arena *arena, struct rank_docs *out,
                    struct err *err) MUSTCHECK;

/* Scores and answers, appended as one JSON object. ERR_BUSY when the deadline passes. */
bool rank_answer_write(const struct rank_ask *ask, const struct serving_entry *e, struct arena *arena, struct buf *out,
                       struct err *err) MUSTCHECK;
