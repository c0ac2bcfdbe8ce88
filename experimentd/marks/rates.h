/* rates.h - how many signals each unit had in each minute, of the last RATES_WINDOW pairs of unit and minute at least.
 *
 * By the signals' own time: a telephone that sends an hour at once is no bot. A pair is a 64-bit hash (two that share one: odds 2^-64);
 * two generations of RATES_WINDOW, 4 MiB each at most: when the young one is full it becomes the old one. One thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { RATES_WINDOW = 1 << 17 };

struct rates_generation {
    struct rates_slot {
        uint64_t key; /* 0: free */
        uint32_t count;
    } * slots;
    size_t used;
};

struct rates {
    struct rates_generation young, old;
};

void rates_release(struct rates *r);
/* Counts one signal and returns how many its unit has in its minute. */
uint32_t rates_add(struct rates *r, struct str unit, int64_t at_us);
