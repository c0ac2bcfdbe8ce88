/* changes.h - the table day_changes: which days changed since somebody last looked.
 *
 * Each transaction that puts rows into a day, or changes or deletes some there, raises a number of (day, part of the buckets, head of the day
 * or rest); so what was computed of a day's rows holds as long as the numbers are what they were when it was computed, in the snapshot that it
 * was computed from. Loaders raise them (note_loaded_days), triggers all others; a change of which nobody knows the days raises `unknown`.
 * What lies in archive files changes only with the list of files (store.h). */
#pragma once
#include "base/clock.h"
#include "base/mem.h"

struct pg;

enum { CHANGES_PART_BUCKETS = 1024 };
/* A day's head: what is computed of the day before may look so far behind midnight. The migration says '01:00'. */
#define CHANGES_HEAD_US (INT64_C(3600) * US_PER_SECOND)

struct change {
    int32_t day;
    unsigned part;
    uint64_t head, rest;
};

struct changes {
    struct change *list; /* by day, then part */
    size_t count;
    uint64_t unknown;
    struct str
        origin; /* which database, and which of its pasts: one that was restored counts again from where it was */
};

/* As the connection's snapshot has them. */
bool changes_read(struct pg *pg, struct arena *arena, struct changes *out, struct err *err) MUSTCHECK;
/* The numbers of a day, over the parts that hold buckets of lo … hi; 0 when nobody noted any. They never fall. */
struct change changes_of(const struct changes *c, int32_t day, unsigned lo, unsigned hi);
