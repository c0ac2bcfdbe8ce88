/* handlers.h - /v1/labelled-texts: sets of texts with labels, which classifiers learn from. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void labelled_list(struct http_request *req, void *arg);
void labelled_get(struct http_request *req, void *arg);    /* a set: its labels, each with how many texts */
void labelled_texts(struct http_request *req, void *arg);  /* ?label=, ?prefix=, page_size, page_token */
void labelled_import(struct http_request *req, void *arg); /* ?format=csv|jsonl, ?replace=true, ?dry_run=true */
void labelled_export(struct http_request *req, void *arg); /* ?format=csv|jsonl */
void labelled_delete(struct http_request *req, void *arg);
void labelled_delete_text(struct http_request *req, void *arg); /* ?text=, ?label= */
