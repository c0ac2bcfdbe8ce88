/* handlers.h - rewrites of queries over HTTP: what was found and written, its review, exports, and rewriting itself. */
#pragma once
#include "experimentd/http/http.h"

void rewrites_list(struct http_request *req, void *worker);   /* GET /v1/rewrites */
void rewrites_counts(struct http_request *req, void *worker); /* GET /v1/rewrites/counts: by type and review */
void rewrites_create(struct http_request *req, void *worker); /* POST /v1/rewrites: one, or a list */
void rewrites_get(struct http_request *req, void *worker);    /* GET /v1/rewrites/{id} */
void rewrites_patch(struct http_request *req, void *worker);
void rewrites_delete(struct http_request *req, void *worker);
void rewrites_bulk_review(struct http_request *req, void *worker); /* POST /v1/rewrites/review */
void rewrites_export(struct http_request *req, void *worker);      /* GET /v1/rewrites/export?format= */
void rewrite_query(struct http_request *req, void *worker);        /* GET and POST /v1/rewrite */
