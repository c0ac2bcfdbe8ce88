/* handlers.h - POST /v1/signals, /v1/exposures, /ubi_events, /ubi_queries. `arg` is the worker. The answer leaves when all is on disk. */
#pragma once
#include "experimentd/http/http.h"

void ingest_signals(struct http_request *req, void *arg);
void ingest_exposures(struct http_request *req, void *arg);
void ingest_ubi_events(struct http_request *req, void *arg);
void ingest_ubi_queries(struct http_request *req, void *arg);
