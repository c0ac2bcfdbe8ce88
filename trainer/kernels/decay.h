/* decay.h - pure: what something of long ago still counts: half of it after a half-life, a quarter after two.
 *
 * A day's events are added as of the end of their day, in whole numbers: in any order they add up to the same. Days are brought to one instant
 * and added in their order. So days that were added up by an earlier run and days that are added up anew give the same bits, and only
 * additions, products and powers of two are used, which all hosts compute alike (the exp2 of libc is another one on other CPUs). */
#pragma once
#include <stdint.h>

/* A sum of shares; each is at most 1 and is kept in units of 2^-62. */
__extension__ typedef unsigned __int128 decay_sum;
enum { DECAY_BITS = 62 };

/* 2^(-age / half_life). half_life_us 0: nothing decays, 1. */
double decay_factor(int64_t age_us, int64_t half_life_us);
/* The same, of an age of 0 or more, to be added to a sum. */
decay_sum decay_share(int64_t age_us, int64_t half_life_us);
double decay_of(decay_sum sum);
