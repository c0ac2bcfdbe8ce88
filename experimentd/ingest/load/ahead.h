/* ahead.h - the loader's batches: records of the journal as rows, the next batch read by a thread of its own while PostgreSQL takes this one.
 *
 * Two batches of ROWS_MAX rows and 8 MiB of text each, filled in turn. What was read ahead is only used when it starts where the loader
 * goes on; after a failure it is read again. Nothing is read ahead unless a good part of a batch waits: rows that come now and then
 * gather into one transaction instead. */
#pragma once
#include <stdint.h>

#include "base/mem.h"
#include "experimentd/ingest/load/rows.h"

struct journal;
struct ahead;

struct batch {
    struct rows rows;
    struct arena texts; /* what the rows point to */
    uint64_t from, to;  /* positions in the journal */
    uint64_t damaged;   /* records that were passed over */
    int failed;         /* errno of the disk that would not read */
};

/* Rows of both kinds. */
static inline size_t batch_rows(const struct batch *b)
{
    return b->rows.signals_count + b->rows.exposures_count;
}

struct ahead *ahead_start(struct journal *j, struct err *err);
void ahead_stop(struct ahead *a); /* NULL is fine */
/* Records from `position` on, before `limit` (synced) and at most `rows` of them. Borrowed until the next call; its `rows` may be edited. */
struct batch *ahead_take(struct ahead *a, uint64_t position, uint64_t limit, size_t rows);
