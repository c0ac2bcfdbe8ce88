/* The method ips_snips_dr: another policy on logged decisions, and the arms of a bandit. */
#include <math.h>
#include <string.h>

#include "stats/offpolicy/adaptive.h"
#include "stats/offpolicy/replay.h"
#include "stats/xstat/xstat.h"

/* How far the probabilities of a policy may miss a sum of 1: they come rounded. */
#define SUM_TOLERANCE 1e-6
/* What sums of squares lose by rounding. */
#define SUM_ROUNDING 1e-14

/* Rows of numbers, all of the same length; or one row that is every row's: of a policy or a model that looks at nothing. */
struct matrix {
    const double *values;
    size_t width, step; /* 0: the same row again */
};

static struct matrix read_matrix(struct xstat_in *in, const char *key, size_t rows)
{
    size_t *lengths, n;
    struct matrix m = { .values = xstat_in_double_rows(in, key, &lengths, &n) };
    m.width = n ? lengths[0] : 0;
    m.step = n == 1 ? 0 : m.width;
    bool even = n == rows || n == 1;
    for (size_t i = 0; i < n; i++)
        even = even && lengths[i] == m.width;
    if (in->err.kind == ERR_NONE && !even)
        (void)err_set(&in->err, ERR_INVALID, "field \"%s\" is not %zu rows of one length, nor one row", key, rows);
    return m;
}

static bool check_policy(const double *pi, size_t width, size_t row, int64_t action, struct err *err)
{
    double sum = 0;
    for (size_t a = 0; a < width; a++) {
        if (!(pi[a] >= 0 && pi[a] <= 1))
            return err_set(err, ERR_INVALID, "pi_e of row %zu has %g, no probability", row + 1, pi[a]);
        sum += pi[a];
    }
    if (!(fabs(sum - 1) <= SUM_TOLERANCE))
        return err_set(err, ERR_INVALID, "pi_e of row %zu sums to %g, not 1", row + 1, sum);
    if (action < 0 || action >= (int64_t)width)
        return err_set(err, ERR_INVALID, "action of row %zu is %lld, none of %zu", row + 1, (long long)action, width);
    return true;
}

/* Actions, the other policy and the model of all of them, to what the log needs of each row. */
static bool read_model(struct xstat_in *in, struct replay_log *log, struct err *err)
{
    size_t n_actions;
    const int64_t *action = xstat_in_counts(in, "action", &n_actions);
    struct matrix pi = read_matrix(in, "pi_e", log->n), q = read_matrix(in, "q_hat", log->n);
    double *row = arena_zalloc(in->arena, (3 * log->n + 1) * sizeof *row);
    if (in->err.kind == ERR_NONE && (n_actions != log->n || pi.width != q.width))
        return err_set(err, ERR_INVALID, "%zu actions for %zu rows, %zu of pi_e for %zu of q_hat", n_actions, log->n,
                       pi.width, q.width);
    log->target = row;
    log->model = row + log->n;
    log->model_target = row + 2 * log->n;
    for (size_t i = 0; in->err.kind == ERR_NONE && i < log->n; i++) {
        const double *p = pi.values + i * pi.step, *of = q.values + i * q.step;
        if (!check_policy(p, pi.width, i, action[i], err))
            return false;
        row[i] = p[action[i]];
        row[log->n + i] = of[action[i]];
        for (size_t a = 0; a < pi.width; a++)
            row[2 * log->n + i] += p[a] * of[a];
    }
    return true;
}

static double read_tuning(struct xstat_in *in, const char *key)
{
    if (!xstat_in_has(in, key))
        return 0;
    double v = xstat_in_double(in, key);
    if (in->err.kind == ERR_NONE && !(v > 0))
        (void)err_set(&in->err, ERR_INVALID, "field \"%s\" is %g, not a number above 0", key, v);
    return v;
}

static bool read_log(struct xstat_in *in, struct replay_log *log, struct replay_tuning *t, struct err *err)
{
    size_t n_pscore, n_target;
    log->reward = xstat_in_doubles(in, "reward", &log->n);
    log->pscore = xstat_in_doubles(in, "pscore", &n_pscore);
    n_target = log->n;
    if (!xstat_in_has(in, "target_prob")) {
        if (!read_model(in, log, err))
            return false;
    } else {
        log->target = xstat_in_doubles(in, "target_prob", &n_target);
    }
    *t = (struct replay_tuning){ read_tuning(in, "clip"), read_tuning(in, "switch"), read_tuning(in, "shrink") };
    if (!xstat_in_end(in, err))
        return false;
    if (n_pscore != log->n || n_target != log->n)
        return err_set(err, ERR_INVALID, "%zu rewards for %zu propensities and %zu target probabilities", log->n,
                       n_pscore, n_target);
    return true;
}

static bool replay(struct xstat_in *in, json_t *out, struct err *err)
{
    struct replay_log log = { 0 };
    struct replay_tuning t;
    struct replay r;
    if (!read_log(in, &log, &t, err) || !replay_estimate(&log, &t, &r, err))
        return false;
    xstat_out_double(out, "ips", r.ips);
    xstat_out_double_if(out, "ips_se", r.has_se, r.ips_se);
    xstat_out_double_if(out, "snips", r.has_snips, r.snips);
    xstat_out_double_if(out, "snips_se", r.has_snips, r.snips_se);
    xstat_out_double(out, "ess", r.ess);
    xstat_out_double(out, "mean_weight", r.mean_weight);
    xstat_out_double(out, "max_weight", r.max_weight);
    if (t.clip > 0)
        xstat_out_double(out, "clipped_ips", r.clipped);
    if (!log.model)
        return true;
    xstat_out_double(out, "dm", r.dm);
    xstat_out_double(out, "dr", r.dr);
    xstat_out_double_if(out, "dr_se", r.has_se, r.dr_se);
    xstat_out_double_if(out, "sndr", r.has_snips, r.sndr);
    if (t.switch_at > 0)
        xstat_out_double(out, "switch_dr", r.switch_dr);
    if (t.shrink > 0)
        xstat_out_double(out, "dr_os", r.dr_os);
    return true;
}

/* ---- a bandit ---- */

/* One period: from counts, sums and sums of squares, for that is what logs have; moments from then on. */
static bool read_period(struct xstat_in *period, size_t arms, struct adaptive_cell *cells, int64_t *out_total,
                        struct err *err)
{
    size_t n_prob, n_n, n_sum, n_squares;
    *out_total = xstat_in_count(period, "n_total");
    const double *prob = xstat_in_doubles(period, "prob", &n_prob), *sum = xstat_in_doubles(period, "sum", &n_sum);
    const double *squares = xstat_in_doubles(period, "sum_sq", &n_squares);
    const int64_t *n = xstat_in_counts(period, "n", &n_n);
    if (!xstat_in_end(period, err))
        return false;
    if (n_prob != arms || n_n != arms || n_sum != arms || n_squares != arms)
        return err_set(err, ERR_INVALID, "a batch has %zu prob, %zu n, %zu sum and %zu sum_sq for %zu arms", n_prob,
                       n_n, n_sum, n_squares, arms);
    for (size_t i = 0; i < arms; i++) {
        double mean = n[i] > 0 ? sum[i] / (double)n[i] : 0, m2 = n[i] > 0 ? squares[i] - sum[i] * mean : 0;
        if (fabs(m2) <= SUM_ROUNDING * squares[i]) /* all values alike */
            m2 = 0;
        cells[i] = (struct adaptive_cell){ prob[i], { n[i], mean, m2 } };
    }
    return true;
}

static void write_values(const struct adaptive_value *v, size_t arms, json_t *out, struct arena *arena)
{
    double *row = arena_alloc(arena, (5 * arms + 1) * sizeof *row);
    for (size_t i = 0; i < arms; i++) {
        row[i] = v[i].ipw;
        row[arms + i] = v[i].has_units ? v[i].hajek : NAN;
        row[2 * arms + i] = v[i].has_units ? v[i].naive : NAN;
        row[3 * arms + i] = v[i].has_stratified ? v[i].stratified : NAN;
        row[4 * arms + i] = v[i].has_se ? v[i].stratified_se : NAN;
    }
    static const char *const names[] = { "ipw", "hajek", "naive", "stratified", "stratified_se" };
    for (size_t k = 0; k < COUNT_OF(names); k++)
        xstat_out_doubles(out, names[k], row + k * arms, arms);
}

static bool adaptive(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t arms, periods;
    (void)xstat_in_texts(in, "arms", &arms);
    struct xstat_in *batches = xstat_in_objects(in, "batches", &periods);
    if (!xstat_in_end(in, err))
        return false;
    struct adaptive_cell *cells = arena_alloc(in->arena, (periods * arms + 1) * sizeof *cells);
    int64_t *totals = arena_alloc(in->arena, (periods + 1) * sizeof *totals);
    struct adaptive_value *values = arena_alloc(in->arena, (arms + 1) * sizeof *values);
    for (size_t p = 0; p < periods; p++)
        if (!read_period(&batches[p], arms, cells + p * arms, &totals[p], err))
            return false;
    if (!adaptive_values(cells, totals, periods, arms, values, err))
        return false;
    write_values(values, arms, out, in->arena);
    return true;
}

bool xstat_ips_snips_dr(struct xstat_in *in, json_t *out, struct err *err)
{
    return xstat_in_has(in, "batches") ? adaptive(in, out, err) : replay(in, out, err);
}
