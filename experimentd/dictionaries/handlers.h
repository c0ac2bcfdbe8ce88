/* handlers.h - /v1/dictionaries: lists of words that jobs take for correct. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void dictionaries_list(struct http_request *req, void *arg);
void dictionaries_get(struct http_request *req, void *arg);   /* what is known of it, without the words */
void dictionaries_words(struct http_request *req, void *arg); /* as text, a word and its count a line */
void dictionaries_put(struct http_request *req, void *arg); /* the body is such a text; ?dry_run=true: only checks it */
void dictionaries_delete(struct http_request *req, void *arg);
