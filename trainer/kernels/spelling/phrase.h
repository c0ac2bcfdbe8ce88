/* phrase.h - pure: do two words (or a phrase and a word) belong together?
 *
 * Of `all` searches, `first` have the one, `second` the other, `both` have them side by side in this order. By chance there would be first · second / all,
 * and fewer side by side, so that the test is on the safe side. An event is a search, not a person: what few people search often counts as often.
 *
 *   lift        both · all / (first · second)
 *   likelihood  −2 log λ of the table of the four counts (T. Dunning, Computational Linguistics 19, 1993), for each search with both
 *   log_p       of Fisher's exact test of one side (stats/exact.h)
 *   strength    ln lift / −ln(both / all), from −1 to 1: 1 when neither comes without the other (G. Bouma, GSCL 2009, "normalised PMI") */
#pragma once
#include <stdint.h>

struct phrase_counts {
    uint64_t first, second, both, all; /* both ≤ first, second ≤ all */
};
struct phrase_test {
    double lift, likelihood, log_p, strength;
};
/* lift 0: there is nothing to test. */
struct phrase_test phrase_test(const struct phrase_counts *c);
/* The weaker one of two: a phrase of three words is as good as its weaker seam. */
struct phrase_test phrase_weaker(struct phrase_test a, struct phrase_test b);
