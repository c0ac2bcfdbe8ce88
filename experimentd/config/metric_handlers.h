/* metric_handlers.h - /v1/metrics: list, make, read, change, delete. Their revisions: object_handlers.h.
 *
 * The answer is the definition as it is stored (metric/metric.h), and "counts": the same in words, "builtin", "version", "created_at",
 * "updated_at", "experiments": [{"key","status","role"}…], who measures it.
 * POST with ?dry_run=true stores nothing, and answers how the document was understood.
 *
 * SQL of a definition goes to the database first (metric_sql_check, read only, planned and not run); then the edit is one as any other. */
#pragma once
#include "experimentd/http/http.h"

void metrics_list(struct http_request *req, void *arg);
void metrics_get(struct http_request *req, void *arg);
void metrics_create(struct http_request *req, void *arg);
void metrics_patch(struct http_request *req, void *arg);
void metrics_delete(struct http_request *req, void *arg);
