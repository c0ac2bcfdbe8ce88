/* coins.h - the coins of one query: the same seed and query id give the same list on every daemon, today and in years.
 *
 *   state_0 = mix(hash64(seed)) + hash64(query_id)                         mod 2^64; hash64: base/hash.h
 *   state_i = state_(i-1) + 0x9e3779b97f4a7c15, word_i = mix(state_i)      splitmix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014)
 *   coin of n sides = (word_i * n) >> 64                                   off from fair by less than n / 2^64
 *
 * mix is splitmix64's finisher. Never change any of it: lists that were shown depend on it. */
#pragma once
#include <stdint.h>

#include "base/str.h"
#include "stats/interleave/interleave.h"

struct coins_stream {
    uint64_t state;
};

void coins_start(struct coins_stream *s, struct str seed, struct str query_id);
/* For interleave_coins.toss; arg is a struct coins_stream. */
unsigned coins_toss(void *arg, unsigned n);
