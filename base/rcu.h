/* rcu.h - one object that many threads read without a lock while another thread replaces it whole (read-copy-update).
 *
 * A reader gets the object, uses it until its callback returns, and says after each turn of its loop that it holds nothing (quiescent). What was
 * replaced is retired with a number, the epoch, and freed when every reader has said so since. One thread publishes and collects. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { RCU_SLOTS_MAX = 64, RCU_CACHE_LINE = 64 };

/* Part of what is published. */
struct rcu_object {
    struct rcu_object *next_retired;
    uint64_t retired_at;
};

struct rcu {
    void (*free)(struct rcu_object *o);
    _Atomic(struct rcu_object *) current;
    _Atomic uint64_t epoch;
    unsigned slots_count;
    struct rcu_object *retired; /* the publisher's */
    struct {
        _Alignas(RCU_CACHE_LINE) _Atomic uint64_t seen;
    } slots[RCU_SLOTS_MAX];
};

/* Readers have slots 0 … slots - 1. Before the first reader starts; again behind a shutdown. */
void rcu_init(struct rcu *r, unsigned slots, void (*free)(struct rcu_object *));
void rcu_publish(struct rcu *r, struct rcu_object *next); /* owned from now on */
void rcu_collect(struct rcu *r);                          /* by timer: frees what no reader can hold */
void rcu_leave(struct rcu *r, unsigned slot);             /* the reader has ended */
void rcu_shutdown(struct rcu *r);                         /* frees all; no reader is left */

/* NULL before the first is published. */
static inline struct rcu_object *rcu_get(struct rcu *r)
{
    return atomic_load_explicit(&r->current, memory_order_acquire);
}

static inline void rcu_quiescent(struct rcu *r, unsigned slot)
{
    atomic_store_explicit(&r->slots[slot].seen, atomic_load_explicit(&r->epoch, memory_order_acquire),
                          memory_order_release);
}
