/* click_labels.h - pure: what clicks on what was shown say of a query's documents: labels to learn from, and features.
 *
 * Of each document: n searches that it was shown in, c with a click on it, e = Σ p(place) how often its place was looked at, w = Σ over its clicks of 1/p(place), x = Σ of the
 * share of clicks that its places have whatever lies there. p is at least 1/clip. With a, a number of searches that are known before:
 *
 *   none   (c + a x/n) / (n + a)    what is clicked; documents that were shown above others look better than they are
 *   ips    (w + a x/e) / (n + a)    inverse propensity scoring: right on average whatever was shown where, and noisy (Joachims, Swaminathan and Schnabel, WSDM 2017)
 *   ratio  (c + a x/e) / (e + a)    the same expectation where p is what the position-based model says, with much less noise
 *
 * x/e is what documents at these places are worth on average, by the same correction: so who was hardly looked at is believed to be as good as its like, and not as
 * good as those at the top.
 * Sums go in the order of patterns. */
#pragma once
#include "trainer/kernels/serps/serp_record.h"

enum click_debias { DEBIAS_NONE, DEBIAS_IPS, DEBIAS_RATIO, DEBIAS_COUNT };
extern const char *const click_debias_names[DEBIAS_COUNT];

struct click_rules {
    enum click_debias debias;
    double examination[SERP_DOCS_MAX]; /* by place; 1 where nothing is known */
    double clip, prior;
};
struct click_places { /* of all queries */
    double shown[SERP_DOCS_MAX], clicks[SERP_DOCS_MAX];
};
void click_places_add(struct click_places *p, const struct serp_query *q);

struct click_sums {
    double shown, clicks, looked, weight, expected; /* n, c, e, w, x */
};
/* Adds to out[i] what was seen of q->docs[i]. `places`: of all queries; NULL: expected stays. */
void click_sums_add(const struct serp_query *q, const struct click_rules *rules, const struct click_places *places,
                    struct click_sums *out);
void click_sums_total(const struct click_sums *sums, size_t count, struct click_sums *into);
/* From 0; x was counted. */
double click_label(const struct click_sums *s, const struct click_rules *rules);

/* How sure that is: the looks, or searches, that it rests on, with those that are known before. */
double click_evidence(const struct click_sums *s, const struct click_rules *rules);

/* Features that are counted from clicks, of the document for the query, and of the document whatever the query. */
enum click_feature {
    CLICK_CLICKS,
    CLICK_IMPRESSIONS,
    CLICK_CTR,
    CLICK_COEC,
    CLICK_DOC_CLICKS,
    CLICK_DOC_IMPRESSIONS,
    CLICK_DOC_CTR,
    CLICK_DOC_COEC,
    CLICK_FEATURES
};
extern const char
    *const click_feature_names[CLICK_FEATURES]; /* "clicks", "impressions", "ctr", "coec", "doc_clicks", … */
/* `query`, NULL: the document was not shown for the query; `doc`: all queries. */
float click_feature_value(enum click_feature f, const struct click_sums *query, const struct click_sums *doc,
                          const struct click_sums *total);
