/* exposures.h - what an embedded libassign or an SDK's trackingCallback reports: {"unit","experiment","variant","timestamp"?,
 * "attributes"?}.
 *
 * `variant` is the variant's key, or its index as a number or its digits (GrowthBook's result.key and result.variationId). Experiment and
 * variant must be of the configuration: an exposure that no result can count is a mistake that somebody should see. Drafts are
 * refused; one that was stopped is not, since SDKs report in batches. `attributes`, an object, are the unit's as it was evaluated. */
#pragma once
#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/ingest/signal.h"

enum { EXPOSURES_PER_REQUEST_MAX = 10000 };
/* How late a key that stands in pages may be; keys that may read everything write further into the past (a replay). */
#define EXPOSURE_LATE_MAX_US (INT64_C(86400) * 1000000)

struct exposure_reader {
    const struct snapshot *snapshot;
    enum key_scope scope; /* of the request's key */
    int64_t received_us;
    struct arena *arena;
};

/* One element, as text. Its texts are the snapshot's and the arena's: both must outlive it. */
bool exposure_parse(const struct exposure_reader *r, struct str text, struct exposure *out, struct err *err) MUSTCHECK;
