/* sticky_cache.h - what a worker knows of sticky assignments, so that most requests need not ask the database.
 *
 * A document is what stands under one attribute's value: variants by "experiment__bucketVersion", often none. Sets of eight, the one that
 * was used longest ago gives way. A document is fresh for a minute: for so long another worker's new assignment may be overlooked (the
 * write that follows finds it, see sticky.h, but for one under the fallback attribute only). At most STICKY_ENTRIES documents of
 * STICKY_DOC_BYTES; larger ones are not kept.
 * One per worker, no lock. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum { STICKY_ENTRIES = 4096, STICKY_DOC_BYTES = 4096, STICKY_FRESH_SECONDS = 60 };

struct sticky_item {
    struct str experiment, variant;
};
struct sticky_doc {
    struct str attribute, value;
    struct sticky_item *items;
    size_t n;
};

struct sticky_cache;
enum sticky_found { STICKY_UNKNOWN, STICKY_OLD, STICKY_FRESH };

struct sticky_cache *sticky_cache_new(void);
void sticky_cache_free(struct sticky_cache *c);
/* Fills in items and n of the document that attribute and value name; in the arena. UNKNOWN: as it was. */
enum sticky_found sticky_cache_get(struct sticky_cache *c, struct sticky_doc *doc, int64_t now_us, struct arena *arena);
/* What stands in the database now. */
void sticky_cache_put(struct sticky_cache *c, const struct sticky_doc *doc, int64_t now_us);
/* One item of a document that is known has been written; the rest of it is as old as it was. */
void sticky_cache_add(struct sticky_cache *c, struct str attribute, struct str value, struct sticky_item item);
