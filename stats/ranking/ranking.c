#include "stats/ranking/ranking.h"

static bool check_rules(const struct ranking_rules *r, struct err *err)
{
    if (r->k < 1)
        return err_set(err, ERR_INVALID, "k is %zu, a ranking has at least one rank", r->k);
    if (!(r->rbp_p > 0 && r->rbp_p < 1))
        return err_set(err, ERR_INVALID, "rbp_p is %g, not between 0 and 1", r->rbp_p);
    return true;
}

static double of(enum ranking_measure measure, const struct ranking_rules *r, const struct ranking_query *q)
{
    const struct ranking_metric m = { .measure = measure, .k = r->k, .p = r->rbp_p };
    return ranking_metric_value(&m, q);
}

bool ranking_score(const double *grades, size_t n, double *judged, size_t judged_n, const struct ranking_rules *rules,
                   struct ranking *out, struct err *err)
{
    const struct ranking_query q = {
        grades, n, judged, judged_n, rules->max_grade, rules->relevant_at, rules->unjudged
    };
    const struct ranking_query best = {
        judged, judged_n, judged, judged_n, rules->max_grade, rules->relevant_at, RANKING_UNJUDGED_REFUSED
    };
    if (!check_rules(rules, err))
        return false;
    ranking_sort_judged(judged, judged_n);
    if (!ranking_query_check(&q, err))
        return false;
    *out = (struct ranking){
        .dcg_exp = of(RANKING_DCG_BURGES, rules, &q),
        .idcg_exp = of(RANKING_DCG_BURGES, rules, &best),
        .ndcg_exp = of(RANKING_NDCG_BURGES, rules, &q),
        .dcg_lin = of(RANKING_DCG, rules, &q),
        .idcg_lin = of(RANKING_DCG, rules, &best),
        .ndcg_lin = of(RANKING_NDCG, rules, &q),
        .rr = of(RANKING_MRR, rules, &q),
        .err = of(RANKING_ERR, rules, &q),
        .precision = of(RANKING_PRECISION, rules, &q),
        .recall = of(RANKING_RECALL, rules, &q),
        .ap = of(RANKING_MAP, rules, &q),
        .rbp = of(RANKING_RBP, rules, &q),
        .success = of(RANKING_SUCCESS, rules, &q),
        .judged = of(RANKING_JUDGED, rules, &q),
    };
    return true;
}
