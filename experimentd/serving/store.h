/* store.h - the thread that keeps what this daemon serves in step with the registry of models.
 *
 *   a publication notifies channel experimentd_models, and every CHECK_SECONDS the thread asks anyway → aliases that name another version →
 *   from the cache (cache.h), or fetched into it → checksum compared, mapped, opened → a new serving is published to the workers → the old one's
 *   files are unmapped when no worker holds it
 *
 * Nothing waits: requests are answered by what is published. What cannot be had (damaged, missing) is refused: the alias keeps the version
 * that it had, the error stands in its entry (GET /v1/serving), in the log and in /metrics, and it is tried again, the less often the longer it
 * fails. Without PostgreSQL everything stays as it is; a start begins with what the cache's index names. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store;
struct recent;

enum { STORE_CHECK_SECONDS = 5 };

struct store_options {
    const char *url, *data_dir;
    struct recent *recent; /* forgets units that were deleted; may be NULL */
};
struct store_stats {
    uint64_t swaps, failures, fetched_bytes, checks; /* since the start */
    uint64_t aliases, failing;                       /* now; failing: whose version is not the registry's */
    bool database_up;
};

/* Maps what the cache has and then, when the database answers, what the registry says, before it returns. serving_init comes before. */
struct store *store_start(const struct store_options *o, struct err *err);
void store_stop(struct store *s); /* behind the workers; also takes down what is served */
void store_stats(const struct store *s, struct store_stats *out);
