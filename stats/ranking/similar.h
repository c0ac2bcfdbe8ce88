/* similar.h - how alike two lists are, whatever was judged.
 *
 * Items are numbers, the same for the same document; no item stands twice in a list (the caller drops the later one). With A_d the first d of a list:
 *
 *   rbo_truncated  (1 - p)/(1 - p^n) Σ_{d=1..n} p^(d-1) |A_d ∩ B_d|/max(|A_d|, |B_d|), n the longer length: that of SRW, 1 for equal lists
 *   rbo            extrapolated: the overlap that was seen goes on below the ends (W. Webber, A. Moffat, J. Zobel, TOIS 28, 2010, equation 32)
 *   jaccard        |A ∩ B|/|A ∪ B|
 *   overlap        |A ∩ B|/max(|A|, |B|)
 *
 * Two empty lists: 0 as SRW has it, since there is nothing that they share. Pure, values in and out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct similar {
    double rbo_truncated, rbo, jaccard, overlap;
    size_t common;
};

/* n_a n_b comparisons. Refuses a persistence outside of 0 to 1. */
bool similar_lists(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, double p, struct similar *out,
                   struct err *err) MUSTCHECK;

/* SRW's frequency weighted similarity of two collections in which an item may stand often (what two rankers showed over many queries): an item weighs the mean of
 * its shares of the two; Σ weights of the items that both have, over Σ of all. counts_*[i]: how often item i stands there. 0 when either has nothing. */
double similar_frequency(const uint64_t *counts_a, const uint64_t *counts_b, size_t items);
