/* handlers.h - GET /v1/experiments/{key}/health. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void health_get(struct http_request *req, void *arg);
