/* cache.h - artifacts on this host's disk: DIR/DIGEST, each checked when it is mapped; DIR/index.json says which aliases were served last, so that a
 * daemon serves before it has seen the database. The store's thread alone writes here.
 *
 * A file appears under its name only when it is whole and on disk (a temporary name, fsync, rename), so that a kill leaves nothing but a
 * temporary file, which the next start removes. */
#pragma once
#include "base/pg.h"
#include "experimentd/serving/serving.h"

struct cache {
    char *dir;
    _Atomic uint64_t fetched_bytes; /* from the database */
    const _Atomic bool *stop;       /* breaks off a fetch */
};

enum cache_stmt { CACHE_ARTIFACT, CACHE_PART, CACHE_STMT_COUNT };
extern const struct pg_stmt cache_statements[CACHE_STMT_COUNT];

/* Makes the directory, removes what a kill left. */
bool cache_open(struct cache *c, const char *data_dir, const _Atomic bool *stop, struct err *err) MUSTCHECK;
void cache_release(struct cache *c);
/* From the disk. ERR_NOT_FOUND: not there; ERR_INVALID: damaged. One reference is the caller's. */
struct served *cache_map(struct cache *c, struct str digest, struct str kind, struct err *err);
/* From the database onto the disk, in place of what is there, and mapped. A damaged copy is refused and leaves nothing. */
struct served *cache_fetch(struct cache *c, struct pg *pg, struct str digest, struct str kind, struct err *err);
/* Unlinks artifacts that neither `keep` has nor were used within a day, so that a roll-back finds its version on the disk. */
void cache_sweep(struct cache *c, bool (*keep)(void *arg, struct str digest), void *arg);
bool cache_write_index(struct cache *c, const struct serving *s, struct err *err) MUSTCHECK;
/* Entries as they were served last, with their wanted artifacts in `out_digests`; nothing is mapped. False: there is no index, or it is damaged. */
bool cache_read_index(struct cache *c, struct serving *s, struct str **out_digests, struct err *err) MUSTCHECK;
