#include "trainer/kernels/pair_table.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_FIRST = 1024, TEXTS_FIRST = 1 << 16 };

struct pair {
    const char *first, *second;
    uint32_t first_n, second_n;
    uint64_t hash;
};

struct pair_table {
    size_t value_bytes;
    struct arena texts;
    struct pair *pairs;
    char *values;
    size_t count, room;
    uint32_t *slots; /* number + 1; 0 is free; twice as many as there is room for pairs */
    struct str last; /* the first text that came last, and its hash */
    uint64_t last_hash;
};

struct pair_table *pair_table_new(size_t value_bytes)
{
    struct pair_table *t = mem_zalloc(sizeof *t);
    t->value_bytes = value_bytes;
    t->room = ROOM_FIRST;
    t->pairs = mem_alloc(t->room * sizeof *t->pairs);
    t->values = mem_alloc(t->room * value_bytes);
    t->slots = mem_zalloc(2 * t->room * sizeof *t->slots);
    arena_init(&t->texts, TEXTS_FIRST);
    return t;
}

void pair_table_free(struct pair_table *t)
{
    if (!t)
        return;
    arena_release(&t->texts);
    mem_free(t->pairs);
    mem_free(t->values);
    mem_free(t->slots);
    mem_free(t);
}

static void grow(struct pair_table *t)
{
    size_t mask = 4 * t->room - 1;
    assert(t->room < UINT32_MAX / 4);
    t->room *= 2;
    t->pairs = mem_realloc(t->pairs, t->room * sizeof *t->pairs);
    t->values = mem_realloc(t->values, t->room * t->value_bytes);
    mem_free(t->slots);
    t->slots = mem_zalloc((mask + 1) * sizeof *t->slots);
    for (size_t i = 0; i < t->count; i++) {
        size_t at = (size_t)t->pairs[i].hash & mask;
        while (t->slots[at])
            at = (at + 1) & mask;
        t->slots[at] = (uint32_t)i + 1;
    }
}

struct str pair_table_keep(struct pair_table *t, struct str text)
{
    return arena_str(&t->texts, text);
}

/* All units of a range of buckets have some bits of their hash alike, so it is mixed with the other's by a product. */
static uint64_t mixed(uint64_t first, uint64_t second)
{
    uint64_t h = (first ^ second) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static void *add(struct pair_table *t, size_t slot, uint64_t hash, struct str first, struct str second)
{
    assert(first.n <= UINT32_MAX && second.n <= UINT32_MAX);
    if (!t->last.p || !str_eq(first, t->last))
        t->last = pair_table_keep(t, first);
    t->pairs[t->count] = (struct pair){ .first = t->last.p,
                                        .second = pair_table_keep(t, second).p,
                                        .first_n = (uint32_t)first.n,
                                        .second_n = (uint32_t)second.n,
                                        .hash = hash };
    char *value = t->values + t->count * t->value_bytes;
    memset(value, 0, t->value_bytes);
    t->slots[slot] = (uint32_t)++t->count;
    return value;
}

static void *find(struct pair_table *t, uint64_t hash, struct str first, struct str second)
{
    if (t->count == t->room)
        grow(t);
    size_t mask = 2 * t->room - 1, at = (size_t)hash & mask;
    for (; t->slots[at]; at = (at + 1) & mask) {
        size_t number = t->slots[at] - 1;
        const struct pair *p = &t->pairs[number];
        if (p->hash != hash || !str_eq(first, (struct str){ p->first, p->first_n }) ||
            !str_eq(second, (struct str){ p->second, p->second_n }))
            continue;
        t->last = (struct str){ p->first, p->first_n };
        return t->values + number * t->value_bytes;
    }
    return add(t, at, hash, first, second);
}

void *pair_table_at(struct pair_table *t, struct str first, struct str second)
{
    if (!t->last.p || !str_eq(first, t->last))
        t->last_hash = hash64(first);
    return find(t, mixed(t->last_hash, hash64(second)), first, second);
}

void *pair_table_at_hashed(struct pair_table *t, const struct pair_text *first, const struct pair_text *second)
{
    t->last_hash = first->hash;
    return find(t, mixed(first->hash, second->hash), first->text, second->text);
}

size_t pair_table_count(const struct pair_table *t)
{
    return t->count;
}

struct str pair_table_first(const struct pair_table *t, size_t number)
{
    return (struct str){ t->pairs[number].first, t->pairs[number].first_n };
}

struct str pair_table_second(const struct pair_table *t, size_t number)
{
    return (struct str){ t->pairs[number].second, t->pairs[number].second_n };
}

void *pair_table_value(const struct pair_table *t, size_t number)
{
    return t->values + number * t->value_bytes;
}

int pair_text_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

int pair_text_first(const void *a, const void *b)
{
    return pair_text_compare(*(const struct str *)a, *(const struct str *)b);
}

static int by_texts(const void *a, const void *b, void *table)
{
    const struct pair_table *t = table;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int d = t->pairs[x].first == t->pairs[y].first ? 0
                                                   : pair_text_compare(pair_table_first(t, x), pair_table_first(t, y));
    return d ? d : pair_text_compare(pair_table_second(t, x), pair_table_second(t, y));
}

uint32_t *pair_table_sort(const struct pair_table *t)
{
    uint32_t *numbers = mem_alloc((t->count + 1) * sizeof *numbers);
    for (size_t i = 0; i < t->count; i++)
        numbers[i] = (uint32_t)i;
    qsort_r(numbers, t->count, sizeof *numbers, by_texts, (void *)(uintptr_t)t);
    return numbers;
}
