/* gather.h - a pre-flight for a request: two statements (traffic, baseline), sent together, then preflight_make on the snapshot of that
 * moment. What cannot be had (a timeout, a database that is away) is told in the answer; it does not fail it. */
#pragma once
#include "experimentd/preflight/preflight.h"

struct worker;

struct preflight_report {
    struct http_request *req;
    struct worker *worker;
    struct str key;
    int64_t config_version; /* that it was made on */
    bool passed;
    struct err error; /* when it has not passed: the first finding, or no such draft (then json is {NULL, 0}) */
    struct str json;  /* the object, in the request's arena */
};

typedef void (*preflight_ready_fn)(struct preflight_report *r);

/* Calls ready once: at once when there is no such draft, else later. */
void preflight_gather(struct http_request *req, struct worker *worker, struct str key, preflight_ready_fn ready);
