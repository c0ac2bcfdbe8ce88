/* notices.h - who is told that a run has ended, or of a step of a model's story: POST to the address of job or loop, by health/webhook.
 *
 * Runs that somebody is to be told of stand in the database (settled_at, and no notified_at) until the message has arrived, or was given up after
 * WEBHOOK_TRIES: a leader that dies leaves them to the next, so a message may come twice; its "id" is the same. */
#pragma once
#include "base/err.h"

struct jobs;
struct notices;

struct notices *notices_new(struct jobs *j);
void notices_free(struct notices *n); /* what waits is told by the next leader */
bool notices_turn(struct notices *n, struct err *err) MUSTCHECK;
