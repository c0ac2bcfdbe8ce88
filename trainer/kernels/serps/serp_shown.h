/* serp_shown.h - pure: the list of documents that the params of a signal say was shown: {"docs": ["B01", "B02"], "propensity": 0.5}.
 *
 * `docs` are ids in the order of positions from 1 (texts; whole numbers are taken as texts). The list ends at the first SERP_DOCS_MAX of them, and before what
 * is no id. `propensity` is the probability with which a randomised policy showed it so: one number, of the whole list, or a list of numbers, of each
 * document at its place; each above 0, at most 1. What is not so is as if it was not there. */
#pragma once
#include "base/mem.h"

enum { SERP_DOCS_MAX = 50, SERP_DOC_BYTES = 512 };

struct serp_shown {
    struct str docs[SERP_DOCS_MAX];
    float propensities[SERP_DOCS_MAX];
    uint32_t count;
    bool randomised; /* it has propensities */
};

/* Texts in the arena. False: there is no list, or an empty one. */
bool serp_shown_read(struct str params, struct arena *arena, struct serp_shown *out);
