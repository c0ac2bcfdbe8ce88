/* queries.h - what the jobs "similar-queries", "query-similarity" and "boosts" and their kernels say to each other.
 *
 * "queries.similar@1": queries FROM … TO-1 of the head (blob 0: query_head.h), desc "FROM TO" → of each, its lists (query_pairs.h). Params: struct
 * query_pair_rules as JSON. Collects records of queries_lists_write, by query.
 * "queries.als@1": half an iteration of implicit ALS (als_solve.h) over queries of the head, or its documents; desc "PART FIRST COUNT", params of als.h,
 * blobs: factors of the other side, the head. Collects YᵀY of the rows that it made (double), the rows.
 * "queries.items@1": queries → documents by the product of factors; desc "PART FIRST COUNT", params {"rank", "columns", "top"}, blobs: factors of queries, of
 * documents. Collects for each query: u32 count, count × struct factors_entry.
 * "queries.judge@1": records of queries of a later window (query_log.merge's) → how well the lists of a candidate (blob 0: an artifact) and of a champion
 * (blob 1, if there is one) foretold them (query_judge.h). Params: struct queries_judge_params as JSON. Collects a struct query_judged. */
#pragma once
#include "trainer/kernels/queries/query_judge.h"
#include "trainer/kernels/queries/query_pairs.h"

#define QUERIES_SIMILAR_KERNEL "queries.similar@1"
#define QUERIES_ALS_KERNEL "queries.als@1"
#define QUERIES_ITEMS_KERNEL "queries.items@1"
#define QUERIES_JUDGE_KERNEL "queries.judge@1"
extern const struct kernel kernel_queries_similar, kernel_queries_als, kernel_queries_items, kernel_queries_judge;

bool queries_rules_write(const struct query_pair_rules *r, struct arena *arena, struct str *out,
                         struct err *err) MUSTCHECK;
bool queries_rules_read(struct str json, struct query_pair_rules *out, struct err *err) MUSTCHECK;

/* Sections of an artifact that are judged; {NULL, 0}: it has none of the kind. champion: blob 1 is there. */
struct queries_judge_params {
    struct str queries, items;
    bool champion;
};
bool queries_judge_params_write(const struct queries_judge_params *p, struct arena *arena, struct str *out,
                                struct err *err) MUSTCHECK;
bool queries_judge_params_read(struct str json, struct queries_judge_params *out, struct arena *arena,
                               struct err *err) MUSTCHECK;

/* The lists of one query. What is read is copied to the arena. False: damaged. */
struct queries_lists {
    uint32_t query, pairs_count, items_count;
    const struct query_pair *pairs;
    const struct query_item *items;
};
void queries_lists_write(struct buf *b, const struct queries_lists *l);
bool queries_lists_read(struct str *in, struct arena *arena, struct queries_lists *out);
