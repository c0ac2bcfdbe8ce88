#include "experimentd/interleave/coins.h"

#include "base/hash.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void coins_start(struct coins_stream *s, struct str seed, struct str query_id)
{
    s->state = mix(hash64(seed)) + hash64(query_id);
}

unsigned coins_toss(void *arg, unsigned n)
{
    struct coins_stream *s = arg;
    s->state += UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned)(((unsigned __int128)mix(s->state) * n) >> 64);
}
