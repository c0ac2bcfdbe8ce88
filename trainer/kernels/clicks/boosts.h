/* boosts.h - pure: what a document's weight for a query is worth as a boost: by the classic expression, and as the share of clicks that is expected.
 *
 * Classic: ln(1 + weight), √weight, or the weight itself; on wish spread over a range, so that a query's best document gets its upper end.
 *
 * Calibrated: of a query's n signals k chose this document. A document's share is believed to be Beta(s·π, s·(1 − π)) before anything is known of the query,
 * where π is its share of all signals of all queries; so k is beta-binomial, and the share that is expected is the posterior's mean
 *
 *   (k + s·π) / (n + s)
 *
 * One signal says little, a hundred say nearly k/n, and all documents together have 1. (With all documents at once it is the Dirichlet-multinomial of MacKay and
 * Peto, Natural Language Engineering 1, 1995.) How much a belief is worth, s, is told by the data: with ρ = 1/(1 + s)
 *
 *   E Σ (k − nπ)² = (1 − Σπ²)·n·(1 + (n − 1)·ρ)                 over the documents of a query
 *
 * so ρ is the quotient of sums over queries, each over its n (Kleinman, JASA 68, 1973): the moments' estimate of overdispersion. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/intern.h"

enum boost_expression { BOOST_LOG, BOOST_SQRT, BOOST_LINEAR, BOOST_EXPRESSION_COUNT };
extern const char *const boost_expressions[]; /* their names, by number, ended by NULL */

struct boost_doc {
    struct str doc;
    double weight;
    uint64_t signals;
};
/* Under one set of filters; documents best first. `signals`: of all its documents, also those that are not listed. */
struct boost_query {
    struct str filters, query;
    uint64_t signals;
    const struct boost_doc *docs;
    uint32_t count;
};

/* u32 bytes behind it | texts filters, query | u64 signals | u32 documents, of each: text, f64 weight, u64 signals. Texts that are read are borrowed, documents
 * lie in the arena. */
void boost_query_write(struct buf *b, const struct boost_query *q);
bool boost_query_read(struct str *in, struct arena *arena, struct boost_query *out);

double boost_weight(enum boost_expression expression, double weight);
/* `best`: the greatest value among the query's documents. */
double boost_scaled(double value, double best, double low, double high);

/* What is believed before anything is known of a query. */
struct boost_prior {
    struct intern docs;
    uint64_t *signals; /* of each document */
    size_t room;
    uint64_t all;
    double strength; /* s */
};
void boost_prior_fit(struct boost_prior *p, const struct boost_query *queries, size_t count);
void boost_prior_release(struct boost_prior *p);
double boost_share(const struct boost_prior *p, const struct boost_query *q, const struct boost_doc *doc);
