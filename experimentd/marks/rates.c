#include "experimentd/marks/rates.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

enum { SLOTS = 2 * RATES_WINDOW };

void rates_release(struct rates *r)
{
    mem_free(r->young.slots);
    mem_free(r->old.slots);
    *r = (struct rates){ 0 };
}

static uint64_t key_of(struct str unit, int64_t at_us)
{
    uint64_t minute = (uint64_t)(at_us / (60 * US_PER_SECOND));
    uint64_t key = hash64(unit) ^ (minute * UINT64_C(0x9e3779b97f4a7c15));
    return key ? key : 1;
}

/* Its slot, or the free one where it would be. */
static struct rates_slot *slot_of(const struct rates_generation *g, uint64_t key)
{
    size_t at = (size_t)(key >> 20) & (SLOTS - 1);
    while (g->slots[at].key && g->slots[at].key != key)
        at = (at + 1) & (SLOTS - 1);
    return &g->slots[at];
}

static void turn(struct rates *r)
{
    mem_free(r->old.slots);
    r->old = r->young;
    r->young = (struct rates_generation){ .slots = mem_zalloc(SLOTS * sizeof *r->young.slots) };
}

uint32_t rates_add(struct rates *r, struct str unit, int64_t at_us)
{
    uint64_t key = key_of(unit, at_us);
    if (!r->young.slots || r->young.used == RATES_WINDOW)
        turn(r);
    struct rates_slot *s = slot_of(&r->young, key);
    if (!s->key) {
        s->key = key;
        s->count = r->old.slots ? slot_of(&r->old, key)->count : 0;
        r->young.used++;
    }
    return ++s->count;
}
