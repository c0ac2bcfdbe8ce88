/* An entry is one allocation: attribute, value, then experiment and variant of each item, each with its length in front. */
#include "experimentd/evaluate/sticky_cache.h"

#include <assert.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

enum { WAYS = 8, SETS = STICKY_ENTRIES / WAYS };

struct entry {
    uint64_t hash, used; /* used: the tick of its last use */
    int64_t read_us;
    char *bytes; /* NULL: empty */
    size_t size;
};

struct sticky_cache {
    struct entry entries[SETS][WAYS];
    uint64_t tick;
};

struct sticky_cache *sticky_cache_new(void)
{
    return mem_zalloc(sizeof(struct sticky_cache));
}

void sticky_cache_free(struct sticky_cache *c)
{
    for (size_t i = 0; c && i < STICKY_ENTRIES; i++)
        mem_free(c->entries[i / WAYS][i % WAYS].bytes);
    mem_free(c);
}

/* ---- packed texts ---- */

static void pack(struct buf *b, struct str s)
{
    buf_add_be32(b, (uint32_t)s.n);
    buf_add_str(b, s);
}

static struct str unpack(struct str *rest)
{
    const unsigned char *p = (const unsigned char *)rest->p;
    assert(rest->n >= 4);
    size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    struct str out = { rest->p + 4, n };
    assert(rest->n - 4 >= n);
    *rest = (struct str){ out.p + n, rest->n - 4 - n };
    return out;
}

/* ---- entries ---- */

static uint64_t hash_of(struct str attribute, struct str value)
{
    return hash64(attribute) * UINT64_C(0x9e3779b97f4a7c15) + hash64(value);
}

static struct entry *find(struct sticky_cache *c, struct str attribute, struct str value)
{
    uint64_t hash = hash_of(attribute, value);
    struct entry *set = c->entries[hash % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        struct str rest = { set[i].bytes, set[i].size };
        if (!set[i].bytes || set[i].hash != hash || !str_eq(unpack(&rest), attribute) || !str_eq(unpack(&rest), value))
            continue;
        set[i].used = ++c->tick;
        return &set[i];
    }
    return NULL;
}

static struct entry *least_used(struct sticky_cache *c, uint64_t hash)
{
    struct entry *set = c->entries[hash % SETS], *least = set;
    for (size_t i = 1; i < WAYS; i++)
        if (set[i].used < least->used)
            least = &set[i];
    return least;
}

static void drop(struct entry *e)
{
    mem_free(e->bytes);
    *e = (struct entry){ 0 };
}

enum sticky_found sticky_cache_get(struct sticky_cache *c, struct sticky_doc *doc, int64_t now_us, struct arena *arena)
{
    const struct entry *e = find(c, doc->attribute, doc->value);
    if (!e)
        return STICKY_UNKNOWN;
    struct str rest = arena_str(arena, (struct str){ e->bytes, e->size });
    size_t room = 1;
    (void)unpack(&rest);
    (void)unpack(&rest);
    for (struct str all = rest; all.n; room++) {
        (void)unpack(&all);
        (void)unpack(&all);
    }
    doc->items = arena_alloc(arena, room * sizeof *doc->items);
    for (doc->n = 0; rest.n; doc->n++) {
        doc->items[doc->n].experiment = unpack(&rest);
        doc->items[doc->n].variant = unpack(&rest);
    }
    int64_t age_us = now_us - e->read_us;
    return age_us >= 0 && age_us < STICKY_FRESH_SECONDS * US_PER_SECOND ? STICKY_FRESH : STICKY_OLD;
}

void sticky_cache_put(struct sticky_cache *c, const struct sticky_doc *doc, int64_t now_us)
{
    struct entry *e = find(c, doc->attribute, doc->value);
    uint64_t hash = hash_of(doc->attribute, doc->value);
    struct buf b;
    buf_init(&b, STICKY_DOC_BYTES);
    pack(&b, doc->attribute);
    pack(&b, doc->value);
    for (size_t i = 0; i < doc->n; i++) {
        pack(&b, doc->items[i].experiment);
        pack(&b, doc->items[i].variant);
    }
    if (e)
        drop(e);
    if (!b.failed) {
        e = e ? e : least_used(c, hash);
        drop(e);
        *e = (struct entry){ hash, ++c->tick, now_us, mem_alloc(b.n), b.n };
        memcpy(e->bytes, b.p, b.n);
    }
    buf_release(&b);
}

void sticky_cache_add(struct sticky_cache *c, struct str attribute, struct str value, struct sticky_item item)
{
    const struct entry *e = find(c, attribute, value);
    struct sticky_doc doc = { attribute, value, NULL, 0 };
    struct arena arena;
    if (!e)
        return;
    int64_t read_us = e->read_us;
    arena_init(&arena, STICKY_DOC_BYTES);
    (void)sticky_cache_get(c, &doc, read_us, &arena);
    size_t at = 0;
    while (at < doc.n && !str_eq(doc.items[at].experiment, item.experiment))
        at++;
    struct sticky_item *items = arena_alloc(&arena, (doc.n + 1) * sizeof *items);
    if (doc.n)
        memcpy(items, doc.items, doc.n * sizeof *items);
    items[at] = item;
    doc.items = items;
    doc.n += at == doc.n;
    sticky_cache_put(c, &doc, read_us);
    arena_release(&arena);
}
