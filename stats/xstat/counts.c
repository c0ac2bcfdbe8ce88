/* The methods on counts: two_proportion and chi_square_srm. */
#include <math.h>

#include "stats/exact.h"
#include "stats/proportion.h"
#include "stats/score.h"
#include "stats/special/special.h"
#include "stats/srm.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

static void write_tests(const struct proportions *c, double z, json_t *out)
{
    double d = proportion_difference(c), pooled = proportion_se_pooled(c), unpooled = proportion_se_unpooled(c);
    double log_p_pooled = pooled > 0 ? welch_log_p_normal(d / pooled)
                                     : 0; /* no variance under the null: d is 0, p is 1 */
    double log_p_unpooled = unpooled > 0 ? welch_log_p_normal(d / unpooled) : NAN;
    xstat_out_double(out, "p_c", (double)c->x_c / (double)c->n_c);
    xstat_out_double(out, "p_t", (double)c->x_t / (double)c->n_t);
    xstat_out_double(out, "diff", d);
    xstat_out_double(out, "se_pooled", pooled);
    xstat_out_double_if(out, "z_pooled", pooled > 0, d / pooled);
    xstat_out_double(out, "log_p_pooled", log_p_pooled);
    xstat_out_double(out, "p_pooled", exp(log_p_pooled));
    xstat_out_double_if(out, "log_p_pooled_greater", pooled > 0, pooled > 0 ? special_log_normal_q(d / pooled) : 0);
    xstat_out_double(out, "se_unpooled", unpooled);
    xstat_out_double_if(out, "z_unpooled", unpooled > 0, d / unpooled);
    xstat_out_double(out, "log_p_unpooled", log_p_unpooled);
    xstat_out_double(out, "p_unpooled", exp(log_p_unpooled));
    xstat_out_double(out, "wald_lo", d - z * unpooled);
    xstat_out_double(out, "wald_hi", d + z * unpooled);
    xstat_out_double(out, "g_stat", proportion_g(c));
}

static void write_ends(json_t *out, const char *lo, const char *hi, struct interval i)
{
    xstat_out_double(out, lo, i.lo);
    xstat_out_double(out, hi, i.hi);
}

static void write_arm_intervals(const struct proportions *c, double z, double alpha, json_t *out)
{
    double p_c = (double)c->x_c / (double)c->n_c, p_t = (double)c->x_t / (double)c->n_t;
    struct interval w_c = proportion_wilson(p_c, (double)c->n_c, z), w_t = proportion_wilson(p_t, (double)c->n_t, z);
    struct interval e_c = exact_clopper_pearson(c->x_c, c->n_c, alpha),
                    e_t = exact_clopper_pearson(c->x_t, c->n_t, alpha);
    xstat_out_pair(out, "wilson_c", w_c.lo, w_c.hi);
    xstat_out_pair(out, "wilson_t", w_t.lo, w_t.hi);
    xstat_out_pair(out, "clopper_pearson_c", e_c.lo, e_c.hi);
    xstat_out_pair(out, "clopper_pearson_t", e_t.lo, e_t.hi);
}

static void write_risk_ratio(const struct proportions *c, double z, json_t *out)
{
    double p_c = (double)c->x_c / (double)c->n_c, p_t = (double)c->x_t / (double)c->n_t;
    struct interval i;
    xstat_out_double_if(out, "rr", p_c > 0 || p_t > 0, p_c > 0 ? p_t / p_c : INFINITY);
    if (score_koopman(c, z, &i))
        xstat_out_pair(out, "rr_score", i.lo, i.hi);
    else
        xstat_out_null(out, "rr_score");
    if (proportion_katz(c, z, &i))
        xstat_out_pair(out, "rr_katz", i.lo, i.hi);
    else
        xstat_out_null(out, "rr_katz");
}

bool xstat_two_proportion(struct xstat_in *in, json_t *out, struct err *err)
{
    struct proportions c = { .x_c = xstat_in_count(in, "x_c"),
                             .n_c = xstat_in_count(in, "n_c"),
                             .x_t = xstat_in_count(in, "x_t"),
                             .n_t = xstat_in_count(in, "n_t") };
    double alpha = xstat_in_double(in, "alpha"), fisher;
    if (!xstat_in_end(in, err) || !proportion_check(&c, err) || !welch_check_alpha(alpha, err))
        return false;
    double z = special_normal_qinv(alpha / 2);
    write_tests(&c, z, out);
    write_ends(out, "newcombe_lo", "newcombe_hi", proportion_newcombe(&c, z));
    write_ends(out, "agresti_caffo_lo", "agresti_caffo_hi", proportion_agresti_caffo(&c, z));
    write_ends(out, "mn_lo", "mn_hi", score_miettinen_nurminen(&c, z));
    write_ends(out, "mee_lo", "mee_hi", score_mee(&c, z));
    write_arm_intervals(&c, z, alpha, out);
    write_risk_ratio(&c, z, out);
    if (exact_fisher_p(&c, &fisher)) /* left out where the tables are too many to sum */
        xstat_out_double(out, "fisher_p", fisher);
    return true;
}

/* ---- chi_square_srm ------------------------------------------------------------------------------------------------------ */

struct srm_input {
    size_t arms, batches;
    const int64_t *observed;
    const double *weights;
    const int64_t *batch; /* batches rows of `arms` counts; one row, the totals, when none were given */
    double concentration; /* 0: no sequential test asked for */
    bool exact;
};

static bool check_concentration(struct xstat_in *in, const struct srm_input *s, struct err *err)
{
    if (xstat_in_has(in, "concentration") && !(s->concentration > 0 && isfinite(s->concentration)))
        return err_set(err, ERR_INVALID, "the concentration is not a positive number");
    if (s->batch != s->observed && s->concentration == 0)
        return err_set(err, ERR_INVALID, "batches need a concentration");
    return true;
}

static bool check_batches(const struct srm_input *s, struct err *err)
{
    for (size_t arm = 0; arm < s->arms; arm++) {
        int64_t sum = 0;
        for (size_t b = 0; b < s->batches; b++) {
            int64_t count = s->batch[b * s->arms + arm];
            if (count < 0 || __builtin_add_overflow(sum, count, &sum))
                return err_set(err, ERR_INVALID, "a count of batch %zu is negative or too large", b + 1);
        }
        if (sum != s->observed[arm])
            return err_set(err, ERR_INVALID, "the batches of arm %zu do not sum to what was observed", arm + 1);
    }
    return true;
}

static bool read_srm(struct xstat_in *in, struct srm_input *s, struct err *err)
{
    size_t n_weights;
    *s = (struct srm_input){ .batches = 1 };
    s->observed = s->batch = xstat_in_counts(in, "observed", &s->arms);
    s->weights = xstat_in_doubles(in, "weights", &n_weights);
    s->concentration = xstat_in_double_or(in, "concentration", 0);
    if (xstat_in_has(in, "batches"))
        s->batch = xstat_in_count_rows(in, "batches", s->arms, &s->batches);
    s->exact = xstat_in_bool_or(in, "exact_binomial", false);
    if (!xstat_in_end(in, err))
        return false;
    if (s->arms != n_weights)
        return err_set(err, ERR_INVALID, "%zu counts for %zu weights", s->arms, n_weights);
    return check_concentration(in, s, err) && check_batches(s, err);
}

/* After each batch: the Bayes factor, and 1 over its largest value so far. */
static bool write_sequential(const struct srm_input *s, struct arena *arena, json_t *out, struct err *err)
{
    int64_t *sofar = arena_zalloc(arena, (s->arms + 1) * sizeof *sofar);
    double *log_bf = arena_alloc(arena, (s->batches + 1) * sizeof *log_bf),
           *p = arena_alloc(arena, (s->batches + 1) * sizeof *p);
    double smallest = 1, last = 0;
    for (size_t b = 0; b < s->batches; b++) {
        for (size_t arm = 0; arm < s->arms; arm++)
            sofar[arm] += s->batch[b * s->arms + arm];
        last = log_bf[b] = srm_log_bayes_factor(sofar, s->weights, s->arms, s->concentration);
        if (isnan(last))
            return err_set(err, ERR_INVALID, "concentration and weights are too small for a number");
        p[b] = smallest = fmin(smallest, exp(-last));
    }
    xstat_out_doubles(out, "log_bayes_factor", log_bf, s->batches);
    xstat_out_doubles(out, "sequential_p", p, s->batches);
    xstat_out_double(out, "posterior_prob_srm", 1 / (1 + exp(-last)));
    return true;
}

static void write_srm(const struct srm *srm, json_t *out)
{
    xstat_out_double(out, "df", srm->df);
    xstat_out_double(out, "chi2", srm->chi2);
    xstat_out_double(out, "log_p", srm->log_p);
    xstat_out_double(out, "p", srm->p);
    xstat_out_double(out, "g", srm->g);
    xstat_out_double(out, "log_p_g", srm->log_p_g);
}

bool xstat_chi_square_srm(struct xstat_in *in, json_t *out, struct err *err)
{
    struct srm_input s;
    struct srm srm;
    if (!read_srm(in, &s, err))
        return false;
    double *expected = arena_alloc(in->arena, (s.arms + 1) * sizeof *expected);
    if (!srm_test(s.observed, s.weights, s.arms, expected, &srm, err))
        return false;
    size_t positive = 0;
    int64_t total = 0;
    for (size_t i = 0; i < s.arms; i++) {
        total += s.observed[i];
        if (s.weights[i] > 0)
            expected[positive++] = expected[i];
    }
    xstat_out_count(out, "n_total", total);
    xstat_out_doubles(out, "expected", expected, positive);
    write_srm(&srm, out);
    if (s.exact && s.arms == 2 && s.weights[0] == s.weights[1])
        xstat_out_double(out, "log_p_binomial", srm_log_p_binomial(s.observed[0], s.observed[1]));
    return s.concentration <= 0 || write_sequential(&s, in->arena, out, err);
}
