/* matrix.h - what trainer/jobs/matrix.c and its kernels say to each other.
 *
 * "matrix.units@1": records of all days of a range (kernels/units/) → a data set of two parts: the texts of the items that come in it, by numbers of its
 * own (u32 length, text), and rows (rows.h) with these numbers: a unit's items of the training days by weight, and those of later days, all of them as
 * if they were known. Params are those of "unit_items.range@1"; as_of_us is the end of the training days. Collects for each item that came in the training
 * days: u32 length, text, u32 units.
 * "matrix.rows@1": that → rows with the matrix' numbers; params {"min_unit_items": n}, blob 0 the items (items.h). Collects a struct matrix_counts, the
 * weight of each item (double), the units of each (u32).
 * "matrix.scatter@1": rows of a range → columns (columns.h) of its units, by part; text "RANGE FIRST_UNIT UNITS", blob 0 the first item of each part
 * and their number (u32).
 * "matrix.columns@1": a part of all ranges → its columns; text "PART FIRST_ITEM ITEMS". */
#pragma once
#include "trainer/engine/task.h"

#define MATRIX_UNITS_KERNEL "matrix.units@1"
#define MATRIX_ROWS_KERNEL "matrix.rows@1"
#define MATRIX_SCATTER_KERNEL "matrix.scatter@1"
#define MATRIX_COLUMNS_KERNEL "matrix.columns@1"

enum { MATRIX_UNIT_ITEMS_MAX = 10000, MATRIX_RECORD_MAX = 2 << 20 };
/* An item counts when its weight is this or more: what faded to nothing, and what weighs nothing, is none. */
#define MATRIX_WEIGHT_MIN 1e-30

struct matrix_counts {
    uint64_t units, cells, held_out, held_units;
};

extern const struct kernel kernel_matrix_units, kernel_matrix_rows, kernel_matrix_scatter, kernel_matrix_columns;
