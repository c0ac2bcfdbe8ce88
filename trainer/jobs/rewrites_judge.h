/* rewrites_judge.h - what rules would have done to the searches of later days, by the code that applies them. Pure.
 *
 * A query is known to be good when it was searched, in the days before, at least good_searches times, was clicked, and most of its searches found
 * something. A search is changed when its text becomes another: phrases and synonyms do not count. */
#pragma once
#include "model/rewrite.h"
#include "trainer/jobs/query_log.h"

struct rewrites_verdict {
    uint64_t searches;  /* of the later days */
    uint64_t changed;   /* of these */
    uint64_t zero;      /* that found nothing … */
    uint64_t recovered; /* … and become a query that is known to be good */
    uint64_t lost;      /* of a query that is known to be good, and become one that is not */
};
void rewrites_judge(const struct rewrites *rules, const struct query_set *later, const struct query_set *before,
                    uint64_t good_searches, struct rewrites_verdict *out);
bool rewrites_is_good(const struct query_record *q, uint64_t good_searches); /* NULL: no */
