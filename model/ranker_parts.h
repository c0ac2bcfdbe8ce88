/* ranker_parts.h - between ranker.c (the bytes) and ranker_score.c (walking them). */
#pragma once
#include "model/ranker.h"

enum { RANKER_NODE_BYTES = 24, RANKER_INNER = 1, RANKER_MISSING_LEFT = 2 };

/* Eight bytes a node. A missing value stands in the row twice, as −inf in column `feature + features` and as +inf in column `feature`, so that a
 * comparison alone sends it where the node says. A leaf's threshold is NaN and its `left` itself: whoever is there stays. */
struct ranker_step {
    float threshold;
    uint16_t column, left; /* right is left + 1 */
};

/* From the checked bytes; in the arena. */
void ranker_lay_out(struct ranker *r, struct arena *arena);
