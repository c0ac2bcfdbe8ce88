#include "trainer/models/gate.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "stats/special/special.h"

static const char *const rule_names[] = {
    [GATE_BETTER] = "better", [GATE_SUPERIOR] = "superior", [GATE_NOT_WORSE] = "not_worse", [GATE_NONE] = "none"
};
static_assert(COUNT_OF(rule_names) == GATE_RULE_COUNT, "a name for every rule");

const char *gate_rule_name(enum gate_rule rule)
{
    return rule_names[rule];
}

enum gate_rule gate_rule_named(const char *name)
{
    for (int i = 0; i < GATE_RULE_COUNT; i++)
        if (strcmp(rule_names[i], name) == 0)
            return (enum gate_rule)i;
    assert(false);
    return GATE_NONE;
}

/* Means of the same values, summed in another order, differ by less; a difference of one unit in 10^9 by more. */
#define ROUNDING 1e-12

/* ---- intervals ---- */

/* mean ± z se, se² = m2 / (n (n - 1)) */
bool gate_mean(int64_t n, double mean, double m2, double level, struct gate_interval *out)
{
    if (n < 2)
        return false;
    double half = special_normal_qinv((1 - level) / 2) * sqrt(m2 / ((double)n * (double)(n - 1)));
    *out = (struct gate_interval){ mean, mean - half, mean + half };
    return true;
}

/* Of d = x - y: Σ (d - mean)² = m2_x + m2_y - 2 cxy, below 0 only by rounding */
bool gate_difference(const struct moments2 *m, double level, struct gate_interval *out)
{
    double m2 = m->m2_x + m->m2_y - 2 * m->cxy;
    return gate_mean(m->n, m->mean_x - m->mean_y, m2 > 0 ? m2 : 0, level, out);
}

/* ---- checks ---- */

static PRINTF(4, 5) void check(struct gate_outcome *o, const char *name, bool passed, const char *fmt, ...)
{
    assert(o->checks_count < GATE_CHECKS_MAX);
    struct gate_check *c = &o->checks[o->checks_count++];
    va_list ap;
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    c->passed = passed;
    va_start(ap, fmt);
    (void)vsnprintf(c->text, sizeof c->text, fmt, ap);
    va_end(ap);
}

static void check_units(struct gate_outcome *o, const struct gate_rules *r, const struct gate_metric *m)
{
    if (r->min_units)
        check(o, "gate_min_units", (uint64_t)m->m.n >= r->min_units,
              "%lld units in the later window, %llu are asked for", (long long)m->m.n,
              (unsigned long long)r->min_units);
}

static void check_value(struct gate_outcome *o, const struct gate_rules *r, const struct gate_metric *m)
{
    if (!isnan(r->min_value))
        check(o, "min_value", m->m.mean_x >= r->min_value, "%s is %.4g, at least %.4g is asked for", m->name,
              m->m.mean_x, r->min_value);
}

static void check_bound(struct gate_outcome *o, const struct gate_bound *b)
{
    char name[GATE_NAME];
    if (!isnan(b->max)) {
        (void)snprintf(name, sizeof name, "max_%s", b->name);
        check(o, name, b->value <= b->max, "%s is %.4g, at most %.4g is allowed", b->name, b->value, b->max);
    }
    if (!isnan(b->min)) {
        (void)snprintf(name, sizeof name, "min_%s", b->name);
        check(o, name, b->value >= b->min, "%s is %.4g, at least %.4g is asked for", b->name, b->value, b->min);
    }
}

static bool rule_holds(const struct gate_rules *r, const struct gate_interval *d)
{
    switch (r->rule) {
    case GATE_SUPERIOR:
        return d->low > 0;
    case GATE_NOT_WORSE:
        return d->low > -r->margin;
    case GATE_BETTER:
        return d->value > ROUNDING;
    default:
        return true;
    }
}

static const char *asked(const struct gate_rules *r, char text[GATE_NAME * 2])
{
    if (r->rule == GATE_SUPERIOR)
        return "all of its interval above 0 is asked for";
    if (r->rule == GATE_BETTER)
        return "above 0 is asked for";
    (void)snprintf(text, GATE_NAME * 2, "all of its interval above %.4g is asked for", -r->margin);
    return text;
}

static void check_rule(struct gate_outcome *o, const struct gate_rules *r, const struct gate_metric *m)
{
    struct gate_interval d;
    char text[GATE_NAME * 2];
    if (!gate_difference(&m->m, r->level, &d)) {
        check(o, "gate", false, "%s: %lld units are too few to compare with version %d", m->name, (long long)m->m.n,
              o->champion);
        return;
    }
    check(o, "gate", rule_holds(r, &d), "%s %.4g, of version %d %.4g: difference %.4g (%g%%: %.4g to %.4g), %s",
          m->name, m->m.mean_x, o->champion, m->m.mean_y, d.value, r->level * 100, d.low, d.high, asked(r, text));
}

/* The first check that failed says why; of those that passed the rule's own. */
static void conclude(struct gate_outcome *o, const char *rule, const char *reason)
{
    o->passed = true;
    (void)snprintf(o->rule, sizeof o->rule, "%s", rule);
    (void)snprintf(o->reason, sizeof o->reason, "%s", reason);
    for (size_t i = o->checks_count; i-- > 0;) {
        const struct gate_check *c = &o->checks[i];
        if (c->passed)
            continue;
        o->passed = false;
        (void)snprintf(o->rule, sizeof o->rule, "%s", c->name);
        (void)snprintf(o->reason, sizeof o->reason, "%s", c->text);
    }
}

static const struct gate_metric *deciding(const struct gate_rules *r, const struct gate_metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, r->metric) == 0)
            return &metrics[i];
    return NULL;
}

void gate_decide(const struct gate_rules *rules, const struct gate_metric *metrics, size_t metrics_count,
                 const struct gate_bound *bounds, size_t bounds_count, int champion, struct gate_outcome *out)
{
    const struct gate_metric *m = rules->metric ? deciding(rules, metrics, metrics_count) : NULL;
    assert(m || rules->rule == GATE_NONE);
    *out = (struct gate_outcome){ .champion = champion };
    if (m) {
        check_units(out, rules, m);
        check_value(out, rules, m);
    }
    for (size_t i = 0; i < bounds_count; i++)
        check_bound(out, &bounds[i]);
    if (rules->rule == GATE_NONE) {
        conclude(out, "none", "no rule compares it with another version");
    } else if (!champion) {
        conclude(out, "first", "no version was there before");
    } else {
        check_rule(out, rules, m);
        conclude(out, rule_names[rules->rule], out->checks[out->checks_count - 1].text);
    }
}

void gate_unevaluated(int champion, struct gate_outcome *out)
{
    *out = (struct gate_outcome){ .champion = champion };
    conclude(out, "none", "nothing was evaluated: holdout_days is 0");
}

/* ---- JSON ---- */

static void put_interval(struct jsonw *w, const struct gate_interval *i, bool known)
{
    jsonw_double(w, "low", known ? i->low : NAN);
    jsonw_double(w, "high", known ? i->high : NAN);
}

static void put_metric(struct jsonw *w, const struct gate_rules *r, const struct gate_metric *g, bool champion)
{
    struct gate_interval i = { 0, 0, 0 };
    bool known = gate_mean(g->m.n, g->m.mean_x, g->m.m2_x, r->level, &i);
    jsonw_open(w, g->name, '{');
    jsonw_double(w, "value", g->m.n ? g->m.mean_x : NAN);
    put_interval(w, &i, known);
    jsonw_double(w, "level", r->level);
    jsonw_text(w, "method", "normal, over units");
    jsonw_i64(w, "n", g->m.n);
    if (champion && g->m.n) {
        known = gate_difference(&g->m, r->level, &i);
        jsonw_double(w, "champion", g->m.mean_y);
        jsonw_open(w, "difference", '{');
        jsonw_double(w, "value", g->m.mean_x - g->m.mean_y);
        put_interval(w, &i, known);
        jsonw_double(w, "level", r->level);
        jsonw_text(w, "method", "normal, paired by unit");
        jsonw_close(w);
    }
    jsonw_close(w);
}

void gate_metrics_json(const struct gate_rules *rules, const struct gate_metric *metrics, size_t metrics_count,
                       const struct gate_bound *bounds, size_t bounds_count, bool champion, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    for (size_t i = 0; i < metrics_count; i++)
        put_metric(&w, rules, &metrics[i], champion);
    for (size_t i = 0; i < bounds_count; i++) {
        jsonw_open(&w, bounds[i].name, '{');
        jsonw_double(&w, "value", bounds[i].value);
        if (champion)
            jsonw_double(&w, "champion", bounds[i].champion);
        jsonw_close(&w);
    }
    jsonw_close(&w);
}

void gate_outcome_json(const struct gate_outcome *o, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "decision", o->passed ? "passed" : "refused");
    jsonw_text(&w, "rule", o->rule);
    jsonw_text(&w, "reason", o->reason);
    if (o->champion)
        jsonw_i64(&w, "champion", o->champion);
    jsonw_open(&w, "checks", '[');
    for (size_t i = 0; i < o->checks_count; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_text(&w, "name", o->checks[i].name);
        jsonw_bool(&w, "passed", o->checks[i].passed);
        jsonw_text(&w, "text", o->checks[i].text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
}
