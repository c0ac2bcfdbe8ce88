/* engine.h - the one interface between job programs and engines: run kernel K over these splits.
 *
 *   job program  C, in the coordinator (one process per run): decides passes, splits, merge order; publishes
 *   kernel       C, in a worker: a pure function of (params, split, inputs, blobs); see task.h
 *   engine       runs kernels over splits; "local": processes that we start, over framed pipes (pass.h: what each engine has to bring)
 *
 * Determinism: splits are numbered 0 … n-1 by the job; a kernel sees its inputs in the order given; it uses no clock, no address, no
 * order of a hash table, no random numbers but task_rand; results are merged by split number with a tree of fixed shape. So the bytes do not
 * depend on how many workers there are, in which order they end, or how often one died. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct engine;

/* Part `part` of the data set of split `split` of the pass `input_pass`. */
struct engine_input {
    uint32_t split, part;
};

struct engine_split {
    struct str desc;                   /* what the kernel reads of it */
    uint64_t weight;                   /* heaviest first */
    const struct engine_input *inputs; /* read in this order */
    size_t inputs_count;
    const char *
        kept; /* its data set is there already, as this file with as many parts: no worker runs it. NULL: it is to be run */
    struct str
        seen; /* what of the database it depends on, besides kernel, params, desc and inputs (numbers of day_changes): a run that is taken
                         over uses what was made before where all of these are equal. n = 0 and reads_database: it is made anew */
};

/* What a pass is run for. Whatever it is, kernels may collect, too. PUBLISH: each split's rows go, in a transaction of its own and exactly
 * once, to a staging table that the job moves to its place in the transaction that publishes the run (engine_staging). */
enum engine_out { ENGINE_COLLECT, ENGINE_DATASET, ENGINE_PUBLISH };

struct engine_pass {
    const char *name, *kernel;
    struct str params;
    struct str
        snapshot; /* of PostgreSQL, exported by the coordinator: task_snapshot(). Not part of what makes splits equal. n = 0: none */
    const struct engine_split *splits;
    uint32_t splits_count;
    int input_pass; /* number of an earlier pass with ENGINE_DATASET, or -1 */
    enum engine_out out;
    uint32_t parts; /* ENGINE_DATASET: the kernel emits to part 0 … parts - 1, at most ENGINE_PARTS_MAX; 0 means 1 */
    bool reads_database;
    const char *table;   /* ENGINE_PUBLISH: whose rows they are, and ... */
    const char *columns; /* "query, doc, weight": what the tuples of task_put have, in this order */
    const int *blobs;    /* of engine_blob: task_blob(t, i) is the i-th of these */
    size_t blobs_count;
    uint64_t seed; /* of task_rand, beside the pass' name and the split */
    /* ENGINE_DATASET, or NULL: called for each split that was run, as soon as its file is whole. */
    void (*on_dataset)(void *arg, uint32_t split, const char *path);
    void *on_dataset_arg;
    uint32_t memory_mb;  /* of a worker that runs a split; 0: as the options say */
    int64_t deadline_us; /* the pass fails when it takes longer; 0: as the options say */
};
enum { ENGINE_PARTS_MAX = 4096 };

struct engine_counters {
    uint64_t rows_in;
    uint32_t attempts, retries;
    uint64_t peak_bytes; /* the most that a kernel held, of what memory_mb counts; of splits that were run now */
    double seconds;
};

struct engine_result {
    struct buf *parts; /* of each split, by number: what its kernel collected */
    uint32_t count;
    struct engine_counters counters;
};

struct engine_options {
    const char *kind;         /* of the table of engines; NULL: "local" */
    const char *run;          /* its id, for what ENGINE_PUBLISH keeps in the database; and ... */
    int epoch;                /* ... who of its coordinators we are: another one's rows are refused */
    const char *database_url; /* given to workers in the task, never on a command line */
    const char *spool_dir;    /* of this run; made and removed by the engine */
    bool resume;              /* what an earlier coordinator left in spool_dir is used; else it is removed */
    unsigned workers;
    unsigned max_attempts;   /* 4 */
    int64_t stall_us;        /* a worker that says nothing for so long is killed; 60 s */
    int64_t deadline_us;     /* of each pass; 0: none */
    uint32_t memory_mb;      /* of each worker; 0: 1024 */
    const char *worker_path; /* "pipe": the worker program on the hosts; NULL or "": it was sent there */
    /* "pipe": what runs our passes has this name and this page ("": none); called when the engine is opened. */
    void (*on_app)(void *arg, const char *app_id, const char *ui_url);
    /* A line that a worker wrote on its standard error; NULL: it goes to ours. */
    void (*on_log)(void *arg, int worker, struct str line);
    /* Called from the loop at least every half second: progress of the pass; false cancels. */
    bool (*on_progress)(void *arg, const char *pass, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries);
    void *arg;
};

struct engine *engine_open(const struct engine_options *options, struct err *err);
/* Runs one pass to its end. ERR_CONFLICT: cancelled. ERR_INVALID: the data is bad (not retried). Others: attempts are used up. The
 * pass's number is the count of passes run before it. */
bool engine_run(struct engine *e, const struct engine_pass *pass, struct engine_result *out, struct err *err) MUSTCHECK;
void engine_result_release(struct engine_result *r);
/* The file of a split's data set, of a pass that was run; until the engine is closed or the data set dropped. */
const char *engine_dataset(const struct engine *e, int pass, uint32_t split);
/* The data set of the pass is needed no more: its files go (kept ones stay). */
void engine_drop(struct engine *e, int pass);
/* Broadcast: bytes that every split of a pass may read, mapped from a file. Its number, or -1. */
int engine_blob(struct engine *e, struct str bytes, struct err *err);
void engine_blob_drop(struct engine *e, int blob);
/* The staging table of a pass with ENGINE_PUBLISH that was run, as SQL has it. The job moves its rows and drops it between run_publish_begin and
 * run_publish_end: select staging_take('table', 'columns', 'run', pass). */
const char *engine_staging(const struct engine *e, int pass);
/* Let the spool stay at engine_close, for whoever takes the run over. */
void engine_keep(struct engine *e);
/* Ends the workers, removes the spool. */
void engine_close(struct engine *e);
