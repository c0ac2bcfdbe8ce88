/* rows.h - the one way into the tables `signals` and `exposures`: partitions, repeats, identities, marks, query texts, binary COPY. Used by the loader and by import.
 *
 * rows_load runs inside the caller's transaction, so that the caller's position is written with the rows or not at all; it commits at once
 * and calls rows_committed. Partitions are made before, in transactions of their own (rows_prepare). */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "base/pg.h"
#include "experimentd/ingest/load/load_ids.h"
#include "experimentd/ingest/load/query_texts.h"
#include "experimentd/ingest/signal.h"
#include "experimentd/marks/rates.h"

enum { ROWS_MAX = 10000 };

struct rows {
    struct signal *signals;
    struct exposure *exposures;
    size_t signals_count, exposures_count;
};

struct rows_loader {
    struct pg *pg;
    char writer[UUID_TEXT_MAX];
    struct load_ids ids;
    struct query_texts queries;
    struct rates rates;
    uint32_t unit_per_minute; /* signals of a unit beyond it are marked; 0: none are */
    bool counting;            /* rates hold counts of rows that are not committed */
    struct buf copy;          /* kept between batches */
    struct arena texts;       /* units that users were found to be, of the batch */
    int32_t *days;            /* days whose partitions are known to be there */
    size_t days_count, days_room;
    bool days_forgotten; /* since the last commit */
};

/* writer: a UUID, as day_notes.h has it: the journal's id, or DAY_NOTES_IMPORT. */
void rows_loader_init(struct rows_loader *l, struct pg *pg, const char *writer, uint32_t unit_per_minute);
void rows_loader_release(struct rows_loader *l);
bool rows_prepare(struct rows_loader *l, const struct rows *rows, struct err *err) MUSTCHECK;
/* A load failed: perhaps because a day was sealed and its partitions are gone. True: load again, they are made anew; false: that has been
 * tried since the last commit. */
bool rows_forget_days(struct rows_loader *l);
/* *out_duplicates: signals whose client id was there already (among the last that any loader loaded, see repeats.h, or earlier in these
 * rows) and that were left out. */
bool rows_load(struct rows_loader *l, struct rows *rows, uint64_t *out_duplicates, struct err *err) MUSTCHECK;
void rows_committed(struct rows_loader *l);
