/* publish_wait.h - holding the answer to an edit until this daemon's own snapshot has the edit: who starts an experiment and then
 * asks for an assignment must get one. After five seconds the answer leaves anyway. One list per worker. */
#pragma once
#include <stdint.h>

struct http_request;
struct worker;

typedef void (*publish_wait_fn)(struct http_request *req, void *arg);

/* Calls fn(req, arg) at the end of the first turn in which the published version is at least `version`. */
void publish_wait_add(struct worker *w, struct http_request *req, int64_t version, publish_wait_fn fn, void *arg);
void publish_wait_turn(struct worker *w);
void publish_wait_drop(struct worker *w); /* the worker ends: answers what waits */
