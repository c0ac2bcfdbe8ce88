/* A pre-flight as its JSON object. */
#include <math.h>

#include "experimentd/plan/ask.h"
#include "experimentd/preflight/preflight.h"

static void write_findings(struct jsonw *w, const struct preflight_findings *f)
{
    jsonw_open(w, "findings", '[');
    for (size_t i = 0; i < f->n; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "severity", f->p[i].is_error ? "error" : "warning");
        jsonw_text(w, "field", f->p[i].field);
        jsonw_str(w, "text", f->p[i].text);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_variants(struct jsonw *w, const struct snapshot_experiment *e, const struct preflight_split *s)
{
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < e->variants_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", e->variants[i].key);
        jsonw_double(w, "weight", s->weights[i]);
        jsonw_i64(w, "units", s->counts[i]);
        jsonw_double(w, "expected", s->expected[i]);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_split(struct jsonw *w, const struct snapshot_experiment *e, const struct preflight_split *s)
{
    jsonw_open(w, "split", '{');
    jsonw_text(w, "why_not", s->why_not);
    jsonw_i64(w, "units", PREFLIGHT_UNITS);
    jsonw_i64(w, "reached", s->reached);
    jsonw_double(w, "share_reached", (double)s->reached / PREFLIGHT_UNITS);
    jsonw_bool(w, "ignores_conditions", s->ignores_conditions);
    if (s->counts)
        write_variants(w, e, s);
    if (s->has_srm) {
        jsonw_open(w, "srm", '{');
        jsonw_double(w, "chi2", s->srm.chi2);
        jsonw_double(w, "df", s->srm.df);
        jsonw_double(w, "p", s->srm.p);
        jsonw_double(w, "log10_p", s->srm.log_p / M_LN10);
        jsonw_close(w);
    } else {
        jsonw_null(w, "srm");
    }
    jsonw_close(w);
}

static void write_power(struct jsonw *w, const struct preflight_power *p)
{
    jsonw_open(w, "power", '{');
    jsonw_text(w, "why_not", p->why_not);
    jsonw_str(w, "metric", p->metric);
    jsonw_double(w, "effect", p->effect);
    jsonw_double(w, "alpha", p->alpha);
    jsonw_double(w, "detectable_at", PREFLIGHT_POWER);
    jsonw_text(w, "method", ask_method_text(p->method));
    known_write_traffic(w, &p->traffic);
    known_write_baseline(w, &p->baseline);
    ask_write_plan(w, &p->plan, p->why_not);
    jsonw_close(w);
}

void preflight_write(struct jsonw *w, const char *key, const struct snapshot_experiment *e, const struct preflight *p)
{
    jsonw_open(w, key, '{');
    jsonw_str(w, "experiment", e->key);
    jsonw_bool(w, "may_start", p->findings.errors == 0);
    write_findings(w, &p->findings);
    write_split(w, e, &p->split);
    write_power(w, &p->power);
    jsonw_close(w);
}
