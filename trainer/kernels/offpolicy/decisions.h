/* decisions.h - pure: the decisions of a query, and what reward is expected of a document at a place.
 *
 *   q(a, p) = (Σ r + κ μ_p)/(n + κ) over the decisions of document a at position p by units of other folds; μ_p: the mean of all queries there
 *
 * So what is expected of a unit's decision was learned without that unit (cross-fitting; V. Chernozhukov et al., Econometrics J. 21, 2018). With one
 * fold it is learned from all. A record: text query | u64 unit | i64 µs | u64 id | u32 n | n × (u32 position | text doc | f64 propensity, target, reward). */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/offpolicy/offpolicy.h"

struct decision {
    struct str query, doc;
    uint64_t unit, id; /* id: hash of the query id */
    int64_t at_us;
    uint32_t position; /* from 1 */
    uint32_t number;   /* of the document among those of its query */
    double propensity, target, reward;
};
/* Takes a record's decisions off *block; `out` has room for OFFPOLICY_POSITIONS_MAX. False: it is damaged. */
bool decisions_take(struct str *block, struct decision *out, uint32_t *out_count);
/* By (query, unit, instant, id, position, doc): the order does not depend on how days and ranges were cut. */
void decisions_sort(struct decision *d, size_t count);

struct expected {
    uint32_t docs, positions, folds;
    double prior;
    const double (*means)[OFFPOLICY_POSITIONS_MAX];
    double *rewards, *counts; /* [folds + 1][positions][docs]; the last one is of all folds */
};
/* Of the decisions of one query, which get their numbers: documents in the order of their bytes, in *out_docs. In the arena. */
void expected_make(struct decision *d, size_t count, const struct offpolicy_params *p, struct arena *arena,
                   struct expected *out, struct str **out_docs);
/* position from 1; doc UINT32_MAX: one that was never shown. */
double expected_of(const struct expected *e, uint32_t fold, uint32_t position, uint32_t doc);
