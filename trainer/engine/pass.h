/* pass.h - for engines: what is the same whichever engine runs a pass (retries, results, data sets, publication, resuming), and what an
 * engine has to bring (struct engine_ops).
 *
 * engine_run() prepares a pass: splits that were kept, or made by an earlier coordinator of the run, are done from the beginning. It then calls
 * ops->run, which works on splits that wait until pass_is_over(), and reports with the functions below. All on one thread, under e->base. */
#pragma once
#include <event2/event.h>

#include "trainer/engine/engine.h"
#include "trainer/engine/store.h"

struct pg;
struct engine_ops;

enum split_state { SPLIT_WAITS, SPLIT_RUNS, SPLIT_DONE };

struct split {
    enum split_state state;
    uint32_t attempts;     /* begun so far */
    bool alone;            /* is to run when nothing else does, with twice the memory */
    int64_t not_before_us; /* monotonic */
    uint64_t rows;         /* of the attempt under way, then of the one that counted */
    bool published;        /* ENGINE_PUBLISH: its rows are in the staging table */
    struct store_key key;
};

/* What a pass left. */
struct dataset {
    char **paths; /* of each split */
    bool *kept;   /* the file is not ours */
    struct store_key *keys;
    uint32_t count, parts;
    char *staging; /* ENGINE_PUBLISH */
};

struct blob {
    char *path; /* NULL: dropped */
    struct store_key hash;
    uint64_t bytes;
};

struct engine {
    struct engine_options options;
    const struct engine_ops *ops;
    void *own; /* the engine's */
    struct event_base *base;
    struct event *tick, *interrupt, *terminate;
    struct pg *pg; /* for staging tables; NULL until one is needed */
    char nonce[STORE_KEY_TEXT];
    struct dataset *datasets; /* of each pass so far */
    struct blob *blobs;
    size_t blobs_count;
    bool keep;
    /* of the pass under way */
    const struct engine_pass *pass; /* NULL: none is */
    int pass_number;
    struct split *splits;
    uint32_t *order; /* heaviest first */
    struct engine_result *result;
    uint32_t done, told_done; /* told: by a driver that gives what it has at the end of the pass */
    uint64_t told_rows;
    int64_t began_us;
    bool cancelled, failed;
    struct err err;
};

struct engine_ops {
    const char *name;
    bool shares_disk; /* its workers read and write files of spool_dir: data sets outlive a coordinator */
    bool (*open)(struct engine *e, struct err *err);
    /* Runs what waits until pass_is_over(e); then nothing of the pass goes on any more. */
    void (*run)(struct engine *e);
    void (*tick)(struct engine *e);           /* or NULL: five times a second while a pass runs */
    void (*drop)(struct engine *e, int pass); /* or NULL: the engine's own copy of a data set */
    void (*close)(struct engine *e);
};
extern const struct engine_ops engine_local, engine_pipe;

static inline bool pass_is_over(const struct engine *e)
{
    return e->failed || e->cancelled || e->done == e->pass->splits_count;
}

/* The payload of a TASK frame for the next attempt of a split, which begins now; free() it with mem_free. `data`: the engine
 * holds data sets: inputs are {"data": true} and which split and part, the data set is EMITted; kept files are read by their paths all the same. */
char *pass_task(struct engine *e, uint32_t split, bool data);
/* A piece of the result of the split's attempt; pass_task has cleared what a lost one had sent. */
void pass_result(struct engine *e, uint32_t split, struct str piece);
/* The payload of its DONE frame. The data set, if there is one, is at pass_attempt_path (where disks are shared), or was put at pass_path. */
void pass_done(struct engine *e, uint32_t split, struct str done);
/* The attempt is lost: `code` is the worker's exit code, or RETRY_SIGNAL. The split waits again, or the pass has failed. */
void pass_lost(struct engine *e, uint32_t split, int code, const char *why);
void pass_fail(struct engine *e, enum err_kind kind, uint32_t split, const char *why);

/* The caller frees both. */
char *pass_path(const struct engine *e, uint32_t split);
char *pass_attempt_path(const struct engine *e, uint32_t split, uint32_t attempt);
