/* handlers.h - running it: /healthz, /readyz, /version, /metrics, /openapi.json. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void admin_healthz(struct http_request *req, void *arg);
void admin_readyz(struct http_request *req, void *arg);
void admin_version(struct http_request *req, void *arg);
void admin_metrics(struct http_request *req, void *arg);
void admin_openapi(struct http_request *req, void *arg);
