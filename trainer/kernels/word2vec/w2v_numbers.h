/* w2v_numbers.h - pure: hashes of words → their numbers, as a blob: u64 hashes, ascending | u32 number of each. */
#pragma once
#include "base/str.h"

struct w2v_numbers {
    const uint64_t *hashes;
    const uint32_t *numbers;
    uint32_t count;
};
static inline struct w2v_numbers w2v_numbers_read(struct str blob)
{
    const uint32_t count = (uint32_t)(blob.n / (sizeof(uint64_t) + sizeof(uint32_t)));
    const uint64_t *hashes = (const void *)blob.p;
    return (struct w2v_numbers){ hashes, (const void *)(hashes + count), count };
}
static inline bool w2v_numbers_find(const struct w2v_numbers *w, uint64_t hash, uint32_t *out)
{
    uint32_t from = 0, to = w->count;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (w->hashes[middle] < hash)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == w->count || w->hashes[from] != hash)
        return false;
    *out = w->numbers[from];
    return true;
}
