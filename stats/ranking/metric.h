/* metric.h - ranking metrics by name: "ndcg@10", "err(max=4)@20", "rbp(p=0.8)", "precision_returned@5".
 *
 * One table for jobs, gates, pages and xstat. What a name says without more is what trec_eval says of it; where SRW, Quepid, gdeval or ranx differ, the
 * difference has a name of its own. Names are those of the table, or their aliases as trec_eval (ndcg_cut_10, P_5, recip_rank) and ir_measures (nDCG@10, AP(rel=2), RR)
 * write them; upper and lower case are the same. In parentheses, separated by commas: p (persistence of rbp), max (the best grade of err and rbp_graded),
 * rel (the grade from which a document is relevant); what is not given is that of the query. After @: the rank at which the list is cut, absent: nowhere.
 *
 *   name                 value                                                                of an empty list, or no relevant document: 0
 *   ndcg                 Σ g_i/log2(i + 1) over the same of the best order, cut at k too       trec_eval ndcg, ndcg_cut; ir_measures nDCG; ranx ndcg
 *   ndcg_burges          the same with gains 2^g - 1                                           SRW; ranx ndcg_burges; most learning to rank
 *   ndcg_burges_uncut    the same, the best order not cut                                      Quepid's ndcg@10
 *   dcg, dcg_burges      the sums themselves
 *   map                  Σ P@i rel_i over all relevant ones                                    trec_eval map, map_cut
 *   mrr                  1/rank of the first relevant one                                      trec_eval recip_rank
 *   err                  Σ (1/i) R_i ∏_{j<i} (1 - R_j), R = (2^g - 1)/2^max                    gdeval has max 4, Quepid the scorer's
 *   precision            relevant ones over k, whatever the length (without k: over the length) trec_eval P, set_P
 *   precision_returned   relevant ones over min(k, length)                                     SRW, Quepid
 *   r_precision          precision at the number of relevant ones                              trec_eval Rprec
 *   recall               relevant ones over all relevant ones                                  trec_eval recall
 *   rbp                  (1 - p) Σ rel_i p^(i-1)                                               ir_measures RBP(rel=…), p 0.8
 *   rbp_graded           (1 - p) Σ (g_i/max) p^(i-1)
 *   success              1 when any is relevant                                                trec_eval success
 *   judged               judged ones over min(k, length)                                       SRW's coverage; ir_measures Judged
 *
 * Pure; values in, values out; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum ranking_measure {
    RANKING_NDCG,
    RANKING_NDCG_BURGES,
    RANKING_NDCG_BURGES_UNCUT,
    RANKING_DCG,
    RANKING_DCG_BURGES,
    RANKING_MAP,
    RANKING_MRR,
    RANKING_ERR,
    RANKING_PRECISION,
    RANKING_PRECISION_RETURNED,
    RANKING_R_PRECISION,
    RANKING_RECALL,
    RANKING_RBP,
    RANKING_RBP_GRADED,
    RANKING_SUCCESS,
    RANKING_JUDGED,
    RANKING_MEASURES
};
extern const char *const ranking_measure_names[]; /* ends with NULL */

enum { RANKING_METRIC_NAME_MAX = 96, RANKING_K_MAX = 1000000 };
#define RANKING_GRADE_MAX 1000.0 /* 2^g must not overflow */
#define RANKING_RBP_P 0.8

struct ranking_metric {
    enum ranking_measure measure;
    size_t k;           /* 0: the whole list */
    double p;           /* of rbp */
    double max_grade;   /* 0: the query's */
    double relevant_at; /* 0: the query's */
};

/* What a document in the list that nobody judged counts as. */
enum ranking_unjudged {
    RANKING_UNJUDGED_REFUSED, /* there is none: the caller knows a grade for each */
    RANKING_UNJUDGED_ZERO,    /* not relevant, as trec_eval has it */
    RANKING_UNJUDGED_SKIPPED, /* as if it were not in the list (trec_eval -J; "condensed list", T. Sakai, SIGIR 2007); "judged" still sees it */
    RANKING_UNJUDGED_COUNT
};
extern const char *const ranking_unjudged_names[]; /* "refused", "zero", "skip"; ends with NULL */

/* One query: a list and what was judged. */
struct ranking_query {
    const double *grades; /* of the list in rank order, from 0; NaN: not judged */
    size_t n;
    const double *judged; /* grades of all judged documents in descending order, those of the list among them */
    size_t judged_n;
    double max_grade;   /* of the scale, above 0 */
    double relevant_at; /* grades from here on are relevant, above 0 */
    enum ranking_unjudged unjudged;
};

/* False: the text says what is wrong with the name. */
bool ranking_metric_parse(const char *name, struct ranking_metric *out, struct err *err) MUSTCHECK;
/* The canonical name: parsing it gives the same metric. out has room for RANKING_METRIC_NAME_MAX. */
void ranking_metric_name(const struct ranking_metric *m, char *out);
/* May a value of it be above 1? dcg only. */
bool ranking_metric_unbounded(const struct ranking_metric *m);

/* Sorts grades as `judged` wants them. */
void ranking_sort_judged(double *judged, size_t n);
/* Refuses scales and grades outside of what is said above, an order that is none, more relevant documents in the list than were judged, and documents that
 * are not judged where the policy is that there are none. */
bool ranking_query_check(const struct ranking_query *q, struct err *err) MUSTCHECK;
/* Of a query that was checked. Never NaN. */
double ranking_metric_value(const struct ranking_metric *m, const struct ranking_query *q);

/* A document with its score, as a TREC run file has it. */
struct ranking_scored {
    const char *doc;
    double score;
    size_t at; /* the caller's: what moves with it */
};
/* trec_eval's order, whatever the ranks of the file say: score descending, as float32 (it reads them so); of equal ones the document id descending, by bytes. */
void ranking_sort_scored(struct ranking_scored *docs, size_t n);
