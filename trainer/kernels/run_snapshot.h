/* run_snapshot.h - all workers of a run read one snapshot of the database, which its coordinator exported: a retry sees what the first attempt
 * saw. */
#pragma once
#include "base/mem.h"
#include "base/pg.h"

struct task;

/* The worker's connection, in a transaction in the run's snapshot; one of its own when none was exported. Opened by the first task that asks: a
 * server needs longer to begin a connection than to answer most of what is asked on it. NULL: it cannot be had. */
struct pg *run_snapshot_open(struct task *t, struct err *err);
/* Ends the transaction; the connection is there for the next task. */
void run_snapshot_close(struct pg *pg);
DEFINE_AUTO(struct pg *, run_snapshot_close)

/* The same on a connection of the caller's own. */
bool run_snapshot_enter(struct pg *pg, struct str snapshot, struct err *err) MUSTCHECK;
/* The same for a transaction that writes: temporary tables of its own. */
bool run_snapshot_enter_writing(struct pg *pg, struct str snapshot, struct err *err) MUSTCHECK;
