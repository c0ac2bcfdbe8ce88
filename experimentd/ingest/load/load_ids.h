/* load_ids.h - who has loaded which client's ids: what the loaders of several daemons tell each other through the table load_batches.
 *
 * A transaction that loads signals with ids of their clients: load_ids_lock, load_ids_catch_up, load_ids_write, then it commits at once;
 * so batches are in the table in the order of their commits, and each loader reads only what is behind the last that it knows. */
#pragma once
#include "base/buf.h"
#include "base/pg.h"
#include "experimentd/ingest/load/repeats.h"

struct load_ids {
    struct pg *pg;
    struct repeats known;
    int64_t seq, written; /* of the last batch that is in `known`; of ours, until it is committed (0: none) */
    struct buf ids;       /* that batch's */
    unsigned commits;     /* since old batches were deleted */
};

void load_ids_init(struct load_ids *l, struct pg *pg);
void load_ids_release(struct load_ids *l);
/* Until the transaction ends, nobody else commits ids. */
bool load_ids_lock(struct load_ids *l, struct err *err) MUSTCHECK;
/* Reads what others, or we before a restart, have committed. */
bool load_ids_catch_up(struct load_ids *l, struct err *err) MUSTCHECK;
/* Tells of the ids in l->ids, 16 bytes each. */
bool load_ids_write(struct load_ids *l, struct err *err) MUSTCHECK;
/* After the commit: they are known from now on. */
void load_ids_committed(struct load_ids *l);
