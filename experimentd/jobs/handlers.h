/* handlers.h - /v1/job-types, /v1/jobs (definitions) and their runs, /v1/runs (all): see docs/jobs.md. */
#pragma once
#include "experimentd/http/http.h"

void job_types_list(struct http_request *req, void *arg);

void jobs_list(struct http_request *req, void *arg);
void jobs_create(struct http_request *req, void *arg);
void jobs_get(struct http_request *req, void *arg);
void jobs_put(struct http_request *req, void *arg);
void jobs_put_schedule(struct http_request *req, void *arg);
void jobs_delete(struct http_request *req, void *arg);

void runs_of_job(struct http_request *req, void *arg);
void runs_start(struct http_request *req, void *arg);
void runs_list(struct http_request *req, void *arg);
/* {id} is a job and {run} one of its runs; or, under /v1/runs, {run} alone. */
void runs_get(struct http_request *req, void *arg);
void runs_cancel(struct http_request *req, void *arg);
void runs_retry(struct http_request *req, void *arg);
