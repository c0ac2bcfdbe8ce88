/* journal.h - the append-only file that makes a signal durable before it is acknowledged.
 *
 * Workers append records to their own pending batch and hand it over once a loop turn; the journal thread writes what has
 * gathered and syncs it (fdatasync), then tells each worker, which answers its clients. No timer: the next sync takes what came
 * during the last (exposures alone wait up to 50 ms for company). A second thread of the ingest (loader.h) reads the synced part and COPYs it into PostgreSQL.
 *
 * File format, positions, recovery of a torn tail: head of journal.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "experimentd/ingest/signal.h"

struct event_base;
struct journal;
struct journal_client;

struct journal_options {
    const char *dir;
    uint64_t max_bytes;     /* all segments together; beyond it ERR_BUSY */
    uint64_t segment_bytes; /* a new file after this many */
};

/* Opens or makes the journal: recovers the tail, starts the writer thread. */
struct journal *journal_open(const struct journal_options *options, struct err *err);
/* Before the first client: new records go behind `position`, up to which PostgreSQL has what this journal held. It ends before that when
 * its last records were damaged, or its files are an older copy; without this, new records would count as loaded. */
void journal_go_behind(struct journal *j, uint64_t position);
/* Writes and syncs what was handed over, stops the thread. All clients must be freed before. */
void journal_close(struct journal *j);

/* One per worker thread; completions arrive on its event_base. */
struct journal_client *journal_client_new(struct journal *j, struct event_base *base);
void journal_client_free(struct journal_client *c);

/* Adds to the turn's batch. ERR_BUSY when the journal is full or its disk has failed (the text says which): answer 503 with
 * Retry-After. Nothing is appended then. */
bool journal_append_signal(struct journal_client *c, const struct signal *s, struct err *err) MUSTCHECK;
bool journal_append_exposure(struct journal_client *c, const struct exposure *e, struct err *err) MUSTCHECK;
/* True when nothing stops an append of n signals now: lets a handler refuse a whole request before appending its first. */
bool journal_ready(struct journal_client *c, struct err *err) MUSTCHECK;
/* Calls fn(arg, err) on this thread when everything appended so far by this client is on disk (err NULL), or could not be
 * written (err). At most one call; never from inside this function. */
typedef void (*journal_synced_fn)(void *arg, const struct err *err);
void journal_when_synced(struct journal_client *c, journal_synced_fn fn, void *arg);
/* Once per loop turn. */
void journal_hand_over(struct journal_client *c);

/* The loader's side: the journal's name and directory; waits until something behind `position` is synced (or the time is up) and
 * returns up to where it is; says what is in PostgreSQL, so that old segments may go. */
const unsigned char *journal_id(const struct journal *j);
const char *journal_dir(const struct journal *j);
uint64_t journal_wait_synced(struct journal *j, uint64_t position, int64_t timeout_us);
void journal_set_loaded(struct journal *j, uint64_t position);
/* The first position that there still are records of. */
uint64_t journal_first(struct journal *j);
/* Waits until everything that was handed over is on disk or has failed. */
void journal_flush(struct journal *j);

/* For /metrics and /readyz; any thread. */
struct journal_stats {
    uint64_t written, loaded; /* positions: bytes since the journal began */
    uint64_t waiting;         /* bytes of this process that were taken in and are not on disk yet */
    uint64_t syncs, signals, signals_ahead, exposures, exposures_lost;
    bool failed; /* the disk refused; taking nothing until it recovers */
};
void journal_stats(const struct journal *j, struct journal_stats *out);
