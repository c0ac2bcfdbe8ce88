/* items_read.h - the table of items (the catalogue, docs/catalogue.md) as one snapshot has it. */
#pragma once
#include "trainer/jobs/job.h"

struct items_read {
    struct pg *pg;       /* in a transaction that only reads */
    struct str snapshot; /* its name, for kernels; in the arena */
    uint64_t documents;
    int64_t changed_us, now_us; /* of the last edit, 0: there was none; of the snapshot */
};
bool items_read_open(struct items_read *r, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
void items_read_close(struct items_read *r);
/* Each document in the order of its bytes, its fields as JSON; after false the connection can only be closed. */
typedef bool (*items_read_fn)(void *arg, struct str doc, struct str fields, struct err *err);
bool items_read_each(struct items_read *r, items_read_fn fn, void *arg, struct err *err) MUSTCHECK;

/* What a document is in: its field of this name, a text or a list of texts. By document; called as often as it has different ones. */
bool items_read_categories(struct items_read *r, const char *field, items_read_fn fn, void *arg,
                           struct err *err) MUSTCHECK;
