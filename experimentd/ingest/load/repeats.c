#include "experimentd/ingest/load/repeats.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { SLOTS_MIN = 1 << 10, ID_BYTES = 16 };

static const unsigned char zeros[ID_BYTES];

static bool is_free(const unsigned char *id)
{
    return memcmp(id, zeros, ID_BYTES) == 0;
}

/* Where the id is, or the free slot where it would be. */
static size_t slot_of(const struct repeats_generation *g, const unsigned char *id)
{
    size_t mask = g->slots - 1, at = hash64((struct str){ (const char *)id, ID_BYTES }) & mask;
    while (!is_free(g->ids[at]) && memcmp(g->ids[at], id, ID_BYTES) != 0)
        at = (at + 1) & mask;
    return at;
}

static bool holds(const struct repeats_generation *g, const unsigned char *id)
{
    return g->slots && !is_free(g->ids[slot_of(g, id)]);
}

static void widen(struct repeats_generation *g)
{
    struct repeats_generation wider = { .slots = g->slots ? g->slots * 2 : SLOTS_MIN, .count = g->count };
    wider.ids = mem_zalloc(wider.slots * sizeof *wider.ids);
    for (size_t i = 0; i < g->slots; i++)
        if (!is_free(g->ids[i]))
            memcpy(wider.ids[slot_of(&wider, g->ids[i])], g->ids[i], ID_BYTES);
    mem_free(g->ids);
    *g = wider;
}

void repeats_release(struct repeats *r)
{
    mem_free(r->young.ids);
    mem_free(r->old.ids);
    *r = (struct repeats){ 0 };
}

bool repeats_has(const struct repeats *r, const unsigned char id[16])
{
    return is_free(id) ? r->zero : holds(&r->young, id) || holds(&r->old, id);
}

void repeats_add(struct repeats *r, const unsigned char id[16])
{
    struct repeats_generation *g = &r->young;
    if (is_free(id))
        r->zero = true;
    if (is_free(id) || holds(g, id))
        return;
    if (g->count >= REPEATS_WINDOW) {
        mem_free(r->old.ids);
        r->old = *g;
        *g = (struct repeats_generation){ 0 };
    }
    if (g->count >= g->slots / 4 * 3)
        widen(g);
    memcpy(g->ids[slot_of(g, id)], id, ID_BYTES);
    g->count++;
}
