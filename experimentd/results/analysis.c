#include "experimentd/results/analysis.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/looks.h"
#include "metric/metric.h"
#include "stats/bayes/beta.h"
#include "stats/bayes/normal.h"

const char *const outcome_names[] = {
    [OUTCOME_NONE] = "none",       [OUTCOME_BETTER] = "better",
    [OUTCOME_WORSE] = "worse",     [OUTCOME_NO_DIFFERENCE] = "no_difference",
    [OUTCOME_NOT_YET] = "not_yet",
};
static_assert(sizeof outcome_names / sizeof *outcome_names == OUTCOME_COUNT, "a name for every outcome");
const char *const test_family_names[] = {
    [TEST_PRIMARY] = "primary metrics of the variant",
    [TEST_SECONDARY] = "secondary metrics of the variant, after its primary ones",
    [TEST_GUARDRAIL] = "guardrails of all variants",
    [TEST_ALL] = "primary and secondary metrics of all variants",
    [TEST_ALONE] = "by itself",
};
static_assert(sizeof test_family_names / sizeof *test_family_names == TEST_FAMILY_COUNT, "a name for every family");

/* Posteriors of larger counts are as good as normal, and much faster to integrate. */
enum { BELIEF_COUNT_MAX = 1000000 };

/* ---- what was declared ---- */

double result_level(const struct result *r)
{
    return r->experiment->analysis.level;
}

struct compare_plan result_plan(const struct result *r)
{
    const struct experiment_analysis *a = &r->experiment->analysis;
    return (struct compare_plan){ a->level, a->method == ANALYSIS_ANY_TIME ? (double)a->planned_units : 0 };
}

const struct experiment_metric *result_setting(const struct result *r, const struct result_metric *m)
{
    static const struct experiment_metric none;
    const struct snapshot_experiment *e = r->experiment;
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].metric, m->metric->key))
            return &e->metrics[i];
    return &none;
}

bool result_wants_increase(const struct result_metric *m)
{
    return str_eq(m->metric->direction, STR("increase"));
}

bool result_ended(const struct result *r)
{
    const struct snapshot_experiment *e = r->experiment;
    const struct experiment_analysis *a = &e->analysis;
    int64_t day_us = 24 * 3600 * US_PER_SECOND, ran_us = r->as_of_us - e->phase_started_us;
    if (e->status != EXPERIMENT_RUNNING)
        return true;
    if (a->method == ANALYSIS_GROUP_SEQUENTIAL)
        return !looks_next(e).any;
    if (a->planned_units && r->units >= a->planned_units)
        return true;
    return a->method == ANALYSIS_FIXED && a->planned_days && ran_us >= a->planned_days * day_us;
}

/* ---- one comparison ---- */

static bool by_counts(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                      struct analysed *cell)
{
    struct arm c = result_compared_arm(m, result_arm(m, 0)), t = result_compared_arm(m, result_arm(m, variant));
    struct proportions counts;
    return r->experiment->analysis.method == ANALYSIS_FIXED && !r->experiment->live_weights && c.m.n > 1 && t.m.n > 1 &&
           compare_few(&c, &t, &counts) && compare_counts(&counts, alpha, &cell->c, &cell->log_p_exact, NULL);
}

static const char *planned_method(enum effect_by by)
{
    return by == EFFECT_PLAIN
               ? "planned looks with alpha spending on units; the interval is the repeated one, right at every "
                 "look; Fieller interval of the lift"
               : "planned looks with alpha spending on adjusted units; the interval is the repeated one, right "
                 "at every look; Fieller interval of the lift";
}

static bool by_effect(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                      struct arena *arena, struct analysed *cell, struct err *err)
{
    struct compare_plan plan = result_plan(r);
    struct effect bare;
    if (!result_effect(r, m, variant, arena, &cell->effect, &bare, &cell->not_adjusted, err) ||
        !compare_effect(&cell->effect, &plan, alpha, &cell->c, err))
        return false;
    cell->has_effect = true;
    cell->has_plain = cell->effect.by != EFFECT_PLAIN && compare_effect(&bare, &plan, alpha, &cell->plain, NULL);
    cell->method = stats_compare_method(m->kind, &plan);
    return true;
}

/* The metric's author may ask for more units than the methods need. */
static bool enough_units(const struct result_metric *m, size_t variant, struct err *err)
{
    int64_t least = m->metric->def ? m->metric->def->min_units : 0;
    return (result_arm(m, 0)->m.n >= least && result_arm(m, variant)->m.n >= least) ||
           err_set(err, ERR_INVALID, "too early to look: the metric asks for %lld units in every variant",
                   (long long)least);
}

static bool compare(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                    struct arena *arena, struct analysed *cell, struct err *err)
{
    cell->log_p_exact = NAN;
    if (!enough_units(m, variant, err))
        return false;
    if (r->experiment->analysis.method == ANALYSIS_GROUP_SEQUENTIAL) {
        if (!looks_read(r, m, variant, alpha, arena, cell, err))
            return false;
        cell->method = planned_method(cell->effect.by);
        return true;
    }
    if (!by_counts(r, m, variant, alpha, cell))
        return by_effect(r, m, variant, alpha, arena, cell, err);
    cell->method = cell->c.method;
    return true;
}

/* ---- what follows from it ---- */

/* The far end of an interval on the bad side, as a number that grows as things get better. */
static double worst_of(const struct compare_margin *m, const struct comparison *c)
{
    double lo = m->absolute > 0 ? c->ci_lo : c->lift_lo, hi = m->absolute > 0 ? c->ci_hi : c->lift_hi;
    return m->increase ? lo : -hi;
}

static double best_of(const struct compare_margin *m, const struct comparison *c)
{
    double lo = m->absolute > 0 ? c->ci_lo : c->lift_lo, hi = m->absolute > 0 ? c->ci_hi : c->lift_hi;
    return m->increase ? hi : -lo;
}

/* Shares of few have no standard error of the distance to a margin: their intervals say it. */
static void margin_of_counts(struct analysed *cell)
{
    const struct compare_margin *m = &cell->margin;
    double allowed = m->absolute > 0 ? m->absolute : m->relative;
    if (!(m->absolute > 0) && cell->c.lift_kind != LIFT_BOUNDED)
        return;
    cell->has_margin = true;
    cell->inferiority = (struct compare_inferiority){ .z = NAN,
                                                      .log_p = NAN,
                                                      .not_worse = worst_of(m, &cell->c) > -allowed,
                                                      .worse = best_of(m, &cell->adjusted) < -allowed };
}

/* All guardrails must pass, so "not worse" needs no correction; that one is worse is one claim of many. */
static void add_margin(const struct result *r, const struct result_metric *m, double alpha, struct analysed *cell)
{
    const struct experiment_metric *s = result_setting(r, m);
    struct compare_plan plan = result_plan(r);
    struct comparison strict = { .se = 0 };
    double critical = cell->looks.bound, corrected = critical;
    cell->margin = (struct compare_margin){ s->margin, s->margin_absolute, result_wants_increase(m) };
    if (!(s->margin > 0 || s->margin_absolute > 0))
        return;
    if (!cell->has_effect) {
        margin_of_counts(cell);
        return;
    }
    if (cell->has_looks && !looks_at_level(r, cell, cell->alpha_adjusted, &strict, NULL))
        return;
    if (cell->has_looks)
        corrected = (strict.ci_hi - strict.ci_lo) / (2 * strict.se);
    else if (!compare_critical(&cell->effect, &plan, alpha, &critical, NULL) ||
             !compare_critical(&cell->effect, &plan, cell->alpha_adjusted, &corrected, NULL))
        return;
    cell->has_margin = compare_inferior(&cell->effect, &cell->margin, &plan, critical, &cell->inferiority, NULL);
    cell->inferiority.worse = cell->has_margin && cell->inferiority.z < -corrected;
}

static bool believe_normal(double difference, double se, bool increase, double alpha, struct belief *out)
{
    struct normal_posterior p;
    if (!normal_posterior(difference, se, &(struct normal_prior){ 0 }, &p, NULL))
        return false;
    *out = (struct belief){ .prior = "flat",
                            .win = exp(increase ? p.log_win : p.log_lose),
                            .loss_ship = exp(increase ? p.log_loss_ship : p.log_loss_keep),
                            .loss_keep = exp(increase ? p.log_loss_keep : p.log_loss_ship) };
    normal_interval(&p, alpha, &out->lo, &out->hi);
    return true;
}

static double beta_variance(const struct best_arm *p)
{
    double n = p->a + p->b;
    return p->a / n * (p->b / n) / (n + 1);
}

/* Shares of few: beta posteriors, exactly; the interval is that of a normal difference of the same variance. */
static bool believe_counts(const struct arm *control, const struct arm *treatment, bool increase, double alpha,
                           struct belief *out)
{
    struct proportions c;
    struct best_arm arms[2];
    struct best best;
    const struct beta_prior uniform = { 1, 1 };
    double losses[2];
    if (!compare_few(control, treatment, &c) || c.n_c > BELIEF_COUNT_MAX || c.n_t > BELIEF_COUNT_MAX ||
        !beta_posterior(c.x_c, c.n_c, &uniform, &arms[0], NULL) ||
        !beta_posterior(c.x_t, c.n_t, &uniform, &arms[1], NULL))
        return false;
    double difference = beta_mean(&arms[1]) - beta_mean(&arms[0]);
    double se = sqrt(beta_variance(&arms[0]) + beta_variance(&arms[1]));
    for (size_t i = 0; i < 2 && !increase; i++) /* the best is the smallest: of the shares of failures, the largest */
        arms[i] = (struct best_arm){ arms[i].b, arms[i].a };
    if (!believe_normal(difference, se, increase, alpha, out) || !best_chances(BEST_BETA, arms, 2, &best, NULL) ||
        !best_losses(BEST_BETA, arms, 2, losses, NULL))
        return false;
    out->prior = "uniform, of each share";
    out->win = best.p[1];
    out->loss_ship = exp(losses[1]);
    out->loss_keep = exp(losses[0]);
    return true;
}

static void add_belief(const struct result_metric *m, size_t variant, double alpha, struct analysed *cell)
{
    bool increase = result_wants_increase(m);
    struct arm c = result_compared_arm(m, result_arm(m, 0)), t = result_compared_arm(m, result_arm(m, variant));
    cell->has_belief = cell->has_effect
                           ? believe_normal(cell->effect.difference, cell->effect.se, increase, alpha, &cell->belief)
                           : believe_counts(&c, &t, increase, alpha, &cell->belief);
}

static bool at_level(const struct result *r, const struct result_metric *m, size_t variant, struct analysed *cell)
{
    struct compare_plan plan = result_plan(r);
    struct arm c = result_compared_arm(m, result_arm(m, 0)), t = result_compared_arm(m, result_arm(m, variant));
    struct proportions counts;
    double exact, alpha = cell->alpha_adjusted;
    if (cell->has_looks)
        return looks_at_level(r, cell, alpha, &cell->adjusted, NULL);
    if (cell->has_effect)
        return compare_effect(&cell->effect, &plan, alpha, &cell->adjusted, NULL);
    return compare_few(&c, &t, &counts) && compare_counts(&counts, alpha, &cell->adjusted, &exact, NULL);
}

/* A bandit has no end that was planned: its outcome is told as it goes. */
static bool too_early(const struct result *r)
{
    return r->experiment->analysis.method == ANALYSIS_FIXED && r->experiment->kind != EXPERIMENT_BANDIT &&
           !result_ended(r);
}

static enum outcome cell_outcome(const struct analysis *a, const struct result_metric *m, const struct analysed *cell)
{
    if (!cell->compared)
        return OUTCOME_NONE;
    if (too_early(a->result))
        return OUTCOME_NOT_YET;
    if (cell->log_p_adjusted >= log(a->alpha))
        return OUTCOME_NO_DIFFERENCE;
    return (cell->c.difference > 0) == result_wants_increase(m) ? OUTCOME_BETTER : OUTCOME_WORSE;
}

void analysis_make(struct analysis *out, const struct result *r, struct arena *arena)
{
    size_t variants = r->experiment->variants_count;
    *out = (struct analysis){ .result = r, .alpha = 1 - result_level(r) };
    out->cells = arena_zalloc(arena, (r->metrics_count * variants + 1) * sizeof *out->cells);
    for (size_t i = 0; i < r->metrics_count * variants; i++) {
        struct analysed *cell = &out->cells[i];
        struct err err = { 0 };
        if (i % variants == 0)
            continue;
        cell->compared = compare(r, &r->metrics[i / variants], i % variants, out->alpha, arena, cell, &err);
        if (!cell->compared)
            cell->reason = arena_str(arena, str_of(err.text));
    }
    families_adjust(out, arena);
    for (size_t i = 0; i < r->metrics_count * variants; i++) {
        const struct result_metric *m = &r->metrics[i / variants];
        struct analysed *cell = &out->cells[i];
        cell->outcome = cell_outcome(out, m, cell);
        if (!cell->compared)
            continue;
        if (!at_level(r, m, i % variants, cell))
            cell->adjusted = cell->c;
        if (cell->has_looks && (cell->outcome == OUTCOME_BETTER || cell->outcome == OUTCOME_WORSE))
            looks_read_stop(r, m, i % variants, cell->alpha_adjusted, arena, &cell->looks);
        add_margin(r, m, out->alpha, cell);
        add_belief(m, i % variants, out->alpha, cell);
    }
}

const struct analysed *analysis_of(const struct analysis *a, size_t metric, size_t variant)
{
    return &a->cells[metric * a->result->experiment->variants_count + variant];
}
