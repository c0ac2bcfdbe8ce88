/* handlers.h - /v1/experiments/{key}/preflight (POST or GET), and what a refused start is answered with. `arg` is the worker. */
#pragma once
#include "experimentd/http/http.h"

struct preflight_report;

/* Changes nothing. 200, whatever was found. */
void preflight_dry_run(struct http_request *req, void *arg);
/* 409 with the report as member "preflight"; or what kept it from being made. */
void preflight_refuse(const struct preflight_report *r);
