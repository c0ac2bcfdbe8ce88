/* The method ndcg_mrr_err: how good one ranking is. */
#include <string.h>

#include "stats/ranking/ranking.h"
#include "stats/xstat/xstat.h"

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
