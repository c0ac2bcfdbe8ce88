/* A retired object of epoch e is freed when every reader has seen an epoch >= e. */
#include "base/rcu.h"

#include <assert.h>
#include <stddef.h>

void rcu_init(struct rcu *r, unsigned slots, void (*free)(struct rcu_object *))
{
    assert(slots <= RCU_SLOTS_MAX);
    r->free = free;
    r->slots_count = slots;
    if (atomic_load(&r->epoch) == 0)
        atomic_store(&r->epoch, 1);
    for (unsigned i = 0; i < slots; i++)
        atomic_store(&r->slots[i].seen, 0);
}

static uint64_t seen_minimum(struct rcu *r)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < r->slots_count; i++) {
        uint64_t seen = atomic_load_explicit(&r->slots[i].seen, memory_order_acquire);
        least = seen < least ? seen : least;
    }
    return least;
}

void rcu_collect(struct rcu *r)
{
    uint64_t least = seen_minimum(r);
    struct rcu_object **at = &r->retired;
    while (*at) {
        struct rcu_object *o = *at;
        if (o->retired_at <= least) {
            *at = o->next_retired;
            r->free(o);
        } else {
            at = &o->next_retired;
        }
    }
}

void rcu_publish(struct rcu *r, struct rcu_object *next)
{
    struct rcu_object *old = atomic_exchange(&r->current, next);
    if (old) {
        old->retired_at = atomic_fetch_add(&r->epoch, 1) + 1;
        old->next_retired = r->retired;
        r->retired = old;
    }
    rcu_collect(r);
}

void rcu_leave(struct rcu *r, unsigned slot)
{
    atomic_store(&r->slots[slot].seen, UINT64_MAX);
}

void rcu_shutdown(struct rcu *r)
{
    for (unsigned i = 0; i < r->slots_count; i++)
        rcu_leave(r, i);
    struct rcu_object *last = atomic_exchange(&r->current, NULL);
    if (last)
        r->free(last);
    rcu_collect(r);
}
