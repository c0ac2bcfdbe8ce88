#include "experimentd/evaluate/exposure_filter.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

enum { WAYS = 8, SETS = 1 << 13 }; /* a set is one cache line */

struct exposure_filter {
    _Alignas(64) uint64_t seen[SETS][WAYS];
    uint8_t next[SETS]; /* the way to overwrite */
    int64_t newest_us;
};

struct exposure_filter *exposure_filter_new(void)
{
    struct exposure_filter *f = aligned_alloc(64, sizeof *f);
    if (!f)
        abort();
    return memset(f, 0, sizeof *f);
}

void exposure_filter_free(struct exposure_filter *f)
{
    free(f);
}

/* Never 0: that is an empty slot. */
static uint64_t fingerprint(uint64_t experiment, struct str unit, int64_t at_us)
{
    uint64_t hour = (uint64_t)(at_us / (3600 * US_PER_SECOND));
    uint64_t h = hash64(unit) ^ (experiment * UINT64_C(0x9e3779b97f4a7c15)) ^ (hour * UINT64_C(0xc2b2ae3d27d4eb4f));
    h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    return h ? h : 1;
}

static uint64_t *find(struct exposure_filter *f, uint64_t h)
{
    uint64_t *set = f->seen[h & (SETS - 1)];
    for (int i = 0; i < WAYS; i++)
        if (set[i] == h)
            return &set[i];
    return NULL;
}

bool exposure_filter_pass(struct exposure_filter *f, uint64_t experiment, struct str unit, int64_t at_us)
{
    uint64_t h = fingerprint(experiment, unit, at_us), set = h & (SETS - 1);
    if (at_us < f->newest_us)
        return true; /* a replay out of order: this may be the unit's first exposure, whatever was seen since */
    f->newest_us = at_us;
    if (find(f, h))
        return false;
    f->seen[set][f->next[set]] = h;
    f->next[set] = (uint8_t)((f->next[set] + 1) % WAYS);
    return true;
}

void exposure_filter_forget(struct exposure_filter *f, uint64_t experiment, struct str unit, int64_t at_us)
{
    uint64_t *hit = find(f, fingerprint(experiment, unit, at_us));
    if (hit)
        *hit = 0;
}
