/* radix.h - pure: numbers sorted by their places, digit after digit; what has the same place stays in order. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct placed {
    uint64_t place;
    uint32_t number;
};
/* By the lowest `bits` of places. `spare` has room for as many. */
void radix_sort(struct placed *p, struct placed *spare, size_t count, unsigned bits);
