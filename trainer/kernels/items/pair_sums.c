#include "trainer/kernels/items/pair_sums.h"

#include <stdlib.h>

enum { ROOM_FIRST = 1024 };

void pair_sums_init(struct pair_sums *p)
{
    *p = (struct pair_sums){ .room = ROOM_FIRST };
    p->entries = mem_alloc(p->room * sizeof *p->entries);
    p->slots = mem_zalloc(2 * (size_t)p->room * sizeof *p->slots);
}

void pair_sums_release(struct pair_sums *p)
{
    mem_free(p->entries);
    mem_free(p->slots);
    *p = (struct pair_sums){ .count = 0 };
}

void pair_sums_clear(struct pair_sums *p)
{
    p->count = 0;
    memset(p->slots, 0, 2 * (size_t)p->room * sizeof *p->slots);
}

static uint32_t *slot_of(const struct pair_sums *p, uint64_t key)
{
    const uint64_t mask = 2 * (uint64_t)p->room - 1;
    uint64_t h = (key ^ (key >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t at = (h ^ (h >> 29)) & mask;
    while (p->slots[at] && p->entries[p->slots[at] - 1].key != key)
        at = (at + 1) & mask;
    return &p->slots[at];
}

static void grow(struct pair_sums *p)
{
    p->room *= 2;
    p->entries = mem_realloc(p->entries, p->room * sizeof *p->entries);
    mem_free(p->slots);
    p->slots = mem_zalloc(2 * (size_t)p->room * sizeof *p->slots);
    for (uint32_t i = 0; i < p->count; i++)
        *slot_of(p, p->entries[i].key) = i + 1;
}

void pair_sums_add(struct pair_sums *p, uint64_t key, uint64_t count, double sum)
{
    uint32_t *slot = slot_of(p, key);
    if (*slot == 0) {
        if (p->count == p->room) {
            grow(p);
            slot = slot_of(p, key);
        }
        p->entries[p->count] = (struct pair_sum){ .key = key };
        *slot = ++p->count;
    }
    struct pair_sum *e = &p->entries[*slot - 1];
    e->count += count;
    e->sum += sum;
}

bool pair_sums_add_bytes(struct pair_sums *p, struct str records)
{
    struct pair_sum e;
    for (; records.n >= sizeof e; records.p += sizeof e, records.n -= sizeof e) {
        memcpy(&e, records.p, sizeof e);
        pair_sums_add(p, e.key, e.count, e.sum);
    }
    return records.n == 0;
}

static int by_key(const void *a, const void *b)
{
    const struct pair_sum *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

void pair_sums_sort(struct pair_sums *p)
{
    if (p->count)
        qsort(p->entries, p->count, sizeof *p->entries, by_key);
}
