/* synonym_pairs.h - pure: what documents say of pairs of queries that differ in one place (slot.h) → pairs of words or phrases, with a tested score.
 *
 * Of queries p and q with the same context, s(d) is the share of a query's clicks that went to document d:
 *
 *   overlap   Σ over documents min(s_p(d), s_q(d))
 *   inside    Σ over documents with SYNONYM_MAIN or more of q's clicks: s_p(d); how much of p lies where q mainly goes
 *
 * Of a pair of words they are means over its contexts, weighed by the clicks of the query with fewer. The test is G, the log-likelihood ratio of p's
 * clicks on and off q's documents beside those of all other queries (T. Dunning, Computational Linguistics 19, 1993), over all contexts together, the
 * lesser of both directions.
 *
 * Both mean the same when they overlap enough. Where they do not, but one lies inside the other, who searches for the narrow one is served by the wide
 * one, not the other way round. */
#pragma once
#include "base/buf.h"

#define SYNONYM_MAIN 0.2

struct synonym_rules {
    double min_overlap, min_inside; /* 0 … 1 */
    double min_g;
    uint64_t min_contexts;
    double z; /* of Wilson's lower bound */
};

/* Of one document that both queries led to. a stands in query_a, b in query_b. */
struct synonym_evidence {
    struct str a, b, context, query_a, query_b;
    uint64_t clicks_a, clicks_b;     /* on this document */
    uint64_t all_a, all_b;           /* on all of theirs */
    uint64_t reach_a, reach_b;       /* everybody's clicks on all of theirs */
    uint64_t searches_a, searches_b; /* of the queries */
};
void synonym_evidence_write(struct buf *out, const struct synonym_evidence *e);
bool synonym_evidence_read(struct str *in, struct synonym_evidence *out);

struct synonym {
    struct str input, output; /* input is the narrow one, or the one whose bytes come first */
    bool bidirectional;
    double confidence; /* the lower bound of overlap, or of inside */
    double overlap, inside, inside_back, g;
    uint64_t contexts, clicks_input, clicks_output, documents, searches;
    struct str context; /* one of them, as an example */
};
void synonym_write(struct buf *out, const struct synonym *s);
bool synonym_read(struct str *in, struct synonym *out);
/* The surest first, of as sure ones by text. */
int synonym_compare(const void *a, const void *b);

struct synonym_pairs;
struct synonym_pairs *synonym_pairs_new(void);
void synonym_pairs_free(struct synonym_pairs *p);
DEFINE_AUTO(struct synonym_pairs *, synonym_pairs_free)
/* In a fixed order: sums of doubles depend on it. */
void synonym_pairs_add(struct synonym_pairs *p, const struct synonym_evidence *e);
/* Calls fn for each pair that passes, in the order of their texts; all_clicks: of the log. */
typedef bool (*synonym_fn)(void *arg, const struct synonym *s, struct err *err);
bool synonym_pairs_finish(struct synonym_pairs *p, const struct synonym_rules *rules, uint64_t all_clicks,
                          synonym_fn fn, void *arg, struct err *err) MUSTCHECK;
