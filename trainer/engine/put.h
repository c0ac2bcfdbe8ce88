/* put.h - a worker's side of ENGINE_PUBLISH: begin; copy the split's rows to the staging table; put the split into the ledger; commit. Of two
 * attempts that end at the same time one is in the ledger; the other one rolls back and compares. */
#pragma once
#include <jansson.h>
#include <sodium.h>

#include "base/pg.h"

struct task;

struct put {
    const json_t *publish; /* of the TASK; NULL: the pass publishes nothing */
    struct pg *pg;         /* NULL: not yet begun */
    struct buf rows;
    uint64_t count;
    crypto_generichash_state hash;
};

void put_init(struct put *p, const json_t *publish);
void put_release(struct put *p);
/* Connects, and waits for a database that is away, up to a minute, ticking. */
bool put_row(struct put *p, struct task *t, struct str tuple, struct err *err) MUSTCHECK;
/* Commits, with no row as well. *out_bug: the ledger has other rows of the split: the kernel is not deterministic. */
bool put_commit(struct put *p, struct task *t, uint32_t split, uint32_t attempt, bool *out_bug,
                struct err *err) MUSTCHECK;
