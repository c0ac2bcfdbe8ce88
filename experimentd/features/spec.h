/* spec.h - pure: a set of features as people write it, and as it is stored.
 *
 *   {"description"?, "features": [{"name": "bm25", "source"?: "file" | "logged" | "signals", "default"?: number, "monotone"?: -1 | 0 | 1, "solr"?: {…},
 *                                  "elasticsearch"?: {…}, "vespa"?: text}, "price", …]}
 *
 * A text is a feature of that name. "default" stands for a value that is missing. "monotone": a larger value never lowers (1), never raises (-1) the score.
 * Features of signals are computed from clicks and have the names of job/ranking's table; "solr" (class, params), "elasticsearch" (the template) and "vespa" (the
 * expression) go into what is exported of a model. docs/learning-to-rank.md. */
#pragma once
#include "base/buf.h"

enum { FEATURE_SPEC_BYTES_MAX = 1 << 20, FEATURE_DESCRIPTION_MAX = 2000 };

struct feature_spec {
    struct str description;
    struct buf stored; /* {"features": [{…} …]}; release it */
    uint32_t features;
};
bool feature_spec_read(struct str json, struct arena *arena, struct feature_spec *out, struct err *err) MUSTCHECK;
/* Of names alone, for a set that an import makes. */
void feature_spec_of_names(const struct str *names, uint32_t count, struct buf *out);
/* Names of a stored spec, in the arena. */
bool feature_spec_names(struct str stored, struct arena *arena, struct str **out_names, uint32_t *out_count,
                        struct err *err) MUSTCHECK;
