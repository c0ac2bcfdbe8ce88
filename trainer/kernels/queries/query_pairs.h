/* query_pairs.h - pure: for one query of the head, the queries that are like it and the documents that are expected to be clicked for it.
 *
 * Two queries are like each other by what is clicked, or by what is searched together:
 *
 *   coclick = Σ over documents  min(share of A's clicks, share of B's clicks)             0 … 1: how far both lead to the same
 *   session = max(0, k − kA·kB/N) / (kA + prior)                                           of A's sessions, how many more have B than would by chance
 *   score   = 1 − (1 − coclick)(1 − session)                                               of those that hold
 *
 * with k, kA, kB of N sessions that have both, A, B. Each holds only with evidence: min_pair_count clicks (sessions), and a log-likelihood ratio (Dunning,
 * Computational Linguistics 19, 1993) of at least min_llr for more than chance. Of sessions the table is that of k, kA, kB, N. Of clicks: those of A on
 * documents of B, of A elsewhere, of all other queries on documents of B, and elsewhere; and the same the other way round, of which the lesser counts. So
 * a query that is searched beside everything, and a document that is clicked for everything, pair nothing.
 *
 * Documents: with c clicks of C of the query's own, and π the mean of the shares among its similar queries, weighted by score,
 *
 *   score = (c + prior_clicks·π) / (C + prior_clicks)
 *
 * which is the mean of the posterior of a Dirichlet prior of prior_clicks clicks that fall as those of similar queries do. */
#pragma once
#include "trainer/kernels/queries/query_head.h"

struct query_pair_rules {
    bool use_clicks, use_sessions;
    double min_overlap, min_llr;
    uint64_t min_pair_count;
    double prior_sessions, prior_clicks;
    uint32_t min_length, max_length; /* of the text, in characters; others get no list and are in none */
    double min_token_overlap;        /* shared words / all words of both; 0: they need share none */
    uint32_t top, top_items;
};

struct query_pair {
    uint32_t query;
    float score, coclick, session; /* coclick, session: 0 when they do not hold */
};
struct query_item {
    uint32_t doc;
    float score;
    uint32_t clicks; /* the query's own */
};

/* Room for one query's work; reused for the next one. */
struct query_pairs;
struct query_pairs *query_pairs_new(const struct query_head *head, const struct query_pair_rules *rules);
void query_pairs_free(struct query_pairs *p);
DEFINE_AUTO(struct query_pairs *, query_pairs_free)
/* Best first; valid until the next call. Queries of the same words in another order come once. */
void query_pairs_find(struct query_pairs *p, uint32_t query, const struct query_pair **out_pairs,
                      uint32_t *out_pairs_count, const struct query_item **out_items, uint32_t *out_items_count);

/* Of a table of two by two with whole numbers: 2·Σ O·ln(O/E). Below 0 where both come together less than by chance. */
double query_llr(double both, double a, double b, double all);
/* Shared words / all words (words.h); the same words, in whatever order. */
double query_token_overlap(struct str a, struct str b);
bool query_same_words(struct str a, struct str b);
