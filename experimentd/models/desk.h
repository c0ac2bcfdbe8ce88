/* desk.h - work that a worker must not wait for: a thread of its own for each piece of it, and a continuation in the worker.
 *
 * What reads a whole model from the database, checks it and walks through it may take seconds. At most DESK_TASKS_MAX pieces a worker are under way; who comes
 * then is told to come again. */
#pragma once
#include "base/err.h"

struct worker;
struct desk;

enum { DESK_TASKS_MAX = 4 };

/* Runs in the thread: may wait, touches nothing of the worker. */
typedef void (*desk_work_fn)(void *arg);
/* Runs in the worker, when the work is done. */
typedef void (*desk_done_fn)(void *arg);

struct desk *desk_new(struct worker *w);
/* Waits for what is under way; its continuations are not called, `free_arg` is. Before the worker's requests end: the work may read their bodies. */
void desk_free(struct desk *d);
/* `free_arg` is called last, in the worker, in every case but ERR_BUSY and ERR_SYSTEM. */
bool desk_run(struct desk *d, desk_work_fn work, desk_done_fn done, desk_done_fn free_arg, void *arg,
              struct err *err) MUSTCHECK;
/* After every turn of the loop. */
void desk_turn(struct desk *d);
