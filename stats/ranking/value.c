/* The values of the metrics: metric.c has their names. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/ranking/metric.h"

static bool check_scale(const struct ranking_query *q, struct err *err)
{
    if (!(q->max_grade > 0 && q->max_grade <= RANKING_GRADE_MAX))
        return err_set(err, ERR_INVALID, "max_grade is %g, not above 0 and up to %g", q->max_grade, RANKING_GRADE_MAX);
    if (!(q->relevant_at > 0) || !isfinite(q->relevant_at))
        return err_set(err, ERR_INVALID, "relevant_at is %g, not a grade above 0", q->relevant_at);
    return true;
}

static bool check_grade(double grade, size_t i, double max_grade, const char *whose, struct err *err)
{
    if (grade >= 0 && grade <= max_grade)
        return true;
    return err_set(err, ERR_INVALID, "grade %zu of the %s is %g, not from 0 to max_grade %g", i + 1, whose, grade,
                   max_grade);
}

static bool check_list(const struct ranking_query *q, struct err *err)
{
    for (size_t i = 0; i < q->n; i++)
        if (!(isnan(q->grades[i]) && q->unjudged != RANKING_UNJUDGED_REFUSED) &&
            !check_grade(q->grades[i], i, q->max_grade, "list", err))
            return false;
    for (size_t i = 0; i < q->judged_n; i++) {
        if (!check_grade(q->judged[i], i, q->max_grade, "judged documents", err))
            return false;
        if (i && q->judged[i] > q->judged[i - 1])
            return err_set(err, ERR_INVALID, "grade %zu of the judged documents is above the one before", i + 1);
    }
    return true;
}

static size_t count_relevant(const double *grades, size_t n, double relevant_at)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += grades[i] >= relevant_at;
    return count;
}

bool ranking_query_check(const struct ranking_query *q, struct err *err)
{
    if (!check_scale(q, err) || !check_list(q, err))
        return false;
    if (count_relevant(q->grades, q->n, q->relevant_at) > count_relevant(q->judged, q->judged_n, q->relevant_at))
        return err_set(err, ERR_INVALID, "the list has more relevant documents than all that are judged");
    return true;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

void ranking_sort_judged(double *judged, size_t n)
{
    if (n)
        qsort(judged, n, sizeof *judged, descending);
}

static int by_score(const void *a, const void *b)
{
    const struct ranking_scored *x = a, *y = b;
    float s = (float)x->score, t = (float)y->score;
    return s > t ? -1 : s < t ? 1 : strcmp(y->doc, x->doc);
}

void ranking_sort_scored(struct ranking_scored *docs, size_t n)
{
    if (n)
        qsort(docs, n, sizeof *docs, by_score);
}

/* A way down the list to rank k, past what the policy skips. */
struct walk {
    const struct ranking_query *q;
    size_t k, at; /* k 0: to the end */
    size_t rank;  /* of the document that walk_next found, from 1 */
    double grade;
};

static bool walk_next(struct walk *w)
{
    const struct ranking_query *q = w->q;
    while (q->unjudged == RANKING_UNJUDGED_SKIPPED && w->at < q->n && isnan(q->grades[w->at]))
        w->at++;
    if (w->at >= q->n || (w->k && w->rank >= w->k))
        return false;
    w->grade = isnan(q->grades[w->at]) ? 0 : q->grades[w->at];
    w->at++;
    w->rank++;
    return true;
}

static double gain(double grade, bool exponential)
{
    return exponential ? expm1(grade * M_LN2) : grade;
}

/* K. Järvelin, J. Kekäläinen, TOIS 20 (2002): Σ gain_i / log2(i + 1), ranks from 1; C. Burges et al., ICML 2005, for 2^g - 1. */
static double dcg(const struct ranking_query *q, size_t k, bool exponential)
{
    double sum = 0;
    for (struct walk w = { q, k, 0, 0, 0 }; walk_next(&w);)
        sum += gain(w.grade, exponential) / log2((double)(w.rank + 1));
    return sum;
}

static double ndcg(const struct ranking_query *q, size_t k, size_t ideal_k, bool exponential)
{
    struct ranking_query best = *q;
    best.grades = q->judged;
    best.n = q->judged_n;
    double ideal = dcg(&best, ideal_k, exponential);
    return ideal > 0 ? dcg(q, k, exponential) / ideal : 0;
}

/* O. Chapelle, D. Metzler, Y. Zhang, P. Grinspan, CIKM 2009: a reader goes down until satisfied, at rank i with R_i = (2^g - 1)/2^max. */
static double expected_rr(const struct ranking_query *q, size_t k, double max_grade)
{
    double sum = 0, left = 1;
    for (struct walk w = { q, k, 0, 0, 0 }; walk_next(&w);) {
        double satisfied = gain(fmin(w.grade, max_grade), true) * exp2(-max_grade);
        sum += left * satisfied / (double)w.rank;
        left *= 1 - satisfied;
    }
    return sum;
}

/* A. Moffat, J. Zobel, TOIS 27 (2008): a reader goes on to the next rank with probability p. */
static double rank_biased(const struct ranking_query *q, const struct ranking_metric *m, double relevant_at,
                          double max_grade)
{
    double sum = 0, weight = 1 - m->p;
    for (struct walk w = { q, m->k, 0, 0, 0 }; walk_next(&w); weight *= m->p) {
        if (m->measure == RANKING_RBP_GRADED)
            sum += weight * fmin(w.grade / max_grade, 1);
        else if (w.grade >= relevant_at)
            sum += weight;
    }
    return sum;
}

/* What is counted of the first k: relevant ones, the sum of the precisions at them, the first of them. */
struct hits {
    size_t relevant, walked, first;
    double precisions;
};

static struct hits count_hits(const struct ranking_query *q, size_t k, double relevant_at)
{
    struct hits h = { 0 };
    for (struct walk w = { q, k, 0, 0, 0 }; walk_next(&w); h.walked++) {
        if (w.grade < relevant_at)
            continue;
        if (h.first == 0)
            h.first = w.rank;
        h.relevant++;
        h.precisions += (double)h.relevant / (double)w.rank;
    }
    return h;
}

static double share(double part, size_t whole)
{
    return whole ? part / (double)whole : 0;
}

static double by_hits(const struct ranking_metric *m, const struct ranking_query *q, double relevant_at)
{
    size_t all = count_relevant(q->judged, q->judged_n, relevant_at);
    size_t k = m->measure == RANKING_R_PRECISION ? all : m->k;
    if (m->measure == RANKING_R_PRECISION && all == 0)
        return 0;
    struct hits h = count_hits(q, k, relevant_at);
    switch (m->measure) {
    case RANKING_MAP:
        return share(h.precisions, all);
    case RANKING_MRR:
        return share(1, h.first);
    case RANKING_RECALL:
        return share((double)h.relevant, all);
    case RANKING_SUCCESS:
        return h.relevant > 0;
    case RANKING_PRECISION_RETURNED:
        return share((double)h.relevant, h.walked);
    default:
        return share((double)h.relevant, k ? k : h.walked);
    }
}

static double judged_share(const struct ranking_query *q, size_t k)
{
    size_t n = k && k < q->n ? k : q->n, judged = 0;
    for (size_t i = 0; i < n; i++)
        judged += isnan(q->grades[i]) ? 0 : 1;
    return share((double)judged, n);
}

double ranking_metric_value(const struct ranking_metric *m, const struct ranking_query *q)
{
    assert(m->measure < RANKING_MEASURES);
    double max_grade = m->max_grade > 0 ? m->max_grade : q->max_grade;
    double relevant_at = m->relevant_at > 0 ? m->relevant_at : q->relevant_at;
    switch (m->measure) {
    case RANKING_NDCG:
    case RANKING_NDCG_BURGES:
        return ndcg(q, m->k, m->k, m->measure == RANKING_NDCG_BURGES);
    case RANKING_NDCG_BURGES_UNCUT:
        return ndcg(q, m->k, 0, true);
    case RANKING_DCG:
    case RANKING_DCG_BURGES:
        return dcg(q, m->k, m->measure == RANKING_DCG_BURGES);
    case RANKING_ERR:
        return expected_rr(q, m->k, max_grade);
    case RANKING_RBP:
    case RANKING_RBP_GRADED:
        return rank_biased(q, m, relevant_at, max_grade);
    case RANKING_JUDGED:
        return judged_share(q, m->k);
    case RANKING_MAP:
    case RANKING_MRR:
    case RANKING_PRECISION:
    case RANKING_PRECISION_RETURNED:
    case RANKING_R_PRECISION:
    case RANKING_RECALL:
    case RANKING_SUCCESS:
        return by_hits(m, q, relevant_at);
    case RANKING_MEASURES:
        break;
    }
    return 0;
}
