/* lines.h - what a run says, on its way to run_log.
 *
 * Any thread adds; the heartbeat takes them in batches. A run's log holds LINES_MAX lines; what is said beyond them is counted only. A line is cut
 * at LINE_BYTES, and what PostgreSQL would not take in it (control characters, bytes that are not UTF-8) becomes '?'. */
#pragma once
#include <stdint.h>

#include "base/buf.h"

struct lines;

enum { LINES_MAX = 10000, LINE_BYTES = 2000, LINES_BATCH = 500, LINES_BATCH_BYTES = 4 << 20 };

/* said: lines that a run which is taken over had said before. */
struct lines *lines_new(int64_t said);
void lines_free(struct lines *l);
DEFINE_AUTO(struct lines *, lines_free)
/* source: "run", "log" (of base/log.h), "worker 3". */
void lines_add(struct lines *l, const char *source, struct str text, int64_t at_us);
/* The next batch as a JSON array of {"seq", "at", "source", "line"}; false: there is none. The same until lines_taken. `out` is init'ed with
 * LINES_BATCH_BYTES. */
bool lines_peek(struct lines *l, struct buf *out);
void lines_taken(struct lines *l); /* what the last peek gave is stored */
int64_t lines_said(struct lines *l);

struct pg;
struct row;
/* Stores all that is waiting. */
bool lines_store(struct lines *l, struct pg *pg, const struct row *row, struct err *err) MUSTCHECK;
