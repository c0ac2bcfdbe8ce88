/* repeats.h - the ids that clients gave to their last signals: a signal whose id is among them is a repeat and counts once.
 *
 * Exact, and bounded: two generations, the younger one is filled; full, it becomes the older one, and that one is forgotten. So at least
 * the last REPEATS_WINDOW ids are known and at most twice as many. Memory grows with them, to twice REPEATS_SLOTS_MAX * 16 bytes.
 * Ids are 16 bytes, spread evenly or not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPEATS_SLOTS_MAX = 1 << 22, REPEATS_WINDOW = 3 << 20 };

struct repeats_generation {
    unsigned char (*ids)[16]; /* open addressing; all zeros: free */
    size_t slots, count;
};
struct repeats {
    struct repeats_generation young, old;
    bool zero; /* the id of zeros, which no slot can hold, has been seen */
};

void repeats_release(struct repeats *r); /* zeros are an empty one */
bool repeats_has(const struct repeats *r, const unsigned char id[16]);
void repeats_add(struct repeats *r, const unsigned char id[16]);
