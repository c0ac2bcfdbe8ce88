/* similar.h - pure: how alike two items are, by the units that had them. */
#pragma once
#include <stdint.h>

enum similar_by { SIMILAR_COSINE, SIMILAR_LLR, SIMILAR_COUNT };
extern const char *const similar_names[SIMILAR_COUNT];

/* Of an item. */
struct similar_item {
    uint64_t units;
    double squares; /* Σ weight² of its units; with weights of 1, units */
};

struct similar_rules {
    enum similar_by by;
    double shrink;  /* a pair that n units had counts n/(n + shrink) of its score: few say little */
    uint64_t units; /* all that there are */
};

/* Cosine: Σ weight_a weight_b / √(Σ weight_a² Σ weight_b²).
 * Log-likelihood ratio (T. Dunning, Computational Linguistics 19, 1993): G² of the table had both, one, the other, none; 0 when they come together no
 * more often than by chance. `both`: units with both; `dot`: Σ of the products of their weights. */
double similar_score(const struct similar_rules *r, const struct similar_item *a, const struct similar_item *b,
                     uint64_t both, double dot);
