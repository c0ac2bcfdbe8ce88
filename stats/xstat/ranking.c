/* The methods ndcg_mrr_err and ranking_metrics: how good one ranking is; rank_similarity: how alike two lists are; judge_agreement: two judges;
 * paired_rankers: which of two rankers is better. */
#include <math.h>
#include <string.h>

#include "stats/ranking/agreement.h"
#include "stats/ranking/paired.h"
#include "stats/ranking/ranking.h"
#include "stats/ranking/similar.h"
#include "stats/xstat/xstat.h"

enum { GRADES_MAX = 100 };

static void write_ranking(const struct ranking *r, json_t *out)
{
    xstat_out_double(out, "dcg_exp", r->dcg_exp);
    xstat_out_double(out, "idcg_exp", r->idcg_exp);
    xstat_out_double(out, "ndcg_exp", r->ndcg_exp);
    xstat_out_double(out, "dcg_lin", r->dcg_lin);
    xstat_out_double(out, "idcg_lin", r->idcg_lin);
    xstat_out_double(out, "ndcg_lin", r->ndcg_lin);
    xstat_out_double(out, "rr", r->rr);
    xstat_out_double(out, "err", r->err);
    xstat_out_double(out, "precision", r->precision);
    xstat_out_double(out, "recall", r->recall);
    xstat_out_double(out, "ap", r->ap);
    xstat_out_double(out, "rbp", r->rbp);
    xstat_out_double(out, "success", r->success);
}

/* Without judgments of other documents those of the list are all there are. */
bool xstat_ndcg_mrr_err(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, judged_n;
    const double *grades = xstat_in_doubles(in, "grades", &n);
    double *judged;
    if (xstat_in_has(in, "all_grades")) {
        judged = xstat_in_doubles(in, "all_grades", &judged_n);
    } else {
        judged = arena_alloc(in->arena, (n + 1) * sizeof *judged);
        judged_n = n;
        memcpy(judged, grades, n * sizeof *judged);
    }
    int64_t k = xstat_in_count(in, "k");
    struct ranking_rules rules = { k > 0 ? (size_t)k : 0, xstat_in_double_or(in, "max_grade", 4),
                                   xstat_in_double_or(in, "relevant_at", 1), xstat_in_double_or(in, "rbp_p", 0.8),
                                   RANKING_UNJUDGED_REFUSED };
    struct ranking r;
    if (!xstat_in_end(in, err) || !ranking_score(grades, n, judged, judged_n, &rules, &r, err))
        return false;
    write_ranking(&r, out);
    return true;
}

/* A list as it is given: grades, or documents (in order, or with scores) and judgments. */
static size_t find_text(const char *const *texts, size_t n, const char *text)
{
    size_t i = 0;
    while (i < n && strcmp(texts[i], text) != 0)
        i++;
    return i;
}

static void read_graded(struct xstat_in *in, struct ranking_query *q)
{
    double *grades = xstat_in_doubles(in, "grades", &q->n), *judged;
    if (xstat_in_has(in, "all_grades")) {
        judged = xstat_in_doubles(in, "all_grades", &q->judged_n);
    } else {
        q->judged_n = q->n;
        judged = arena_alloc(in->arena, (q->n + 1) * sizeof *judged);
        memcpy(judged, grades, q->n * sizeof *judged);
    }
    ranking_sort_judged(judged, q->judged_n);
    q->grades = grades;
    q->judged = judged;
}

static void order_by_scores(struct xstat_in *in, const char **docs, size_t n)
{
    size_t n_scores;
    const double *scores = xstat_in_doubles(in, "scores", &n_scores);
    if (in->err.kind == ERR_NONE && n_scores != n)
        (void)err_set(&in->err, ERR_INVALID, "%zu scores for %zu documents", n_scores, n);
    if (in->err.kind != ERR_NONE)
        return;
    struct ranking_scored *scored = arena_alloc(in->arena, (n + 1) * sizeof *scored);
    for (size_t i = 0; i < n; i++)
        scored[i] = (struct ranking_scored){ docs[i], scores[i], i };
    for (size_t i = 0; i < n; i++)
        if (!isfinite(scores[i]))
            (void)err_set(&in->err, ERR_INVALID, "field \"scores\": score %zu is not a finite number", i + 1);
    ranking_sort_scored(scored, n);
    for (size_t i = 0; i < n; i++)
        docs[i] = scored[i].doc;
}

static void read_documents(struct xstat_in *in, struct ranking_query *q)
{
    size_t n_judged;
    const char **docs = xstat_in_texts(in, "docs", &q->n);
    const char **judged_docs = xstat_in_texts(in, "judged_docs", &n_judged);
    double *judged = xstat_in_doubles(in, "judged_grades", &q->judged_n);
    if (xstat_in_has(in, "scores"))
        order_by_scores(in, docs, q->n);
    if (in->err.kind == ERR_NONE && n_judged != q->judged_n)
        (void)err_set(&in->err, ERR_INVALID, "%zu grades for %zu judged documents", q->judged_n, n_judged);
    if (in->err.kind != ERR_NONE)
        return;
    double *grades = arena_alloc(in->arena, (q->n + 1) * sizeof *grades);
    for (size_t i = 0; i < q->n; i++) {
        size_t at = find_text(judged_docs, n_judged, docs[i]);
        grades[i] = at < n_judged ? judged[at] : (double)NAN;
        if (find_text(docs, i, docs[i]) < i)
            (void)err_set(&in->err, ERR_INVALID, "document \"%s\" stands twice in the list", docs[i]);
    }
    ranking_sort_judged(judged, q->judged_n);
    q->grades = grades;
    q->judged = judged;
}

static enum ranking_unjudged read_unjudged(struct xstat_in *in)
{
    const char *text = xstat_in_has(in, "unjudged") ? xstat_in_text(in, "unjudged") : "zero";
    for (int i = RANKING_UNJUDGED_ZERO; text && i < RANKING_UNJUDGED_COUNT; i++)
        if (strcmp(text, ranking_unjudged_names[i]) == 0)
            return (enum ranking_unjudged)i;
    (void)err_set(&in->err, ERR_INVALID, "field \"unjudged\" is not \"zero\" or \"skip\"");
    return RANKING_UNJUDGED_ZERO;
}

static bool write_metrics(const char *const *names, size_t n, const struct ranking_query *q, json_t *out,
                          struct err *err)
{
    json_t *canonical = json_array(), *values = json_array();
    (void)json_object_set_new(out, "names", canonical);
    (void)json_object_set_new(out, "values", values);
    for (size_t i = 0; i < n; i++) {
        struct ranking_metric m;
        char name[RANKING_METRIC_NAME_MAX];
        if (!ranking_metric_parse(names[i], &m, err))
            return false;
        ranking_metric_name(&m, name);
        (void)json_array_append_new(canonical, json_string(name));
        (void)json_array_append_new(values, json_real(ranking_metric_value(&m, q)));
    }
    return true;
}

bool xstat_ranking_metrics(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n;
    struct ranking_query q = { .max_grade = xstat_in_double_or(in, "max_grade", 4),
                               .relevant_at = xstat_in_double_or(in, "relevant_at", 1),
                               .unjudged = read_unjudged(in) };
    const char **names = xstat_in_texts(in, "metrics", &n);
    if (xstat_in_has(in, "grades"))
        read_graded(in, &q);
    else
        read_documents(in, &q);
    if (xstat_in_end(in, err) && ranking_query_check(&q, err))
        return write_metrics(names, n, &q, out, err);
    return false;
}

/* Numbers of documents: the place where each stands first in a, then b. */
static uint32_t *number_texts(struct xstat_in *in, const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
    uint32_t *items = arena_alloc(in->arena, (n_b + 1) * sizeof *items);
    for (size_t i = 0; i < n_b; i++) {
        size_t at = find_text(a, n_a, b[i]);
        items[i] = (uint32_t)(at < n_a ? at : n_a + find_text(b, n_b, b[i]));
        if (find_text(b, i, b[i]) < i)
            (void)err_set(&in->err, ERR_INVALID, "document \"%s\" stands twice in a list", b[i]);
    }
    return items;
}

static bool all_from_0(const int64_t *counts, size_t n)
{
    size_t i = 0;
    while (i < n && counts[i] >= 0)
        i++;
    return i == n;
}

static void write_frequency(struct xstat_in *in, json_t *out)
{
    size_t n_a, n_b;
    const int64_t *a = xstat_in_counts(in, "counts_a", &n_a), *b = xstat_in_counts(in, "counts_b", &n_b);
    if (in->err.kind == ERR_NONE && (n_a != n_b || !all_from_0(a, n_a) || !all_from_0(b, n_b)))
        (void)err_set(&in->err, ERR_INVALID, "the counts are not two lists of one length, from 0");
    if (in->err.kind == ERR_NONE)
        xstat_out_double(out, "frequency_weighted", similar_frequency((const uint64_t *)a, (const uint64_t *)b, n_a));
}

bool xstat_rank_similarity(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n_a, n_b;
    const char **a = xstat_in_texts(in, "a", &n_a), **b = xstat_in_texts(in, "b", &n_b);
    double p = xstat_in_double_or(in, "p", 0.9);
    if (xstat_in_has(in, "counts_a"))
        write_frequency(in, out);
    const uint32_t *items_a = number_texts(in, a, n_a, a, n_a), *items_b = number_texts(in, a, n_a, b, n_b);
    struct similar s;
    if (!xstat_in_end(in, err) || !similar_lists(items_a, n_a, items_b, n_b, p, &s, err))
        return false;
    xstat_out_double(out, "rbo_truncated", s.rbo_truncated);
    xstat_out_double(out, "rbo", s.rbo);
    xstat_out_double(out, "jaccard", s.jaccard);
    xstat_out_double(out, "overlap", s.overlap);
    xstat_out_count(out, "common", (int64_t)s.common);
    return true;
}

static bool write_kappa(struct xstat_in *in, json_t *out)
{
    int64_t grades = xstat_in_count(in, "grades");
    size_t rows = 0;
    double kappa = NAN;
    const int64_t *table = NULL;
    if (in->err.kind == ERR_NONE && (grades < 2 || grades > GRADES_MAX))
        (void)err_set(&in->err, ERR_INVALID, "grades is %lld, not from 2 to %d", (long long)grades, GRADES_MAX);
    if (in->err.kind == ERR_NONE)
        table = xstat_in_count_rows(in, "table", (size_t)grades, &rows);
    if (in->err.kind == ERR_NONE && (rows != (size_t)grades || !all_from_0(table, rows * rows)))
        (void)err_set(&in->err, ERR_INVALID, "table has %zu rows, not %lld of counts from 0", rows, (long long)grades);
    if (in->err.kind != ERR_NONE)
        return false;
    bool defined = agreement_kappa((const uint64_t *)table, rows, &kappa);
    xstat_out_double_if(out, "kappa", defined, kappa);
    return true;
}

static bool all_finite(const double *v, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(v[i]))
        i++;
    return i == n;
}

static bool write_tau(struct xstat_in *in, json_t *out)
{
    struct order_agreement a = { 0 };
    size_t *n_x, *n_y, rows_x, rows_y, at = 0;
    double tau = NAN;
    const double *x = xstat_in_double_rows(in, "x", &n_x, &rows_x), *y = xstat_in_double_rows(in, "y", &n_y, &rows_y);
    for (size_t i = 0; in->err.kind == ERR_NONE && i < rows_x; i++) {
        if (rows_x != rows_y || n_x[i] != n_y[i])
            return err_set(&in->err, ERR_INVALID, "x and y have not as many values for query %zu", i);
        if (!all_finite(x + at, n_x[i]) || !all_finite(y + at, n_x[i]))
            return err_set(&in->err, ERR_INVALID, "a value of query %zu is not finite", i);
        agreement_add(&a, x + at, y + at, n_x[i]);
        at += n_x[i];
    }
    if (in->err.kind != ERR_NONE)
        return false;
    bool defined = agreement_tau(&a, &tau);
    xstat_out_double_if(out, "tau", defined, tau);
    xstat_out_count(out, "concordant", (int64_t)a.concordant);
    xstat_out_count(out, "discordant", (int64_t)a.discordant);
    xstat_out_count(out, "tied_x", (int64_t)a.tied_x);
    xstat_out_count(out, "tied_y", (int64_t)a.tied_y);
    return true;
}

bool xstat_judge_agreement(struct xstat_in *in, json_t *out, struct err *err)
{
    if (xstat_in_has(in, "table"))
        (void)write_kappa(in, out);
    if (in->err.kind == ERR_NONE && (xstat_in_has(in, "x") || !xstat_in_has(in, "table")))
        (void)write_tau(in, out);
    return xstat_in_end(in, err);
}

static void write_paired(const struct paired *p, json_t *out)
{
    xstat_out_double(out, "mean_a", p->mean_a);
    xstat_out_double(out, "mean_b", p->mean_b);
    xstat_out_double(out, "diff", p->difference);
    xstat_out_double(out, "se", p->se);
    xstat_out_double(out, "ci_lo", p->ci_lo);
    xstat_out_double(out, "ci_hi", p->ci_hi);
    xstat_out_double(out, "bootstrap_lo", p->bootstrap_lo);
    xstat_out_double(out, "bootstrap_hi", p->bootstrap_hi);
    xstat_out_count(out, "wins", (int64_t)p->wins);
    xstat_out_count(out, "losses", (int64_t)p->losses);
    xstat_out_count(out, "ties", (int64_t)p->ties);
    xstat_out_double(out, "df", p->df);
    xstat_out_double_if(out, "t", p->varies, p->t);
    xstat_out_double_if(out, "log_p_t", p->varies, p->log_p_t);
    xstat_out_double(out, "log_p_randomisation", p->log_p_randomisation);
    xstat_out_bool(out, "exact", p->exact);
    xstat_out_double(out, "ranks_plus", p->ranks_plus);
    xstat_out_double(out, "ranks_minus", p->ranks_minus);
    xstat_out_double(out, "log_p_wilcoxon", p->log_p_wilcoxon);
    xstat_out_double(out, "log_p_sign", p->log_p_sign);
}

bool xstat_paired_rankers(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_b, n_w = 0;
    const double *a = xstat_in_doubles(in, "a", &n), *b = xstat_in_doubles(in, "b", &n_b), *weights = NULL;
    struct paired_rules rules = { xstat_in_double_or(in, "alpha", 0.05), PAIRED_DRAWS, 1 };
    if (xstat_in_has(in, "weights"))
        weights = xstat_in_doubles(in, "weights", &n_w);
    if (xstat_in_has(in, "draws"))
        rules.draws = (uint64_t)xstat_in_count(in, "draws");
    if (xstat_in_has(in, "seed"))
        rules.seed = (uint64_t)xstat_in_count(in, "seed");
    if (!xstat_in_end(in, err))
        return false;
    if (n != n_b || (weights && n != n_w))
        return err_set(err, ERR_INVALID, "the lists are of different lengths");
    struct paired p;
    size_t room = paired_room(n, &rules);
    double *scratch = rules.draws <= PAIRED_DRAWS_MAX ? arena_alloc(in->arena, (room + 1) * sizeof *scratch) : NULL;
    if (!paired_compare(a, b, weights, n, &rules, scratch, &p, err))
        return false;
    write_paired(&p, out);
    return true;
}
