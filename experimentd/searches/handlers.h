/* handlers.h - /v1/searches: search configurations; /v1/evaluations: what rankings were worth. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void searches_list(struct http_request *req, void *arg);
void searches_get(struct http_request *req, void *arg);
void searches_put(struct http_request *req,
                  void *arg); /* {"description", …: job/search.h}; ?dry_run=true: only checks it */
void searches_put_lists(struct http_request *req, void *arg); /* ?format=trec|csv|jsonl: run_file.h */
void searches_delete(struct http_request *req, void *arg);

void evaluations_list(struct http_request *req, void *arg);    /* ?limit=&page_token= */
void evaluations_get(struct http_request *req, void *arg);     /* the whole: means, intervals, comparisons */
void evaluations_queries(struct http_request *req, void *arg); /* ?a=&b=&metric=&sort=&search=&limit=&page_token= */
void evaluations_points(struct http_request *req, void *arg);  /* ?a=&b=&metric=: of each query the two values */
void evaluations_delete(struct http_request *req, void *arg);
