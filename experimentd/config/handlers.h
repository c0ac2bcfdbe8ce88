/* handlers.h - POST /v1/experiments, GET and DELETE /v1/experiments/{key}, POST …/start and …/stop. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void experiments_create(struct http_request *req, void *arg);
void experiments_get(struct http_request *req, void *arg);
void experiments_delete(struct http_request *req, void *arg);
void experiments_start(struct http_request *req, void *arg);
void experiments_stop(struct http_request *req, void *arg);
