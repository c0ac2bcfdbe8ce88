#include "stats/interleave/preference.h"

#include <math.h>

#include "stats/exact.h"
#include "stats/moments.h"
#include "stats/ratio.h"
#include "stats/special/special.h"
#include "stats/srm.h"
#include "stats/welch.h"

bool preference_check(const struct preference_counts *c, struct err *err)
{
    const int64_t counts[] = { c->wins_a, c->wins_b, c->ties };
    const char *const names[] = { "wins_a", "wins_b", "ties" };
    for (size_t i = 0; i < 3; i++) {
        if (counts[i] < 0)
            return err_set(err, ERR_INVALID, "the count %s is negative", names[i]);
        if (counts[i] > PROPORTION_COUNT_MAX)
            return err_set(err, ERR_INVALID, "the count %s is more than 2^53", names[i]);
    }
    return true;
}

bool preference_test(const struct preference_counts *c, double alpha, struct preference *out, struct err *err)
{
    if (!preference_check(c, err) || !welch_check_alpha(alpha, err))
        return false;
    double a = (double)c->wins_a, b = (double)c->wins_b, ties = (double)c->ties, decided = a + b, all = decided + ties;
    double difference = (double)(c->wins_a - c->wins_b), critical = special_normal_qinv(alpha / 2);
    struct preference p = { .has_z = decided > 0, .has_delta = all > 0, .has_se = all > 1 };
    p.log_p = srm_log_p_binomial(c->wins_a, c->wins_b);
    if (p.has_z) {
        p.z = difference / sqrt(decided);
        p.log_p_normal = welch_log_p_normal(p.z);
        p.share = a / decided;
        p.share_ci = exact_clopper_pearson(c->wins_a, c->wins_a + c->wins_b, alpha);
    }
    if (p.has_delta)
        p.delta = difference / 2 / all;
    if (p.has_se) {
        p.delta_se = sqrt((a * b + ties * decided / 4) / (all - 1)) / all;
        p.delta_ci = (struct interval){ p.delta - critical * p.delta_se, p.delta + critical * p.delta_se };
    }
    *out = p;
    return true;
}

static bool check_users(const double *scores, const size_t *queries, size_t users, struct err *err)
{
    if (users < 2)
        return err_set(err, ERR_INVALID, "%zu users, at least 2 are needed", users);
    for (size_t u = 0; u < users; u++) {
        if (queries[u] == 0)
            return err_set(err, ERR_INVALID, "user %zu has no query", u + 1);
        for (size_t q = 0; q < queries[u]; q++, scores++)
            if (!(*scores >= -1 && *scores <= 1))
                return err_set(err, ERR_INVALID, "score %zu of user %zu is not between -1 and 1", q + 1, u + 1);
    }
    return true;
}

static double sum(const double *x, size_t n, double minus)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += x[i] - minus;
    return total;
}

static void test_mean(const struct moments *m, struct preference_users *p)
{
    double df = (double)m->n - 1;
    p->se = sqrt(moments_variance(m) / (double)m->n);
    p->t = p->log_p = NAN;
    if (p->se > 0) {
        p->t = p->mean / p->se;
        p->log_p = fmin(0, M_LN2 + special_log_t_q(fabs(p->t), df));
    }
}

bool preference_users(const double *scores, const size_t *queries, size_t users, struct preference_users *out,
                      struct err *err)
{
    if (!check_users(scores, queries, users, err))
        return false;
    struct moments m = { 0 };
    double total = 0, all = 0, clustered = 0, n = (double)users;
    for (size_t u = 0, at = 0; u < users; at += queries[u++]) {
        double s = sum(scores + at, queries[u], 0);
        moments_add(&m, s / (double)queries[u]);
        total += s;
        all += (double)queries[u];
    }
    struct preference_users p = { .mean = m.mean, .query_mean = total / all };
    for (size_t u = 0, at = 0; u < users; at += queries[u++]) {
        double s = sum(scores + at, queries[u], p.query_mean);
        clustered += s * s;
    }
    p.query_se = sqrt(clustered * n / (n - 1)) / all;
    test_mean(&m, &p);
    *out = p;
    return true;
}

bool preference_moments(const struct moments *means, const struct moments2 *sums, struct preference_users *out,
                        struct err *err)
{
    struct estimate ratio;
    if (means->n != sums->n)
        return err_set(err, ERR_INVALID, "means of %lld units, and sums of %lld", (long long)means->n,
                       (long long)sums->n);
    if (means->n < 2)
        return err_set(err, ERR_INVALID, "%lld units, at least 2 are needed", (long long)means->n);
    if (!(fabs(means->mean) <= 1) || !(means->m2 >= 0))
        return err_set(err, ERR_INVALID, "no scores between -1 and 1 have mean %g and squared deviations %g",
                       means->mean, means->m2);
    if (!ratio_estimate(sums, &ratio, err))
        return false;
    struct preference_users p = { .mean = means->mean, .query_mean = ratio.value, .query_se = sqrt(ratio.variance) };
    test_mean(means, &p);
    *out = p;
    return true;
}
