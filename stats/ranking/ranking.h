/* ranking.h - how good one ranking is, by the grades of its documents: the usual metrics at one rank k, all at once.
 *
 * Documents in rank order, looked at down to rank k. A list that is shorter than k has nothing at its missing ranks, and precision still divides by k. What is not
 * in the list but judged counts for the ideal and for recall. A query without any relevant document scores 0 in everything, never "undefined": so the mean over queries
 * has a denominator that no variant can change. The metrics are per query: average them per user before comparing (a query is no unit, see ../ratio.h).
 * Definitions are those of metric.h, which has more of them, by name. Values in, values out; the judged grades are sorted in place. */
#pragma once
#include "stats/ranking/metric.h"

struct ranking_rules {
    size_t k;           /* 1 or more */
    double max_grade;   /* of the scale: ERR's probability that it satisfies is (2^g - 1)/2^max_grade */
    double relevant_at; /* grades from here on are relevant, above 0 */
    double rbp_p;       /* persistence of RBP, between 0 and 1 */
    enum ranking_unjudged unjudged;
};

struct ranking {
    double dcg_exp, idcg_exp, ndcg_exp; /* gains 2^g - 1 */
    double dcg_lin, idcg_lin, ndcg_lin; /* gains g */
    double rr, err;                     /* reciprocal rank of the first relevant one; expected reciprocal rank */
    double precision, recall, ap;       /* of the first k */
    double rbp;                         /* rank-biased precision */
    double success, judged;             /* any relevant; share of the first k (or the length) that is judged */
};

/* grades: of the list, NaN where not judged and the policy lets it be; judged: of all judged documents of the query, in descending order afterwards, those of the list
 * among them. Refuses grades below 0, above max_grade or not finite, more relevant ones in the list than were judged, and rules outside of what is said above. */
bool ranking_score(const double *grades, size_t n, double *judged, size_t judged_n, const struct ranking_rules *rules,
                   struct ranking *out, struct err *err) MUSTCHECK;
