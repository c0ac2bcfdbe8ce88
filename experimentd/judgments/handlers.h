/* handlers.h - judgments and query sets over HTTP: docs/judgments.md. `arg` is the worker. Revisions: config/object_handlers.h. */
#pragma once
#include "experimentd/http/http.h"

void judgments_list(struct http_request *req, void *arg);
void judgments_create(struct http_request *req, void *arg);
void judgments_get(struct http_request *req, void *arg);
void judgments_patch(struct http_request *req, void *arg);
void judgments_remove(struct http_request *req, void *arg);
void judgments_queries(struct http_request *req, void *arg);
void judgments_import(struct http_request *req, void *arg);
void judgments_export(struct http_request *req, void *arg);
void ratings_list(struct http_request *req, void *arg);
void ratings_put(struct http_request *req, void *arg); /* by hand: a job that makes the set anew leaves them */
void ratings_delete(struct http_request *req, void *arg);

void query_sets_list(struct http_request *req, void *arg);
void query_sets_create(struct http_request *req, void *arg);
void query_sets_get(struct http_request *req, void *arg);
void query_sets_patch(struct http_request *req, void *arg);
void query_sets_remove(struct http_request *req, void *arg);
void query_sets_import(struct http_request *req, void *arg);
void query_sets_export(struct http_request *req, void *arg);
void query_set_queries_list(struct http_request *req, void *arg);
void query_set_queries_put(struct http_request *req, void *arg);
void query_set_queries_delete(struct http_request *req, void *arg);
