/* pair_sums.h - pure: what was counted of pairs: for a 64-bit key (two numbers) how often, and a sum beside it.
 *
 * Open addressing, at most half full; 24 bytes an entry and 8 a slot. Entries are in the order in which keys first came until they are sorted. Sums are added in the order
 * of calls. */
#pragma once
#include "base/mem.h"
#include "base/str.h"

struct pair_sum {
    uint64_t key, count;
    double sum;
};
struct pair_sums {
    struct pair_sum *entries;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t count, room;
};

static inline uint64_t pair_key(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}
static inline uint32_t pair_first(uint64_t key)
{
    return (uint32_t)(key >> 32);
}
static inline uint32_t pair_second(uint64_t key)
{
    return (uint32_t)key;
}

void pair_sums_init(struct pair_sums *p);
void pair_sums_release(struct pair_sums *p);
void pair_sums_clear(struct pair_sums *p); /* keeps the memory */
void pair_sums_add(struct pair_sums *p, uint64_t key, uint64_t count, double sum);
/* Adds entries, as they lie in memory. False: they are none. */
bool pair_sums_add_bytes(struct pair_sums *p, struct str records);
/* In the order of keys; nothing may be added behind it but by pair_sums_clear. */
void pair_sums_sort(struct pair_sums *p);
