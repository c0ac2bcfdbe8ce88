#include "trainer/kernels/radix.h"

#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static unsigned digit_of(const struct placed *p, unsigned shift)
{
    return (unsigned)(p->place >> shift) & (DIGITS - 1);
}

void radix_sort(struct placed *p, struct placed *spare, size_t count, unsigned bits)
{
    struct placed *from = p, *to = spare;
    for (unsigned shift = 0; shift < bits; shift += DIGIT_BITS) {
        uint32_t starts[DIGITS + 1] = { 0 };
        for (size_t i = 0; i < count; i++)
            starts[digit_of(&from[i], shift) + 1]++;
        for (size_t d = 1; d < DIGITS; d++)
            starts[d] += starts[d - 1];
        for (size_t i = 0; i < count; i++)
            to[starts[digit_of(&from[i], shift)]++] = from[i];
        struct placed *t = from;
        from = to;
        to = t;
    }
    if (from != p)
        memcpy(p, from, count * sizeof *p);
}
