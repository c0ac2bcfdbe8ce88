/* sticky.h - sticky assignments in PostgreSQL (table sticky_assignments): a unit keeps its variant when weights change or it logs in.
 *
 * GrowthBook's sticky buckets for server-side evaluation: a document per (attribute, value), read before a unit is evaluated and written
 * before its answer leaves. One read for all units of a request, and only for what the worker's cache does not hold; one write for what is
 * new. A write answers with what stands: of two daemons that assigned differently at the same time, the second takes over what the first
 * wrote. With PostgreSQL away, units are answered by what the cache holds, however old, and else by the hash alone; nothing is stored, and
 * it is counted.
 *
 * Values that PostgreSQL cannot hold as text, or longer than a unit may be, have no document: they are hashed. One per worker. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "experimentd/evaluate/sticky_cache.h"

struct pgloop;
struct sticky;

/* *unavailable counts the times that PostgreSQL was away. */
struct sticky *sticky_new(struct pgloop *pg, _Atomic uint64_t *unavailable);
void sticky_free(struct sticky *s);

/* `docs` have attribute and value; items are filled in, in the arena. Arguments live until `ready` was called, once: before this returns when
 * the cache held all. stored false: PostgreSQL was needed and away. */
typedef void (*sticky_fn)(void *arg, bool stored);
void sticky_read(struct sticky *s, struct sticky_doc *docs, size_t n, struct arena *arena, sticky_fn ready, void *arg);

/* A new assignment, or one that takes the place of `was` ({NULL, 0}: none). */
struct sticky_change {
    struct str attribute, value, was;
    struct sticky_item item;
};
/* Afterwards each item's variant is what stands, in the arena; with stored false, as it was. `ready` is never called from inside. */
void sticky_write(struct sticky *s, struct sticky_change *changes, size_t n, struct arena *arena, sticky_fn ready,
                  void *arg);
