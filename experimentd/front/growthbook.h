/* growthbook.h - what GrowthBook's SDKs ask: the payload, its stream, and remote evaluation. `arg` is the worker.
 *
 * The key stands in the path. A refusal is {"status":…,"error":…}, and "x-unrecoverable: 1" says that asking again is of no use. */
#pragma once
#include "experimentd/http/http.h"

void growthbook_features(struct http_request *req, void *arg);
void growthbook_sub(struct http_request *req, void *arg);
void growthbook_sub_remote(struct http_request *req, void *arg);
void growthbook_eval(struct http_request *req, void *arg); /* remote.c */

/* Inside: false when the key may not call; answered then. */
bool growthbook_admit(struct http_request *req);
void growthbook_refuse(struct http_request *req, int status, const char *why);
