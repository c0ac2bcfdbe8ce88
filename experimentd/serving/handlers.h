/* handlers.h - serving of models over HTTP: answers from what is published (serving.h), without the database. */
#pragma once
#include "experimentd/http/http.h"

void serve_recommend(struct http_request *req, void *worker); /* GET and POST /v1/recommend */
void serve_boosts(struct http_request *req, void *worker);    /* GET and POST /v1/boosts */
void serve_rank(struct http_request *req, void *worker);      /* POST /v1/rank */
void serve_status(struct http_request *req, void *worker);    /* GET /v1/serving */
