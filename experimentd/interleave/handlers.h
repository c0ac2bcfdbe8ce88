/* handlers.h - POST /v1/interleave. `arg` is the worker.
 *
 *   {"unit", "query_id", "experiment", "rankings": {variant: [doc…]}, "length"?, "attributes"?}
 *   → {"experiment", "method", "interleaved": true, "reason": "split", "docs": […], "owners": [variant or null, …]}
 *
 * A unit that is not in the experiment, or any while it does not run, gets the control's ranking (the first variant's; after a rollout the
 * winner's): "interleaved": false with the reason, "owners": null. Method "optimized" adds "credit": what a click on each position counts.
 *
 * The impression goes to the journal like an exposure: the answer does not wait until it is on disk, what a crash may lose is bounded by
 * the journal's next sync, and what it cannot take is counted (experimentd_impressions_lost_total). A lost impression makes its query's
 * clicks count for nobody; it biases nothing, since who owns a document had no part in it. */
#pragma once
#include "experimentd/http/http.h"

void interleave_post(struct http_request *req, void *arg);
