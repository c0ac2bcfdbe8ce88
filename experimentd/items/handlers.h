/* handlers.h - the catalogue of documents over HTTP: docs/catalogue.md. */
#pragma once
#include "experimentd/http/http.h"

void items_post(struct http_request *req, void *worker);   /* upsert: an object, an array, NDJSON; ?merge=true */
void items_remove(struct http_request *req, void *worker); /* ids in bulk */
void items_list(struct http_request *req, void *worker);
void items_get(struct http_request *req, void *worker);
void items_put(struct http_request *req, void *worker);
void items_delete(struct http_request *req, void *worker);
