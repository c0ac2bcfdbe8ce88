/* best.h - pure: the best n of many numbered things: greater score first, of equal ones the smaller number. A heap whose root is the worst. */
#pragma once
#include "base/mem.h"

struct best_entry {
    double score;
    uint32_t number, extra;
};
struct best {
    struct best_entry *entries;
    uint32_t count, max;
};
void best_init(struct best *b, uint32_t max, struct arena *arena);
static inline void best_clear(struct best *b)
{
    b->count = 0;
}
void best_add(struct best *b, double score, uint32_t number, uint32_t extra);
/* Best first; then nothing may be added but behind best_clear. */
void best_sort(struct best *b);
