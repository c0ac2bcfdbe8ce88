/* handlers.h - /v1/stats: the methods of xstat by HTTP. A worker computes, and others of its requests wait meanwhile: bodies are small,
 * except of methods that go through a log once (STATISTICS_LOG_MAX: some 20 ms). */
#pragma once
#include "experimentd/http/http.h"

enum {
    STATISTICS_BODY_MAX = 64 << 10,
    STATISTICS_LOG_MAX = 1 << 20,
    STATISTICS_INPUTS_MAX = 1000,
    STATISTICS_MS_MAX = 500
};

/* {"methods": [{"method","summary","formula","source","input","output"}]} */
void statistics_list(struct http_request *req, void *arg);
/* The same of one. */
void statistics_explain(struct http_request *req, void *arg);
/* An object: its answer, or 400 with the reason. An array of objects: an array of answers, {"error"} for those that are refused, or that
 * would begin after STATISTICS_MS_MAX. */
void statistics_compute(struct http_request *req, void *arg);
