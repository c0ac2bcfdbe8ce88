#include "stats/ranking/ranking.h"

#include <math.h>
#include <stdlib.h>

/* 2^g must not overflow. */
#define GRADE_MAX 1000.0

static bool check_rules(const struct ranking_rules *r, struct err *err)
{
    if (r->k < 1)
        return err_set(err, ERR_INVALID, "k is %zu, a ranking has at least one rank", r->k);
    if (!(r->max_grade > 0 && r->max_grade <= GRADE_MAX))
        return err_set(err, ERR_INVALID, "max_grade is %g, not above 0 and up to %g", r->max_grade, GRADE_MAX);
    if (!(r->relevant_at > 0) || !isfinite(r->relevant_at))
        return err_set(err, ERR_INVALID, "relevant_at is %g, not a grade above 0", r->relevant_at);
    if (!(r->rbp_p > 0 && r->rbp_p < 1))
        return err_set(err, ERR_INVALID, "rbp_p is %g, not between 0 and 1", r->rbp_p);
    return true;
}

static bool check_grades(const double *grades, size_t n, double max_grade, const char *whose, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!(grades[i] >= 0 && grades[i] <= max_grade))
            return err_set(err, ERR_INVALID, "grade %zu of the %s is %g, not from 0 to max_grade %g", i + 1, whose,
                           grades[i], max_grade);
    return true;
}

static double gain(double grade, bool exponential)
{
    return exponential ? expm1(grade * M_LN2) : grade;
}

/* K. Järvelin, J. Kekäläinen, TOIS 20 (2002): Σ gain_i / log2(i + 1), ranks from 1; C. Burges et al., ICML 2005, for 2^g - 1. */
static double dcg(const double *grades, size_t n, size_t k, bool exponential)
{
    double sum = 0;
    for (size_t i = 0; i < n && i < k; i++)
        sum += gain(grades[i], exponential) / log2((double)(i + 2));
    return sum;
}

/* O. Chapelle, D. Metzler, Y. Zhang, P. Grinspan, CIKM 2009: a reader goes down until satisfied, at rank i with R_i = (2^g - 1)/2^max:
 * Σ (1/i) R_i ∏_{j<i} (1 - R_j). */
static double expected_rr(const double *grades, size_t n, const struct ranking_rules *r)
{
    double sum = 0, left = 1;
    for (size_t i = 0; i < n && i < r->k; i++) {
        double satisfied = gain(grades[i], true) * exp2(-r->max_grade);
        sum += left * satisfied / (double)(i + 1);
        left *= 1 - satisfied;
    }
    return sum;
}

/* Reciprocal rank; precision Σ rel/k; AP Σ P@i rel_i over the number of relevant judged ones; RBP (1 - p) Σ rel_i p^(i-1)
 * (A. Moffat, J. Zobel, TOIS 27, 2008). */
static void by_relevance(const double *grades, size_t n, double relevant, const struct ranking_rules *r,
                         struct ranking *out)
{
    double seen = 0, precisions = 0, persistence = 1 - r->rbp_p;
    for (size_t i = 0; i < n && i < r->k; i++, persistence *= r->rbp_p) {
        if (grades[i] < r->relevant_at)
            continue;
        double rank = (double)(i + 1);
        if (seen == 0)
            out->rr = 1 / rank;
        seen++;
        precisions += seen / rank;
        out->rbp += persistence;
    }
    out->precision = seen / (double)r->k;
    out->recall = relevant > 0 ? seen / relevant : 0;
    out->ap = relevant > 0 ? precisions / relevant : 0;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

static double count_relevant(const double *grades, size_t n, const struct ranking_rules *r)
{
    double count = 0;
    for (size_t i = 0; i < n; i++)
        count += grades[i] >= r->relevant_at;
    return count;
}

static double ratio_or_0(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

bool ranking_score(const double *grades, size_t n, double *judged, size_t judged_n, const struct ranking_rules *rules,
                   struct ranking *out, struct err *err)
{
    if (!check_rules(rules, err) || !check_grades(grades, n, rules->max_grade, "list", err) ||
        !check_grades(judged, judged_n, rules->max_grade, "judged documents", err))
        return false;
    double relevant = count_relevant(judged, judged_n, rules);
    if (count_relevant(grades, n, rules) > relevant)
        return err_set(err, ERR_INVALID, "the list has more relevant documents than all that are judged");
    if (judged_n)
        qsort(judged, judged_n, sizeof *judged, descending);
    *out = (struct ranking){
        .dcg_exp = dcg(grades, n, rules->k, true),
        .idcg_exp = dcg(judged, judged_n, rules->k, true),
        .dcg_lin = dcg(grades, n, rules->k, false),
        .idcg_lin = dcg(judged, judged_n, rules->k, false),
        .err = expected_rr(grades, n, rules),
    };
    out->ndcg_exp = ratio_or_0(out->dcg_exp, out->idcg_exp);
    out->ndcg_lin = ratio_or_0(out->dcg_lin, out->idcg_lin);
    by_relevance(grades, n, relevant, rules, out);
    return true;
}
