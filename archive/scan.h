/* scan.h - the rows of a table, wherever they lie: in partitions, in archive files, or in both. What passes read.
 *
 * The caller's connection is in a snapshot, and someone holds the readers' lock (store.h) since before it was taken; then each row is seen
 * once. The order of rows says nothing. */
#pragma once
#include "archive/store.h"

struct archive_scan {
    const char *table;
    const struct archive_column *columns; /* which ones, and as what; one that a file lacks is null in its rows */
    size_t columns_count;
    int64_t from_us, to_us; /* rows with at in [from, to) */
    unsigned lo, hi;        /* and bucket in [lo, hi] */
    const char *
        where; /* SQL that spares reading rows of the tables; rows of files come all the same, so fn looks itself. NULL: none */
};
/* Some rows at once. The columns are those of the scan; of a column that a file lacks all values are null. */
struct archive_batch {
    const struct archive_vector *columns;
    const uint32_t *rows; /* which of the vectors' rows are meant */
    uint32_t count;
};
/* Vectors and their texts live until the function returns. */
typedef bool (*archive_batch_fn)(void *arg, const struct archive_batch *batch, struct err *err);

/* dir: the archive's folder; NULL is an error once there are files. After a failure the connection is to be closed. */
bool archive_scan_batches(struct pg *pg, const char *dir, const struct archive_scan *scan, archive_batch_fn fn,
                          void *arg, struct err *err) MUSTCHECK;

/* The same row by row, for what does not read millions: a value for each column. */
typedef bool (*archive_row_fn)(void *arg, const struct archive_value *row, struct err *err);
bool archive_scan(struct pg *pg, const char *dir, const struct archive_scan *scan, archive_row_fn fn, void *arg,
                  struct err *err) MUSTCHECK;
