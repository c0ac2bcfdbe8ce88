/* counter.h - counters that one thread writes and others read: no locked instruction. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* Only from the counter's one thread. */
static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Any thread. */
static inline uint64_t counter_get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}
