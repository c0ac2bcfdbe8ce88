/* starter.h - coordinators as processes: `trainer run --run ID`, each in a session of its own, its standard error in DIR/jobs/ID.log
 * (for a month, if it did not end well).
 *
 * What it needs to know it gets by environment (EXPERIMENTD_DATABASE_URL, …), never as an argument. It is our child while we live, and outlives us. */
#pragma once
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/pg.h"

struct starter;

struct starter_options {
    const char *trainer, *data_dir, *archive_dir, *url, *config; /* "": none */
    int64_t lost_after_us;
};

enum { STARTER_TRIES = 3, STARTER_TEXT_MAX = 200 };

/* ERR_SYSTEM: no directory for the logs. */
struct starter *starter_new(const struct starter_options *options, struct err *err);
void starter_free(struct starter *s); /* its children go on */
DEFINE_AUTO(struct starter *, starter_free)

bool starter_start(struct starter *s, const char *run, struct err *err) MUSTCHECK;
bool starter_has(const struct starter *s, struct str run); /* a child of ours is at it */
/* How often this run was started and ended without being taken. */
unsigned starter_failures(const struct starter *s, struct str run);
void starter_note_failure(struct starter *s, const char *run, bool failed); /* failed false: forget it */

struct starter_end {
    char run[UUID_TEXT_MAX];
    pid_t pid;
    char text[STARTER_TEXT_MAX]; /* "ended with status 70: what it said last" */
};
/* Takes the next child that has ended; false: there is none. */
bool starter_ended(struct starter *s, struct starter_end *out);

/* Asks a run's coordinator on this host to end, child or not, waits for it, and kills it after the time. The process must be one that names the run. */
void starter_end_all(const char *const *runs, const pid_t *pids, size_t count, int64_t patience_us);
