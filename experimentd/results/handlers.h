/* handlers.h - GET /v1/experiments, and of one its results, time series and exports. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void results_list(struct http_request *req, void *arg);
void results_get(struct http_request *req, void *arg);
void results_timeseries(struct http_request *req, void *arg);
void results_csv(struct http_request *req, void *arg);
void results_json(struct http_request *req, void *arg);
