/* marked.h - the units of a range of buckets that count nowhere (the table marked_units), as the caller's snapshot has them. */
#pragma once
#include "base/mem.h"

struct pg;
struct task;

struct marked {
    struct str *units; /* sorted by bytes */
    size_t count;
};

bool marked_read(struct pg *pg, uint32_t lo, uint32_t hi, struct arena *arena, struct marked *out,
                 struct err *err) MUSTCHECK;
bool marked_has(const struct marked *m, struct str unit);

/* Of all buckets: hash64 of each, sorted; for records that tell units apart by their hashes. */
struct marked_hashes {
    uint64_t *units;
    size_t count;
};
bool marked_read_hashes(struct pg *pg, struct arena *arena, struct marked_hashes *out, struct err *err) MUSTCHECK;
/* The same in the snapshot of the task's run; in the task's arena. */
bool marked_of_run(struct task *t, struct marked_hashes *out, struct err *err) MUSTCHECK;
bool marked_has_hash(const struct marked_hashes *m, uint64_t unit);
