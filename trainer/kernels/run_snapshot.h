/* run_snapshot.h - all workers of a run read one snapshot of the database, which its coordinator exported: a retry sees what the first attempt
 * saw. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct pg;

/* Begins a transaction in the run's snapshot; "": in one of its own. */
bool run_snapshot_enter(struct pg *pg, struct str snapshot, struct err *err) MUSTCHECK;
/* The same for a transaction that writes: temporary tables of its own. */
bool run_snapshot_enter_writing(struct pg *pg, struct str snapshot, struct err *err) MUSTCHECK;
