/* query_judge.h - pure: how well lists foretold what came later.
 *
 * Of a query of the later window: the queries that came next in its sessions, or the documents that were clicked for it, each with its count g. A list, of
 * which the first QUERY_JUDGE_K count, is worth
 *
 *   hit_rate  Σ g of what is in the list / Σ g                    mrr   Σ g / rank of what is in the list / Σ g
 *   ndcg      Σ g / log2(rank + 1) / the same of the best order (Järvelin and Kekäläinen, TOIS 20, 2002)
 *
 * and 0 when there is no list: what is not known is not foretold. Each query counts once; one with nothing later does not. */
#pragma once
#include "model/lists.h"
#include "stats/moments.h"
#include "trainer/kernels/queries/query_record.h"

enum { QUERY_JUDGE_K = 10 };
enum query_judge_metric { QUERY_JUDGE_NDCG, QUERY_JUDGE_HIT_RATE, QUERY_JUDGE_MRR, QUERY_JUDGE_METRICS };
enum query_judge_side { QUERY_JUDGE_NEXT, QUERY_JUDGE_ITEMS, QUERY_JUDGE_SIDES };

struct query_judged {
    struct moments2 m[QUERY_JUDGE_SIDES]
                     [QUERY_JUDGE_METRICS]; /* x: the candidate, y: the champion; x twice when there is none */
    uint64_t listed[QUERY_JUDGE_SIDES];     /* queries for which the candidate has a list */
};

/* Texts of a list, best first, of which at most QUERY_JUDGE_K are looked at; later: sorted by count, best first. */
void query_judge_values(const struct str *list, uint32_t count, const struct query_list *later,
                        double out[QUERY_JUDGE_METRICS]);
/* lists NULL: there are none. champion NULL: there is none, of all. */
void query_judge_add(struct query_judged *j, enum query_judge_side side, const struct lists *candidate,
                     const struct lists *champion, bool has_champion, const struct query_record *q);
/* Merges parts in a tree of fixed shape; parts are scratch afterwards. */
void query_judge_merge(struct query_judged *parts, uint32_t count, struct query_judged *out);
