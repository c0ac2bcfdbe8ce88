/* handlers.h - POST /v1/signals, /ubi_events, /ubi_queries. `arg` is the worker. The answer leaves when the signals are on disk. */
#pragma once
#include "experimentd/http/http.h"

void ingest_signals(struct http_request *req, void *arg);
void ingest_ubi_events(struct http_request *req, void *arg);
void ingest_ubi_queries(struct http_request *req, void *arg);
