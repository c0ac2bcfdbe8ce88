/* handlers.h - /v1/models/{name}/loop, what a person wants of it, and /v1/models/{name}/story: see docs/loop.md. */
#pragma once
#include "experimentd/http/http.h"

void loops_get(struct http_request *req, void *arg);
void loops_put(struct http_request *req, void *arg);
void loops_delete(struct http_request *req, void *arg);
/* The leader does it: 202, or 409 when nothing waits for it. */
void loops_approve(struct http_request *req, void *arg);
void loops_reject(struct http_request *req, void *arg);
void loops_stop(struct http_request *req, void *arg);

void stories_get(struct http_request *req, void *arg);
