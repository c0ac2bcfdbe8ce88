#include "trainer/kernels/intern.h"

#include <assert.h>
#include <stdlib.h>

#include "trainer/kernels/radix.h"

enum { FIRST_ROOM = 1024, FIRST_BLOCK = 64 << 10 };

/* Eight bytes a step. */
static uint64_t hash_of(uint32_t under, struct str s)
{
    uint64_t h = (s.n + ((uint64_t)under << 16)) * UINT64_C(0x9E3779B97F4A7C15), w;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        memcpy(&w, s.p + i, 8);
        h = (h ^ w) * UINT64_C(0xFF51AFD7ED558CCD);
        h ^= h >> 32;
    }
    w = 0;
    if (s.n > i)
        memcpy(&w, s.p + i, s.n - i);
    h = (h ^ w) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 32;
}

void intern_init(struct intern *t)
{
    *t = (struct intern){ .room = FIRST_ROOM, .slots_count = 2 * FIRST_ROOM };
    arena_init(&t->arena, FIRST_BLOCK);
    t->texts = mem_alloc(t->room * sizeof *t->texts);
    t->under = mem_alloc(t->room * sizeof *t->under);
    t->hashes = mem_alloc(t->room * sizeof *t->hashes);
    t->slots = mem_zalloc(t->slots_count * sizeof *t->slots);
}

void intern_release(struct intern *t)
{
    arena_release(&t->arena);
    mem_free(t->texts);
    mem_free(t->under);
    mem_free(t->hashes);
    mem_free(t->slots);
}

static void grow(struct intern *t)
{
    assert(t->room <= UINT32_MAX / 4);
    t->room *= 2;
    t->slots_count *= 2;
    t->texts = mem_realloc(t->texts, t->room * sizeof *t->texts);
    t->under = mem_realloc(t->under, t->room * sizeof *t->under);
    t->hashes = mem_realloc(t->hashes, t->room * sizeof *t->hashes);
    mem_free(t->slots);
    t->slots = mem_zalloc(t->slots_count * sizeof *t->slots);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = (uint32_t)t->hashes[i] & (t->slots_count - 1);
        while (t->slots[at])
            at = (at + 1) & (t->slots_count - 1);
        t->slots[at] = i + 1;
    }
}

uint32_t intern_add_under(struct intern *t, uint32_t under, struct str s)
{
    uint64_t hash = hash_of(under, s);
    uint32_t at = (uint32_t)hash & (t->slots_count - 1);
    for (; t->slots[at]; at = (at + 1) & (t->slots_count - 1)) {
        uint32_t i = t->slots[at] - 1;
        if (t->hashes[i] == hash && t->under[i] == under && str_eq(t->texts[i], s))
            return i;
    }
    if (t->count == t->room) {
        grow(t);
        for (at = (uint32_t)hash & (t->slots_count - 1); t->slots[at];)
            at = (at + 1) & (t->slots_count - 1);
    }
    t->texts[t->count] = arena_str(&t->arena, s);
    t->under[t->count] = under;
    t->hashes[t->count] = hash;
    t->slots[at] = t->count + 1;
    return t->count++;
}

uint32_t intern_cut(struct intern *t, struct str s, size_t max)
{
    return s.n ? intern_add(t, str_cut(s, max)) : INTERN_NONE;
}

uint32_t intern_find(const struct intern *t, struct str s)
{
    uint64_t hash = hash_of(0, s);
    for (uint32_t at = (uint32_t)hash & (t->slots_count - 1); t->slots[at]; at = (at + 1) & (t->slots_count - 1)) {
        uint32_t i = t->slots[at] - 1;
        if (t->hashes[i] == hash && t->under[i] == 0 && str_eq(t->texts[i], s))
            return i;
    }
    return INTERN_NONE;
}

/* For qsort_r. */
static int by_bytes(const void *a, const void *b, void *intern)
{
    const struct intern *t = intern;
    struct str x = t->texts[((const struct placed *)a)->number], y = t->texts[((const struct placed *)b)->number];
    size_t n = x.n < y.n ? x.n : y.n;
    int d = n ? memcmp(x.p, y.p, n) : 0;
    return d ? d : (x.n > y.n) - (x.n < y.n);
}

static void sort_equal_hashes(const struct intern *t, struct placed *p)
{
    for (uint32_t i = 0, end; i < t->count; i = end) {
        for (end = i + 1; end < t->count && p[end].place == p[i].place;)
            end++;
        if (end - i > 1)
            qsort_r(p + i, end - i, sizeof *p, by_bytes, (void *)(uintptr_t)t);
    }
}

uint32_t *intern_ranks(const struct intern *t)
{
    struct placed *sorted = mem_alloc(2 * ((size_t)t->count + 1) * sizeof *sorted);
    uint32_t *ranks = mem_alloc((t->count + 1) * sizeof *ranks);
    for (uint32_t i = 0; i < t->count; i++)
        sorted[i] = (struct placed){ t->hashes[i], i };
    radix_sort(sorted, sorted + t->count + 1, t->count, 64);
    sort_equal_hashes(t, sorted);
    for (uint32_t i = 0; i < t->count; i++)
        ranks[sorted[i].number] = i;
    mem_free(sorted);
    return ranks;
}

struct intern_order intern_order_of(const struct intern *t)
{
    struct intern_order o = { intern_ranks(t), mem_alloc((t->count + (size_t)1) * sizeof *o.number) };
    for (uint32_t i = 0; i < t->count; i++)
        o.number[o.place[i]] = i;
    return o;
}

void intern_order_release(struct intern_order *o)
{
    mem_free(o->place);
    mem_free(o->number);
}
