/* runtime.h - a task as the worker holds it; kernels see task.h. */
#pragma once
#include <jansson.h>
#include <sys/stat.h>
#include <time.h>

#include "trainer/engine/emit.h"
#include "trainer/engine/feed.h"
#include "trainer/engine/put.h"
#include "trainer/engine/spool.h"
#include "trainer/engine/task.h"
#include "trainer/engine/wire.h"

/* Which files of blobs the worker found to be what they are called. All zeros: none yet. */
enum { BLOB_CHECKS = 8, BLOB_HASH_MAX = 80 };
struct blob_check {
    dev_t device;
    ino_t inode;
    struct timespec changed;
    off_t bytes;
    char hash[BLOB_HASH_MAX];
};
struct blob_checks {
    struct blob_check checks[BLOB_CHECKS];
    unsigned next;
};

struct task {
    struct wire *wire;
    struct blob_checks *checks; /* the worker's own */
    struct pg **connection;     /* the worker's own */
    uint32_t split, attempt;
    json_t *json;
    struct str pass, params, desc, snapshot;
    const char *database_url;
    const json_t *inputs;
    uint32_t parts; /* of its data set */
    struct arena arena;
    struct spool_writer out; /* or */
    struct emit emit;
    struct put put;
    bool bug;          /* what was found is one: WORKER_BUG */
    struct str *blobs; /* mapped */
    size_t blobs_count;
    uint64_t rand_key;
    struct spool_reader in; /* the input that is open, or */
    struct feed feed;
    size_t in_at;
    uint32_t feed_seq;
    struct buf result; /* what was collected and not yet sent */
    uint64_t collected, rows;
    int64_t told_us;
};

/* From a TASK frame, and the DATA frames behind it. `t` is to be closed in any case. */
bool task_open(struct task *t, struct wire *wire, struct blob_checks *checks, const struct frame *f,
               struct err *err) MUSTCHECK;
const struct kernel *task_kernel(const struct task *t, struct err *err);
/* What was collected and emitted is all: sends and closes it. */
bool task_finish(struct task *t, struct err *err) MUSTCHECK;
void task_close(struct task *t);

/* blobs.c */
bool task_map_blobs(struct task *t, const json_t *list, struct err *err) MUSTCHECK;
void task_unmap_blobs(struct task *t);
