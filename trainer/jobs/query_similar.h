/* query_similar.h - the most searched queries of a query log, and for each of them the queries that are like it and the documents that are expected
 * (kernels/queries/query_pairs.h): one collection, one pass. */
#pragma once
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/queries/queries.h"

struct query_similar {
    struct query_set set;
    struct buf blob; /* the head */
    struct query_head head;
    struct queries_lists *lists; /* of each query of the head */
};
/* The run's parameters: source, min_overlap, min_llr, min_pair_count, prior_sessions, prior_clicks, min_length, max_length, min_token_overlap, top,
 * top_items (SIMILAR_QUERIES in job/types.c). */
struct query_pair_rules query_similar_rules(const struct run_context *run);
/* The head alone: queries with at least min_searches searches, by at least min_query_units (the run's parameter) units. Release it in any case. */
bool query_similar_open(struct query_similar *s, struct query_log *q, uint64_t min_searches, struct err *err) MUSTCHECK;
/* The head, and the lists of all of it. Release it in any case. */
bool query_similar_find(struct query_similar *s, struct query_log *q, uint64_t min_searches,
                        const struct query_pair_rules *rules, struct err *err) MUSTCHECK;
void query_similar_release(struct query_similar *s);
