/* task.h - what a kernel sees. One task at a time per worker process; memory of the task's arena ends with it. */
#pragma once
#include "base/mem.h"

struct pg;
struct task;

uint32_t task_split(const struct task *t);
struct str task_params(const struct task *t);
struct str task_desc(const struct task *t);
const char *task_database_url(const struct task *t);
/* Of PostgreSQL, for run_snapshot_enter; n = 0: none was exported. */
struct str task_snapshot(const struct task *t);
/* The worker's connection to the database, kept from task to task; NULL until a kernel opens it. Kernels go by run_snapshot.h. */
struct pg **task_connection(struct task *t);
struct arena *task_arena(struct task *t);
/* Blocks of input i in order; *out_end at its end. Inputs are read one after the other; task_again begins anew. */
size_t task_inputs(const struct task *t);
bool task_next(struct task *t, size_t i, struct str *out_block, bool *out_end, struct err *err) MUSTCHECK;
void task_again(struct task *t);
/* To part 0 … task_parts() - 1 of the split's data set. Order is kept within a part; a record is never split over two blocks. */
uint32_t task_parts(const struct task *t);
bool task_emit(struct task *t, uint32_t part, struct str record, struct err *err) MUSTCHECK;
/* To the split's result, which has at most so many bytes. */
enum { TASK_COLLECT_MAX = 256 << 20 };
bool task_collect(struct task *t, struct str bytes, struct err *err) MUSTCHECK;
/* One row of the pass' columns, as the pg_copy_* writers make it, pg_copy_row first (ENGINE_PUBLISH). */
bool task_put(struct task *t, struct str tuple, struct err *err) MUSTCHECK;
/* The i-th blob of the pass: bytes that all splits see. */
struct str task_blob(const struct task *t, size_t i);
/* Number i of a stream of random numbers: the same for the same seed, pass, split, stream and i, on whatever worker. */
uint64_t task_rand(const struct task *t, uint64_t stream, uint64_t i);
/* A file without a name for what does not fit in memory; the caller closes it. -1: there is none. */
int task_spill_fd(const struct task *t, struct err *err);
/* Rows read since the last call; also the heartbeat: call it at least every second. ERR_CONFLICT: the coordinator has gone, or wants
 * no more of it. */
bool task_tick(struct task *t, uint64_t rows, struct err *err) MUSTCHECK;

/* ERR_INVALID is never retried; everything else is. */
struct kernel {
    const char *name; /* "metrics.day@1": a change of what it computes is a new version */
    bool (*run)(struct task *t, struct err *err);
};
extern const struct kernel *const kernels[]; /* ends with NULL; trainer/kernels/kernels.c */

/* `trainer worker`: frames on fd 0 and 1, text on fd 2. Returns the exit code. */
int worker_main(int argc, char **argv);

/* Exit codes of a worker, of <sysexits.h>; retry.h says what is done about each. */
enum { WORKER_BAD_DATA = 65, WORKER_BUG = 70, WORKER_SYSTEM = 71, WORKER_AGAIN = 75, WORKER_OTHER_BUILD = 76 };
