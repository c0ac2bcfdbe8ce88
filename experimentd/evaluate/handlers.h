/* handlers.h - POST /v1/assign and GET /v1/assign/{experiment}. `arg` is the worker.
 *
 * The GET is the hot way: no JSON tree, no database, no lock, no allocation outside the request's arena. Each assignment with reason
 * "split" appends an exposure to the journal; the answer does not wait for it. */
#pragma once
#include "experimentd/http/http.h"

void evaluate_get(struct http_request *req, void *arg);
void evaluate_post(struct http_request *req, void *arg);
