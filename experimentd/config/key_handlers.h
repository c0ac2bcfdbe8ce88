/* key_handlers.h - /v1/keys: which keys there are, and what the signals of one must look like (ingest/schema.h). `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void keys_list(struct http_request *req, void *arg);
void keys_put_schema(struct http_request *req, void *arg);
void keys_delete_schema(struct http_request *req, void *arg);
