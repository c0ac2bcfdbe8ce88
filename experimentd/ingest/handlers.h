/* handlers.h - POST /v1/signals, /v1/exposures, /ubi_events, /ubi_queries. `arg` is the worker. The answer leaves when all is on disk. */
#pragma once
#include "experimentd/http/routes.h"

void ingest_signals(struct http_request *req, void *arg);
void ingest_exposures(struct http_request *req, void *arg);
void ingest_ubi_events(struct http_request *req, void *arg);
void ingest_ubi_queries(struct http_request *req, void *arg);
void ingest_ubi_either(struct http_request *req, void *arg);
void ingest_segment_batch(struct http_request *req, void *arg);
void ingest_segment_one(struct http_request *req, void *arg); /* its type is the last part of the route */
void ingest_insights(struct http_request *req, void *arg);
/* Where these clients put their key when they send no header. */
struct str ingest_segment_key(struct http_request *req);
struct str ingest_insights_key(struct http_request *req);
struct str ingest_query_key(struct http_request *req); /* "?key=": beacons can send no headers */
