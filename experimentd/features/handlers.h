/* handlers.h - /v1/feature-sets: what documents are described by when they are ranked. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void feature_sets_list(struct http_request *req, void *arg);
void feature_sets_get(struct http_request *req, void *arg);
void feature_sets_put(struct http_request *req, void *arg); /* ?dry_run=true: only checks it */
void feature_sets_delete(struct http_request *req, void *arg);
/* ?format=letor|csv|jsonl|solr|elasticsearch, ?query=, ?id_field=, ?judgments=SET: grades of the file go there, ?create=true, ?dry_run=true */
void feature_rows_post(struct http_request *req, void *arg);
/* ?format=letor|csv|jsonl, ?judgments=SET, ?judged=true: only rows that have a grade, ?query=, ?limit=, ?page_token= (header Next-Page-Token) */
void feature_rows_get(struct http_request *req, void *arg);
void feature_rows_remove(struct http_request *req, void *arg); /* ?query=: of this one alone */
