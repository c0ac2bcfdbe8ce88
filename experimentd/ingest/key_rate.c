/* Instants are nanoseconds: at a million events a second one event is a microsecond. */
#include "experimentd/ingest/key_rate.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

enum { NS_PER_US = 1000, PROBES_MAX = 64 };
#define NS_PER_SECOND (US_PER_SECOND * NS_PER_US)
#define BURST_NS NS_PER_SECOND

struct slot {
    _Atomic uint64_t key; /* hash; 0: free */
    _Atomic int64_t paid_until_ns;
};

struct key_rate {
    uint32_t events_per_second;
    _Atomic uint64_t refused;
    struct slot slots[KEY_RATE_SLOTS];
};

struct key_rate *key_rate_new(uint32_t events_per_second)
{
    struct key_rate *r = mem_zalloc(sizeof *r);
    r->events_per_second = events_per_second;
    return r;
}

void key_rate_free(struct key_rate *r)
{
    mem_free(r);
}

static struct slot *slot_of(struct key_rate *r, struct str key)
{
    uint64_t hash = hash64(key);
    hash += hash == 0;
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct slot *s = &r->slots[(hash + i) % KEY_RATE_SLOTS];
        uint64_t holds = 0;
        if (atomic_load(&s->key) == hash || atomic_compare_exchange_strong(&s->key, &holds, hash) || holds == hash)
            return s;
    }
    return &r->slots[hash % KEY_RATE_SLOTS];
}

int64_t key_rate_wait_us(struct key_rate *r, struct str key, int64_t now_us)
{
    if (!r->events_per_second)
        return 0;
    int64_t ahead_ns = atomic_load(&slot_of(r, key)->paid_until_ns) - now_us * NS_PER_US;
    if (ahead_ns <= BURST_NS)
        return 0;
    atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
    return (ahead_ns - BURST_NS + NS_PER_US - 1) / NS_PER_US;
}

void key_rate_charge(struct key_rate *r, struct str key, size_t events, int64_t now_us)
{
    if (!r->events_per_second)
        return;
    _Atomic int64_t *paid = &slot_of(r, key)->paid_until_ns;
    int64_t now_ns = now_us * NS_PER_US, before = atomic_load(paid), after;
    do
        after = (before > now_ns ? before : now_ns) + (int64_t)events * NS_PER_SECOND / r->events_per_second;
    while (!atomic_compare_exchange_weak(paid, &before, after));
}

uint64_t key_rate_refused(const struct key_rate *r)
{
    return atomic_load_explicit(&r->refused, memory_order_relaxed);
}
