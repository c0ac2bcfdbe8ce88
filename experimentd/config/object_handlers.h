/* object_handlers.h - /v1/layers, /v1/domains, /v1/segments: list, make, read, change, delete; and the revisions of anything. */
#pragma once
#include "experimentd/http/http.h"

void layers_list(struct http_request *req, void *arg);
void layers_create(struct http_request *req, void *arg);
void layers_get(struct http_request *req, void *arg);
void layers_patch(struct http_request *req, void *arg);
void layers_delete(struct http_request *req, void *arg);
void domains_list(struct http_request *req, void *arg);
void domains_create(struct http_request *req, void *arg);
void domains_get(struct http_request *req, void *arg);
void domains_patch(struct http_request *req, void *arg);
void domains_delete(struct http_request *req, void *arg);
void segments_list(struct http_request *req, void *arg);
void segments_create(struct http_request *req, void *arg);
void segments_get(struct http_request *req, void *arg);
void segments_patch(struct http_request *req, void *arg);
void segments_delete(struct http_request *req, void *arg);

/* {"revisions":[{"id","at","actor","action","before","after"}…],"next_page_token"?}, newest first. */
void experiments_revisions(struct http_request *req, void *arg);
void metrics_revisions(struct http_request *req, void *arg);
void jobs_revisions(struct http_request *req, void *arg);
void models_revisions(struct http_request *req, void *arg);
void judgments_revisions(struct http_request *req, void *arg);
void query_sets_revisions(struct http_request *req, void *arg);
void layers_revisions(struct http_request *req, void *arg);
void domains_revisions(struct http_request *req, void *arg);
void segments_revisions(struct http_request *req, void *arg);
