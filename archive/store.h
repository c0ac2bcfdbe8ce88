/* store.h - the folder of the archive files and the table that says which of them count.
 *
 * Two locks of the database, which end with the connection: who writes (seals, drops old rows, deletes a unit) holds the writers' lock, so
 * there is one at a time. Who reads rows of past days holds the readers' lock, together with others; it is taken exclusively for the moments
 * in which rows go from tables to files or files are removed. So a pass sees each row once, and its files stay until it has ended. */
#pragma once
#include "archive/writer.h"
#include "base/pg.h"

enum { ARCHIVE_PATH_MAX = 128 };

struct archive_entry {
    struct str path, table; /* below the folder */
    int32_t day;
    unsigned bucket_lo, bucket_hi;
    uint64_t rows, bytes;
    uint32_t crc;
};

bool archive_lock_readers(struct pg *pg, bool exclusive, struct err *err) MUSTCHECK;
bool archive_unlock_readers(struct pg *pg, struct err *err) MUSTCHECK; /* of the exclusive lock */
/* Waits, or, when wait is false, says by *out_got whether nobody else writes. */
bool archive_lock_writers(struct pg *pg, bool wait, bool *out_got, struct err *err) MUSTCHECK;
bool archive_unlock_writers(struct pg *pg, struct err *err) MUSTCHECK;

/* Makes the folder, or finds it to be this database's. */
bool archive_store_make(struct pg *pg, const char *dir, struct err *err) MUSTCHECK;
/* Finds it to be this database's. *out_used false: nothing was ever archived, and there need be no folder. */
bool archive_store_find(struct pg *pg, const char *dir, bool *out_used, struct err *err) MUSTCHECK;
/* "signals/20260301_0-1023.17.arc", with a number that was never given before. */
bool archive_store_name(struct pg *pg, const struct archive_entry *e, char out[ARCHIVE_PATH_MAX],
                        struct err *err) MUSTCHECK;
/* Entries of a table in the order of their paths' numbers: of days from … to whose buckets meet lo … hi. In the arena. table NULL: both. */
bool archive_store_list(struct pg *pg, const char *table, int32_t from_day, int32_t to_day, unsigned lo, unsigned hi,
                        struct arena *arena, struct archive_entry **out, size_t *out_count, struct err *err) MUSTCHECK;
/* Inside the caller's transaction: `next` counts in place of `old`, or, without rows, nothing does. */
bool archive_store_replace(struct pg *pg, struct str old, const struct archive_entry *next, struct err *err) MUSTCHECK;
/* Removes files that no entry names. The caller holds the writers' lock; the readers' is taken. *out_removed: how many. */
bool archive_store_sweep(struct pg *pg, const char *dir, uint64_t *out_removed, struct err *err) MUSTCHECK;
