/* handlers.h - POST /v1/plan. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void plan_post(struct http_request *req, void *arg);
