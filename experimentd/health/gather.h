/* gather.h - what health is judged by, for a request: five statements, sent together, then health_make on the snapshot of that moment.
 *
 * What cannot be had (a timeout) makes the checks that need it say so; only without the moments there is no answer. */
#pragma once
#include "experimentd/health/health.h"

struct worker;
struct http_request;

struct health_report {
    struct http_request *req;
    struct worker *worker;
    struct str key;
    struct health_input input;
    struct health health;
    struct err error; /* .kind ERR_NONE: the two above hold, in the request's arena */
    void *arg;        /* the caller's own */
};
typedef void (*health_ready_fn)(struct health_report *r);

/* Calls ready once, later or at once. */
void health_gather(struct http_request *req, struct worker *worker, struct str key, health_ready_fn ready, void *arg);
