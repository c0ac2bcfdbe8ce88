/* kept.h - what passes keep of days, beside the archive: data sets computed of the rows of a day and a range of buckets, so that a later run
 * need not read those rows again.
 *
 *   DIR/kept/20260301_0-255.PROGRAM.KEY     PROGRAM: what computed it, 16 hex digits; KEY: all that its contents depend on, 32 of them
 *
 * A name says all: a file is right, or its name is asked for by nobody. It can be made again, so nothing is lost with it. It holds what units
 * did, and so it dies with each unit that is deleted (kept_drop). Who uses kept files holds the readers' lock (store.h), as long as it does;
 * who removes them for good holds it alone. */
#pragma once
#include "base/mem.h"
#include "base/str.h"

enum { KEPT_PROGRAM_BYTES = 8, KEPT_KEY_BYTES = 16 };
#define KEPT_FORGET_US (INT64_C(2) * 86400 * 1000000) /* files of programs that nobody ran for so long go */

struct kept_name {
    int32_t day;
    unsigned lo, hi; /* buckets, inclusive */
    unsigned char program[KEPT_PROGRAM_BYTES], key[KEPT_KEY_BYTES];
};

/* Makes the folder DIR/kept, in an archive's folder that is this database's. */
bool kept_make(const char *dir, struct err *err) MUSTCHECK;
/* The whole path. The caller frees it. */
char *kept_path(const char *dir, const struct kept_name *name);
/* The file `from` is kept as `to` as well: linked, or, on another file system, copied. One that is there already stays. */
bool kept_add(const char *from, const char *to, struct err *err) MUSTCHECK;
/* Notes that the program still runs: its files stay. */
void kept_use(const char *path);
/* Removes the program's files of days from … to that are none of `used` (sorted by strcmp), and what is forgotten: files of other programs, and of
 * other days, which a run over another window may want. */
struct kept_used {
    const unsigned char *program; /* KEPT_PROGRAM_BYTES */
    int32_t from, to;
    char *const *paths;
    size_t count;
};
uint64_t kept_sweep(const char *dir, const struct kept_used *used);
/* Removes all files whose range holds the bucket; -1: all. ERR_SYSTEM when one cannot be removed; no folder is no error. */
bool kept_drop(const char *dir, int bucket, uint64_t *out_removed, struct err *err) MUSTCHECK;
