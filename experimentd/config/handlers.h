/* handlers.h - /v1/experiments and what is done to one. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

void experiments_create(struct http_request *req, void *arg);
void experiments_get(struct http_request *req, void *arg);
void experiments_patch(struct http_request *req, void *arg);
void experiments_delete(struct http_request *req, void *arg);
void experiments_start(struct http_request *req, void *arg);
void experiments_stop(struct http_request *req, void *arg);
void experiments_conclude(struct http_request *req, void *arg);
void experiments_new_phase(struct http_request *req, void *arg);
void holdouts_create(struct http_request *req, void *arg);
void holdouts_list(struct http_request *req, void *arg);
