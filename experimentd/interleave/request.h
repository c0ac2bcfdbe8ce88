/* request.h - the body of POST /v1/interleave, checked, and its rankings as numbers for stats/interleave. */
#pragma once
#include <jansson.h>

#include "base/json.h"
#include "stats/interleave/interleave.h"

struct interleave_request {
    struct str unit, query_id, experiment; /* in the arena */
    json_t *rankings, *attributes;         /* objects, borrowed from the root; attributes may be NULL */
    size_t length;                         /* 0: as long as the longest ranking */
};

/* {"unit", "query_id", "experiment", "rankings": {variant: [doc…]}, "length"?, "attributes"?}. ERR_INVALID names the field. */
bool interleave_request_read(json_t *root, struct arena *arena, struct interleave_request *out,
                             struct err *err) MUSTCHECK;

/* The rankings in the order of the experiment's variants. */
struct interleave_docs {
    struct interleave_rankings rankings;
    struct str *texts; /* of the documents, by number; borrowed from the root */
    size_t longest;    /* ranking */
};
/* Each variant has a ranking and no other name has one; no more than INTERLEAVE_RANKING_MAX documents in one, each a string of 1 to
 * SIGNAL_DOC_MAX bytes, none twice. There are at most INTERLEAVE_RANKINGS_MAX variants. */
bool interleave_request_docs(const struct interleave_request *r, const struct str *variants, size_t variants_count,
                             struct arena *arena, struct interleave_docs *out, struct err *err) MUSTCHECK;
