#include "stats/bandit.h"

#include <assert.h>
#include <math.h>

#include "stats/ratio.h"

const char *const bandit_policy_names[] = {
    [BANDIT_THOMPSON] = "thompson",
    [BANDIT_TOP_TWO] = "top_two",
    [BANDIT_EPSILON_GREEDY] = "epsilon_greedy",
};
static_assert(sizeof bandit_policy_names / sizeof *bandit_policy_names == BANDIT_POLICY_COUNT,
              "a name for every policy");

/* Beyond these shapes a beta posterior is a normal one as far as weights of 1/10000 can tell, and far cheaper. */
#define SHAPE_NORMAL 1e6
/* One such arm among small ones costs too long for a decision. */
#define SHAPE_SLOW 1e8
#define SLACK 1e-9 /* of a floor times its arms, and of a share that rounding left outside 0 to 1 */

/* ---- what is believed ---- */

/* The mean of x (and of y) over all units, with the covariance matrix of the two means. */
struct stratified {
    double x, y, xx, yy, xy;
};

static bool check_cells(const struct moments2 *cells, size_t periods, size_t n, struct err *err)
{
    if (n < 2 || n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu arms, must be 2 to %d", n, BEST_ARMS_MAX);
    for (size_t i = 0; i < periods * n; i++) {
        const struct moments2 *m = &cells[i];
        if (!isfinite(m->mean_x) || !isfinite(m->m2_x) || !isfinite(m->mean_y) || !isfinite(m->m2_y) ||
            !isfinite(m->cxy))
            return err_set(err, ERR_INVALID, "arm %zu: the moments are not finite numbers", i % n + 1);
        if (m->n < 0 || m->m2_x < 0 || m->m2_y < 0)
            return err_set(err, ERR_INVALID, "arm %zu: a count or a variance is negative", i % n + 1);
    }
    return true;
}

static bool enough(const struct moments2 *row, size_t n, bool ratio)
{
    for (size_t i = 0; i < n; i++)
        if (row[i].n < BANDIT_PERIOD_UNITS_MIN || (ratio && row[i].mean_y == 0))
            return false;
    return true;
}

static size_t end_of(const struct moments2 *cells, size_t from, size_t periods, size_t n, bool ratio,
                     struct moments2 *out)
{
    size_t p = from;
    for (size_t i = 0; i < n; i++)
        out[i] = (struct moments2){ 0 };
    while (p < periods && (p == from || !enough(out, n, ratio))) {
        for (size_t i = 0; i < n; i++)
            moments2_merge(&out[i], &cells[p * n + i]);
        p++;
    }
    return p;
}

/* Adds one period, of share `share`, to every arm. */
static void add_period(struct stratified *s, const struct moments2 *row, size_t n, double share)
{
    for (size_t i = 0; i < n; i++) {
        double count = (double)row[i].n, of = share * share / count / (count - 1);
        s[i].x += share * row[i].mean_x;
        s[i].y += share * row[i].mean_y;
        s[i].xx += of * row[i].m2_x;
        s[i].yy += of * row[i].m2_y;
        s[i].xy += of * row[i].cxy;
    }
}

static double units_of(const struct moments2 *row, size_t n)
{
    double units = 0;
    for (size_t i = 0; i < n; i++)
        units += (double)row[i].n;
    return units;
}

size_t bandit_each_period(enum metric_kind kind, const struct moments2 *cells, size_t periods, size_t n,
                          bandit_period_fn take, void *arg)
{
    bool ratio = kind == METRIC_RATIO;
    struct moments2 row[BEST_ARMS_MAX], next[BEST_ARMS_MAX];
    size_t used = 0, at = end_of(cells, 0, periods, n, ratio, row);
    while (at < periods) {
        at = end_of(cells, at, periods, n, ratio, next);
        bool merge = !enough(next, n, ratio);
        if (!merge) {
            take(arg, row, n);
            used++;
        }
        for (size_t i = 0; i < n; i++) {
            if (merge)
                moments2_merge(&row[i], &next[i]);
            else
                row[i] = next[i];
        }
    }
    take(arg, row, n);
    return used + 1;
}

struct stratifying {
    struct stratified *s; /* of each arm */
    double all;           /* units */
};

static void stratify(void *arg, const struct moments2 *row, size_t n)
{
    struct stratifying *s = arg;
    add_period(s->s, row, n, units_of(row, n) / s->all);
}

/* Residuals of a ratio as in ratio_estimate, which is what this is for one period. */
static bool value_of(enum metric_kind kind, const struct stratified *s, double *out_value, double *out_variance,
                     struct err *err)
{
    *out_value = s->x;
    *out_variance = s->xx;
    if (kind != METRIC_RATIO)
        return true;
    if (s->y == 0)
        return err_set(err, ERR_INVALID, "the metric's denominator is 0: nothing that it counts has happened");
    double r = s->x / s->y, xx = s->xx / s->y / s->y, xy = r * (s->xy / s->y / s->y),
           yy = r * r * (s->yy / s->y / s->y);
    double residual = xx - 2 * xy + yy;
    *out_value = r;
    *out_variance = residual <= RATIO_NOISE * (xx + yy) ? 0 : residual;
    return isfinite(r) || err_set(err, ERR_INVALID, "the metric's ratio is not a finite number");
}

/* The beta posterior, from the uniform prior, of as many units as a share of this variance speaks for: p (1 - p) / variance, but never
 * more than there are. Of one period it is all of them. */
static void believe_share(double p, double variance, int64_t units, bool one_period, bool mirror, struct best_arm *out)
{
    p = fmin(1, fmax(0, p));
    double count = (double)units;
    if (!one_period && variance > 0)
        count = fmin(count, p * (1 - p) / variance);
    double yes = 1 + count * p, no = 1 + count * (1 - p);
    *out = mirror ? (struct best_arm){ no, yes } : (struct best_arm){ yes, no };
}

static void as_normal(struct bandit_beliefs *b)
{
    bool large = false;
    for (size_t i = 0; i < b->n; i++)
        large = large || fmax(b->arms[i].a, b->arms[i].b) > SHAPE_SLOW ||
                fmin(b->arms[i].a, b->arms[i].b) > SHAPE_NORMAL;
    b->family = large ? BEST_NORMAL : BEST_BETA;
    for (size_t i = 0; i < b->n; i++) {
        double a = b->arms[i].a, of = a + b->arms[i].b;
        b->sd[i] = sqrt(a / of * (b->arms[i].b / of) / (of + 1));
        if (large)
            b->arms[i] = (struct best_arm){ a / of, b->sd[i] };
    }
}

static bool believe_normal(struct bandit_beliefs *b, const double *variances, bool mirror, struct err *err)
{
    double within = 0, units = 0;
    for (size_t i = 0; i < b->n; i++) {
        within += variances[i] * (double)b->units[i] * (double)b->units[i];
        units += (double)b->units[i];
    }
    if (!(within > 0) || !isfinite(within))
        return err_set(err, ERR_INVALID, "no arm's units differ in the metric: there is nothing to learn from yet");
    for (size_t i = 0; i < b->n; i++) {
        b->sd[i] = sqrt(variances[i] > 0 ? variances[i] : within / units / (double)b->units[i]);
        b->arms[i] = (struct best_arm){ mirror ? -b->values[i] : b->values[i], b->sd[i] };
    }
    b->family = BEST_NORMAL;
    return true;
}

bool bandit_believe(enum metric_kind kind, const struct moments2 *cells, size_t periods, size_t n,
                    bool smaller_is_better, struct bandit_beliefs *out, struct err *err)
{
    struct stratified s[BEST_ARMS_MAX] = { 0 };
    struct bandit_beliefs b = { .n = n };
    double variances[BEST_ARMS_MAX], all = 0;
    if (!check_cells(cells, periods, n, err))
        return false;
    for (size_t c = 0; c < periods * n; c++) {
        b.units[c % n] += cells[c].n;
        all += (double)cells[c].n;
    }
    for (size_t i = 0; i < n; i++)
        if (b.units[i] < 2)
            return err_set(err, ERR_INVALID, "arm %zu has %lld units, at least 2 are needed", i + 1,
                           (long long)b.units[i]);
    struct stratifying by_period = { s, all };
    b.periods = bandit_each_period(kind, cells, periods, n, stratify, &by_period);
    for (size_t i = 0; i < n; i++) {
        if (!value_of(kind, &s[i], &b.values[i], &variances[i], err))
            return err_prefix(err, "arm %zu: ", i + 1);
        if (kind == METRIC_PROPORTION && !(b.values[i] >= -SLACK && b.values[i] <= 1 + SLACK))
            return err_set(err, ERR_INVALID, "arm %zu: the share %g is not between 0 and 1", i + 1, b.values[i]);
        if (kind == METRIC_PROPORTION)
            believe_share(b.values[i], variances[i], b.units[i], b.periods == 1, smaller_is_better, &b.arms[i]);
    }
    if (kind == METRIC_PROPORTION)
        as_normal(&b);
    else if (!believe_normal(&b, variances, smaller_is_better, err))
        return false;
    *out = b;
    return true;
}

/* ---- policies ---- */

bool bandit_check_rule(const struct bandit_rule *rule, size_t n, struct err *err)
{
    if (!(rule->floor >= 0 && rule->floor <= 1))
        return err_set(err, ERR_INVALID, "floor %g is not between 0 and 1", rule->floor);
    if (!(rule->epsilon >= 0 && rule->epsilon <= 1))
        return err_set(err, ERR_INVALID, "epsilon %g is not between 0 and 1", rule->epsilon);
    if (!(rule->beta >= 0 && rule->beta <= 1))
        return err_set(err, ERR_INVALID, "beta %g is not between 0 and 1", rule->beta);
    if (n < 2 || n > BEST_ARMS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu arms, must be 2 to %d", n, BEST_ARMS_MAX);
    return true;
}

/* ln Σ_{k≠j} w_k: 1 - w_j, also where w_j is 1 but for 1e-300. */
static double log_others(const struct best *best, size_t j)
{
    double top = -INFINITY, sum = 0;
    for (size_t k = 0; k < best->n; k++)
        top = k == j ? top : fmax(top, best->log_p[k]);
    for (size_t k = 0; k < best->n; k++)
        sum += k == j ? 0 : exp(best->log_p[k] - top);
    return top + log(sum);
}

void bandit_top_two(const struct best *best, double beta, double *out)
{
    for (size_t i = 0; i < best->n; i++)
        out[i] = beta * best->p[i];
    for (size_t j = 0; j < best->n; j++) {
        double others = log_others(best, j);
        for (size_t i = 0; i < best->n; i++)
            out[i] += i == j ? 0 : (1 - beta) * best->p[j] * exp(best->log_p[i] - others);
    }
}

void bandit_epsilon_greedy(const double *values, size_t n, double epsilon, double *out)
{
    size_t greedy = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = epsilon / (double)n;
        greedy = values[i] > values[greedy] ? i : greedy;
    }
    out[greedy] += 1 - epsilon;
}

void bandit_floor(double *weights, size_t n, double floor)
{
    double left = fmax(0, 1 - (double)n * floor);
    for (size_t i = 0; i < n; i++)
        weights[i] = left > 0 ? floor + left * weights[i] : 1 / (double)n;
}

/* Of the arms that may change by `step`, the one furthest from what is due to it. */
static size_t most_due(const double *weights, const int *steps, size_t n, int step, int least)
{
    size_t at = n;
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double due = (weights[i] * BANDIT_STEPS - steps[i]) * step;
        if (steps[i] + step < least || due <= most)
            continue;
        most = due;
        at = i;
    }
    assert(at < n);
    return at;
}

/* Starts from the least that each may have; what is over or missing is settled step by step. */
void bandit_round(double *weights, size_t n, double floor)
{
    int steps[BEST_ARMS_MAX], left = BANDIT_STEPS;
    int least = (int)ceil(floor * BANDIT_STEPS - SLACK), even = BANDIT_STEPS / (int)n;
    if (least > even)
        least = even;
    for (size_t i = 0; i < n; i++) {
        steps[i] = (int)fmax(least, trunc(weights[i] * BANDIT_STEPS));
        left -= steps[i];
    }
    for (int step = left > 0 ? 1 : -1; left != 0; left -= step)
        steps[most_due(weights, steps, n, step, least)] += step;
    for (size_t i = 0; i < n; i++)
        weights[i] = (double)steps[i] / BANDIT_STEPS;
}

/* Epsilon explores at least as much as the floor asks for; the other policies are mixed with equal weights. */
bool bandit_decide(const struct bandit_rule *rule, const struct bandit_beliefs *beliefs, struct bandit_decision *out,
                   struct err *err)
{
    struct bandit_decision d;
    size_t n = beliefs->n;
    double means[BEST_ARMS_MAX];
    if (!bandit_check_rule(rule, n, err) || !best_chances(beliefs->family, beliefs->arms, n, &d.best, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct best_arm *arm = &beliefs->arms[i];
        means[i] = beliefs->family == BEST_BETA ? arm->a / (arm->a + arm->b) : arm->a;
        d.weights[i] = d.best.p[i];
    }
    if (rule->policy == BANDIT_EPSILON_GREEDY)
        bandit_epsilon_greedy(means, n, fmin(1, fmax(rule->epsilon, (double)n * rule->floor)), d.weights);
    else if (rule->policy == BANDIT_TOP_TWO)
        bandit_top_two(&d.best, rule->beta, d.weights);
    if (rule->policy != BANDIT_EPSILON_GREEDY)
        bandit_floor(d.weights, n, rule->floor);
    bandit_round(d.weights, n, rule->floor);
    *out = d;
    return true;
}
