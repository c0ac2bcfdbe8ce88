/* handlers.h - GET /v1/experiments, …/{key}/results and …/{key}/timeseries. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void results_list(struct http_request *req, void *arg);
void results_get(struct http_request *req, void *arg);
void results_timeseries(struct http_request *req, void *arg);
