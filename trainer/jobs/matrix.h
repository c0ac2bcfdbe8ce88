/* matrix.h - what units did with items, as a matrix: what every recommender is trained on, and what it is later held against.
 *
 *   matrix_open → passes over the rows, a split of each by matrix_range → perhaps matrix_transpose, and passes over the columns, a split of each by
 *   matrix_part → matrix_close
 *
 * Signals of the training days [from, until] become rows: of a unit the items it had, each with its weight at the end of these days (as the job
 * "preferences" weighs them, whose kept days are used). Signals of the days behind them, [eval_from, eval_until], become what the unit had later, which no
 * kernel may train on. Units that are marked are in neither, nor is a unit that had nothing in the training days.
 *
 * Parameters of the run: weights, half_life_days, as_of, days, holdout_days; min_item_units (an item that fewer units had is left out), then
 * min_unit_items (a unit that is left with fewer items is, too); max_unit_items (of a unit its heaviest); ranges; min_units (fewer units are too little data).
 *
 * Items are numbered by the bytes of their texts; units by range of buckets, within it by the bytes of theirs. So neither depends on the order of
 * signals, nor on who computed what. */
#pragma once
#include "trainer/jobs/job.h"

struct matrix {
    struct run_context *run;
    struct arena *arena;
    int32_t from, until;           /* days since 1970 with training rows; from may be INT32_MIN: all days */
    int32_t eval_from, eval_until; /* eval_from > eval_until: there is no evaluation */
    size_t days_count;             /* of all these, the days that have signals */

    uint32_t items;
    const struct str *item_texts; /* sorted by bytes */
    const uint32_t *item_units;   /* units whose rows have it */
    const double *item_weights;   /* Σ of its weights in rows */
    int items_blob;               /* the texts, for kernels: kernels/matrix/items.h */

    uint32_t ranges;
    int pass;                         /* data set of the rows, a split for each range: kernels/matrix/rows.h */
    const uint64_t *range_first_unit; /* ranges + 1 numbers */
    const uint64_t *range_cells;      /* of each range */
    uint64_t units, cells;
    uint64_t held_out,
        held_units; /* items of the later days that their units had not had, and that are in the matrix; units with one */

    uint32_t parts;                  /* of the columns, once it is transposed */
    const uint32_t *part_first_item; /* parts + 1 numbers */
    int by_item_pass; /* data set of the columns, a split for each part: kernels/matrix/columns.h; -1: not yet */
};

/* Passes "days", "units", "rows". ERR_INVALID when there is too little data, with the counts. All of it lies in the arena and in the engine's data
 * sets. Close it in any case. */
bool matrix_open(struct matrix *m, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
void matrix_close(struct matrix *m);

/* A split over the rows of a range (input_pass = m->pass). Its text is "RANGE FIRST_UNIT UNITS". */
struct engine_split matrix_range(const struct matrix *m, uint32_t range);

/* Passes "scatter" and "columns": the same by item. Parts are of nearly as many cells as each other. Once. */
bool matrix_transpose(struct matrix *m, struct err *err) MUSTCHECK;
/* A split over the columns of a part (input_pass = m->by_item_pass). Its text is "PART FIRST_ITEM ITEMS". */
struct engine_split matrix_part(const struct matrix *m, uint32_t part);
