/* rewrite.h - files without some of their rows: made anew, because files never change. Groups that lose nothing are taken over as they are
 * stored; where a group cannot hold such a row, its range says so and it is not unpacked. */
#pragma once
#include "archive/store.h"

/* Rows whose text in `column` is one of the values; or, with `others`, all whose text is none of them. bucket: only of this one, -1 any. */
struct archive_match {
    const char *column;
    const struct str *values;
    size_t count;
    bool others;
    int bucket;
};

/* Inside the caller's transaction, who holds the writers' lock: the file of `e` without these rows counts in its place. *out_dropped: how
 * many there were; 0: nothing was done. The old file is left to archive_store_sweep, after the commit. */
bool archive_drop_rows(struct pg *pg, const char *dir, const struct archive_entry *e, const struct archive_match *m,
                       uint64_t *out_dropped, struct err *err) MUSTCHECK;
