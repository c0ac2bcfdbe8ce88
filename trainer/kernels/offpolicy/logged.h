/* logged.h - pure: what a randomised policy has logged with a list: {"docs": ["B01", "B02"], "propensity": [0.5, 0.25], "target": [0.1, 0.9]}.
 *
 * `docs` are ids in the order of positions; `propensity` and `target` are a list with a number for each of them, or one number, of the list as a whole: of several
 * documents it does not say with which probability each was chosen. Propensities are above 0 and at most 1, `target`, the probability with which another
 * policy would have shown the same, is from 0 to 1 and may be missing. At most LOGGED_DOCS_MAX. */
#pragma once
#include "base/mem.h"

enum { LOGGED_DOCS_MAX = 50, LOGGED_DOC_BYTES = 512 };

struct logged {
    struct str docs[LOGGED_DOCS_MAX];
    double propensities[LOGGED_DOCS_MAX], targets[LOGGED_DOCS_MAX]; /* NaN: none was logged */
    uint32_t count;
    bool whole; /* several documents, and one propensity: of the list */
};
/* Texts in the arena. False: there is no list, or no propensity for each of it. */
bool logged_read(struct str params, struct arena *arena, struct logged *out);
