/* pgloop.h - a pipelined, non-blocking connection to PostgreSQL on an event_base, with a FIFO of {callback, argument}.
 *
 * One per worker. Each statement is followed by PQpipelineSync, so that one failure harms no neighbour. A lost connection fails
 * everything in flight with ERR_DB and is opened again with back-off and jitter; meanwhile new statements fail at once. */
#pragma once
#include "base/pg.h"

struct event_base;
struct pgloop;

/* r is NULL when err says why; both are valid during the call only. Called exactly once for each pgloop_run, never from inside it. */
typedef void (*pgloop_fn)(void *arg, const PGresult *r, const struct err *err);

/* Starts connecting; statements of `table` are prepared on each connect. statement_timeout_ms is set on the session. */
struct pgloop *pgloop_new(struct event_base *base, const char *url, const char *who, const struct pg_stmt *table,
                          size_t count, int statement_timeout_ms);
/* Fails what is in flight, closes. */
void pgloop_free(struct pgloop *p);
/* stmt must be in the table. Parameters are copied. */
void pgloop_run(struct pgloop *p, const struct pg_stmt *stmt, const char *const *params, pgloop_fn fn, void *arg);
bool pgloop_is_connected(const struct pgloop *p);
size_t pgloop_in_flight(const struct pgloop *p);
