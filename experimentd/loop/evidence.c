#include "experimentd/loop/evidence.h"

#include <math.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "experimentd/health/health.h"
#include "experimentd/queries.h"
#include "experimentd/results/decision.h"
#include "experimentd/results/guardrail.h"
#include "experimentd/results/preference.h"
#include "experimentd/results/verdict.h"

enum { JSON_MAX = 256 << 10, TEXT_MAX = 2000, CHALLENGER = 1 };

/* What is read for one look. */
struct look {
    struct pg *pg;
    const struct snapshot *s;
    const struct snapshot_experiment *e;
    struct arena *arena;
    struct jsonw w;
    struct loop_evidence *out;
};

static PGresult *ask(const struct look *l, enum query q, const char *second, struct err *err)
{
    const char *params[] = { arena_printf(l->arena, "{" STR_FMT "}", STR_ARG(l->e->key)).p, second };
    return pg_run(l->pg, &queries[q], params, err);
}

/* ---- what both kinds tell ---- */

struct measured {
    const char *measure;
    double value, low, high, p;
};

static void write_measured(struct jsonw *w, const struct measured *m, double level)
{
    jsonw_text(w, "measure", m->measure);
    jsonw_double(w, "value", m->value);
    jsonw_double(w, "low", m->low);
    jsonw_double(w, "high", m->high);
    jsonw_double(w, "p", m->p);
    jsonw_double(w, "level", level);
}

static void write_day(struct jsonw *w, int32_t day, int64_t units, const struct measured *m)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "day", clock_format_day(day, text));
    jsonw_i64(w, "units", units);
    jsonw_double(w, "value", m->value);
    jsonw_double(w, "low", m->low);
    jsonw_double(w, "high", m->high);
    jsonw_close(w);
}

/* A lift where it has an interval, else the difference: one of them for the whole series, as `lift` says. */
static struct measured measured_of(const struct comparison *c, bool lift)
{
    if (!lift)
        return (struct measured){ "difference", c->difference, c->ci_lo, c->ci_hi, c->p };
    bool bounded = c->lift_kind == LIFT_BOUNDED;
    return (struct measured){ "lift", c->lift_kind == LIFT_NONE ? NAN : c->lift, bounded ? c->lift_lo : NAN,
                              bounded ? c->lift_hi : NAN, c->p };
}

/* ---- an A/B test ---- */

static bool any_worse(const struct analysis *a, const char *role)
{
    for (size_t i = 0; i < a->result->metrics_count; i++)
        if (str_eq_c(a->result->metrics[i].role, role) && analysis_of(a, i, CHALLENGER)->outcome == OUTCOME_WORSE)
            return true;
    return false;
}

static enum loop_verdict verdict_of(const struct decision *d, const struct analysis *a)
{
    switch (d->kind) {
    case DECISION_SHIP:
        return LOOP_BETTER;
    case DECISION_ROLL_BACK:
        return any_worse(a, "primary") ? LOOP_WORSE : LOOP_HARM;
    case DECISION_UNHEALTHY:
        return LOOP_SPOILT;
    case DECISION_CANNOT_TELL:
        return LOOP_CANNOT_TELL;
    case DECISION_KEEP_RUNNING:
    case DECISION_COUNT:
        break;
    }
    return LOOP_NO_VERDICT;
}

static void write_conditions(struct jsonw *w, const struct decision *d)
{
    const struct decided *decided = &d->each[CHALLENGER];
    jsonw_open(w, "conditions", '[');
    for (size_t i = 0; i < decided->conditions_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "name", decided->conditions[i].name);
        jsonw_bool(w, "met", decided->conditions[i].met == CONDITION_YES);
        jsonw_str(w, "text", decided->conditions[i].text);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_metrics(struct jsonw *w, const struct analysis *a)
{
    const struct result *r = a->result;
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        const struct analysed *c = analysis_of(a, i, CHALLENGER);
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "metric", m->metric->key);
        jsonw_str(w, "name", m->metric->name);
        jsonw_str(w, "role", m->role);
        jsonw_text(w, "outcome", outcome_names[c->outcome]);
        if (c->compared) {
            struct measured v = measured_of(&c->adjusted, c->adjusted.lift_kind == LIFT_BOUNDED);
            v.p = exp(c->log_p_adjusted);
            write_measured(w, &v, 1 - c->alpha_adjusted);
        } else {
            jsonw_str(w, "reason", c->reason);
        }
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_units(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    jsonw_open(w, "units", '{');
    for (size_t v = 0; v < r->experiment->variants_count; v++)
        jsonw_i64(w, r->experiment->variants[v].key.p, result_latest(m, v)->n);
    jsonw_close(w);
}

/* As the result was at the end of each day. */
static void write_series(struct look *l, const struct result *r, const struct result_metric *m, bool lift)
{
    struct compare_plan plan = result_plan(r);
    jsonw_open(&l->w, "series", '[');
    for (size_t d = 0; d < m->days_count; d++) {
        struct result_metric day = *m;
        struct effect e, bare;
        struct comparison c;
        struct str why_not;
        day.days_count = d + 1;
        if (!result_effect(r, &day, CHALLENGER, l->arena, &e, &bare, &why_not, NULL) ||
            !compare_effect(&e, &plan, 1 - plan.level, &c, NULL))
            continue;
        struct measured v = measured_of(&c, lift);
        int64_t units = result_latest(&day, 0)->n + result_latest(&day, CHALLENGER)->n;
        write_day(&l->w, m->days[d].day, units, &v);
    }
    jsonw_close(&l->w);
}

static bool add_series(struct look *l, bool lift, struct err *err)
{
    struct result days;
    AUTO(pg_result_free) PGresult *rows = ask(l, QUERY_RESULTS_DAYS, "{}", err);
    if (!rows)
        return false;
    result_read(&days, l->s, l->e, rows, l->arena);
    if (result_primary(&days))
        write_series(l, &days, result_primary(&days), lift);
    return true;
}

static void write_compared(struct look *l, const struct analysis *a, const struct decision *d, bool *out_lift)
{
    const struct result *r = a->result;
    const struct result_metric *m = result_primary(r);
    const struct analysed *c = analysis_of(a, (size_t)(m - r->metrics), CHALLENGER);
    struct measured v = { "lift", NAN, NAN, NAN, NAN };
    *out_lift = !c->compared || c->c.lift_kind == LIFT_BOUNDED;
    if (c->compared)
        v = measured_of(&c->adjusted, *out_lift);
    if (c->compared)
        v.p = exp(c->log_p_adjusted);
    jsonw_text(&l->w, "decision", decision_names[d->kind]);
    jsonw_str(&l->w, "metric", m->metric->key);
    jsonw_str(&l->w, "metric_name", m->metric->name);
    write_measured(&l->w, &v, c->compared ? 1 - c->alpha_adjusted : result_level(r));
    jsonw_i64(&l->w, "days", r->days_seen);
    jsonw_time(&l->w, "as_of", r->as_of_us);
    write_units(&l->w, r, m);
    write_conditions(&l->w, d);
    write_metrics(&l->w, a);
}

/* A guardrail that is looked at often has its own level, at which harm ends it at once (results/guardrail.h). */
static void judge(struct look *l, const struct result *r, const struct analysis *a, const struct decision *d)
{
    struct guardrail g = { .state = GUARDRAIL_FINE };
    struct buf b;
    struct verdict v;
    l->out->verdict = verdict_of(d, a);
    if (guardrail_has(l->e))
        guardrail_check(&g, r, l->arena);
    if (g.state == GUARDRAIL_WORSE && l->out->verdict != LOOP_SPOILT)
        l->out->verdict = LOOP_HARM;
    verdict_make(&v, a, l->arena);
    buf_init(&b, TEXT_MAX);
    if (l->out->verdict == LOOP_HARM && g.state == GUARDRAIL_WORSE)
        buf_add_str(&b, g.text);
    else
        buf_addf(&b, STR_FMT " " STR_FMT, STR_ARG(v.text), STR_ARG(d->text));
    l->out->reason = arena_str(l->arena, buf_str(&b));
    buf_release(&b);
}

static bool read_compared(struct look *l, struct err *err)
{
    const char *keyed[] = { arena_cstr(l->arena, l->e->key) };
    struct health_input health = { .r = NULL };
    struct result r;
    struct analysis a;
    struct decision d;
    bool lift;
    AUTO(pg_result_free) PGresult *counts = pg_run(l->pg, &queries[QUERY_HEALTH_COUNTS], keyed, err);
    AUTO(pg_result_free)
    PGresult *rows = counts ? ask(l, QUERY_RESULTS_LATEST, result_wanted_parts(l->e, l->arena), err) : NULL;
    if (!rows)
        return false;
    result_read(&r, l->s, l->e, rows, l->arena);
    if (!r.has_data || r.as_of_us <= l->e->phase_started_us || r.published_us <= l->e->phase_started_us ||
        !result_primary(&r))
        return true;
    health_read_counts(&health, l->e, counts, l->arena);
    health_tell(&health, &r, l->arena);
    analysis_make(&a, &r, l->arena);
    decision_make(&d, &a, l->arena);
    judge(l, &r, &a, &d);
    write_compared(l, &a, &d, &lift);
    return add_series(l, lift, err);
}

/* ---- an interleaving ---- */

/* What was planned. A test of one look says "not yet" before. */
static bool is_used_up(const struct result *r, const struct preferred *p)
{
    const struct experiment_analysis *a = &r->experiment->analysis;
    return a->method != ANALYSIS_ANY_TIME || p->last->means.n >= a->planned_units;
}

static enum loop_verdict verdict_of_pair(const struct result *r, const struct preferred *p, int64_t days)
{
    if (!p || !p->tested)
        return LOOP_NO_VERDICT;
    if (p->outcome == OUTCOME_WORSE)
        return LOOP_WORSE;
    if (p->outcome == OUTCOME_BETTER)
        return days >= r->experiment->minimum_days ? LOOP_BETTER : LOOP_NO_VERDICT;
    return p->outcome == OUTCOME_NO_DIFFERENCE && is_used_up(r, p) ? LOOP_CANNOT_TELL : LOOP_NO_VERDICT;
}

static void write_preferred_days(struct look *l, const struct result *r, const struct preferred *p)
{
    jsonw_open(&l->w, "series", '[');
    for (size_t i = 0; i < p->days_count; i++) {
        struct preference_tested t;
        if (!preference_test_day(r, &p->days[i], &t, NULL))
            continue;
        struct measured v = { "delta", t.delta, t.lo, t.hi, exp(t.log_p) };
        write_day(&l->w, p->days[i].day, p->days[i].means.n, &v);
    }
    jsonw_close(&l->w);
}

static void write_preferred(struct look *l, const struct result *r, const struct preferred *p, int64_t days)
{
    struct measured v = { "delta", NAN, NAN, NAN, NAN };
    if (p->tested)
        v = (struct measured){ "delta", p->test.delta, p->test.lo, p->test.hi, exp(p->log_p_adjusted) };
    write_measured(&l->w, &v, result_level(r));
    jsonw_i64(&l->w, "days", days);
    jsonw_time(&l->w, "as_of", r->preferences->as_of_us);
    jsonw_open(&l->w, "queries", '{');
    jsonw_i64(&l->w, "challenger", p->last->counts.wins_a);
    jsonw_i64(&l->w, "champion", p->last->counts.wins_b);
    jsonw_i64(&l->w, "ties", p->last->counts.ties);
    jsonw_close(&l->w);
    jsonw_i64(&l->w, "units", p->last->means.n);
    write_preferred_days(l, r, p);
}

static void judge_preferred(struct look *l, const struct result *r, const struct preferred *p, int64_t days)
{
    struct buf b;
    l->out->verdict = verdict_of_pair(r, p, days);
    buf_init(&b, TEXT_MAX);
    if (p->tested)
        preference_say(&b, r, p);
    else
        buf_add_str(&b, p->reason);
    l->out->reason = arena_str(l->arena, buf_str(&b));
    buf_release(&b);
}

static bool read_preferred(struct look *l, struct err *err)
{
    struct result r;
    struct preferences_list list = { .n = 0 };
    struct preferred_pairs pairs;
    AUTO(pg_result_free) PGresult *preferences = ask(l, QUERY_PREFERENCES, "true", err);
    AUTO(pg_result_free) PGresult *rows = preferences ? ask(l, QUERY_RESULTS_LATEST, "{}", err) : NULL;
    if (!rows)
        return false;
    preferences_read(&list, l->s, preferences, l->arena);
    result_read(&r, l->s, l->e, rows, l->arena);
    r.preferences = preferences_of(&list, l->e);
    int64_t since_us = l->e->phase_started_us;
    if (!r.preferences || r.preferences->as_of_us <= since_us || r.preferences->published_us <= since_us)
        return true;
    preferences_test(&pairs, &r, l->arena);
    if (!pairs.n)
        return true;
    const struct preferred *p = &pairs.p[0];
    int64_t days = p->days_count ? p->last->day - p->days[0].day : 0;
    judge_preferred(l, &r, p, days);
    write_preferred(l, &r, p, days);
    return true;
}

bool loop_evidence_read(struct pg *pg, const struct snapshot *s, const struct snapshot_experiment *e,
                        struct arena *arena, struct loop_evidence *out, struct err *err)
{
    struct buf b;
    struct look l = { .pg = pg, .s = s, .e = e, .arena = arena, .out = out };
    *out = (struct loop_evidence){ .verdict = LOOP_NO_VERDICT };
    buf_init(&b, JSON_MAX);
    jsonw_init(&l.w, &b);
    jsonw_open(&l.w, NULL, '{');
    bool ok = e->kind == EXPERIMENT_INTERLEAVE ? read_preferred(&l, err) : read_compared(&l, err);
    jsonw_close(&l.w);
    ok = ok && buf_ok(&b, "the evidence", err);
    out->json = ok ? arena_str(arena, buf_str(&b)) : STR("{}");
    buf_release(&b);
    return ok;
}
