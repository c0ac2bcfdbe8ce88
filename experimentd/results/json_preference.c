/* "preference" of the answer of results: pairs of rankings, what decides, what stands beside, and the lines of xstat that give the same. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/explain_step.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/preference.h"

enum { TEXT_MAX = 1000 };

static void write_p(struct jsonw *w, double log_p)
{
    jsonw_double(w, "p", exp(log_p));
    jsonw_double(w, "log10_p", log_p / M_LN10);
}

/* ---- explain ---- */

static void sign_step(struct jsonw *w, const struct preferred *p, double alpha)
{
    step_begin(w, "team_draft_sign_test");
    jsonw_text(w, "kind", "sign_test");
    jsonw_i64(w, "wins_a", p->last->counts.wins_a);
    jsonw_i64(w, "wins_b", p->last->counts.wins_b);
    jsonw_i64(w, "ties", p->last->counts.ties);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "sign_test.p", "p_exact");
    jsonw_text(w, "sign_test.delta", "delta_ab");
    jsonw_text(w, "sign_test.share", "share");
    step_end(w);
}

static void units_step(struct jsonw *w, const struct preferred *p, double alpha)
{
    const struct preference_day *d = p->last;
    double df = (double)d->means.n - 1;
    step_begin(w, "team_draft_sign_test");
    jsonw_text(w, "kind", "user_moments");
    jsonw_i64(w, "n", d->means.n);
    jsonw_double(w, "mean", d->means.mean);
    jsonw_double(w, "var", d->means.m2 / df);
    jsonw_double(w, "mean_num", d->sums.mean_x);
    jsonw_double(w, "var_num", d->sums.m2_x / df);
    jsonw_double(w, "mean_den", d->sums.mean_y);
    jsonw_double(w, "var_den", d->sums.m2_y / df);
    jsonw_double(w, "cov", d->sums.cxy / df);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "units_test.mean", "mean");
    jsonw_text(w, "units_test.se", "se");
    jsonw_text(w, "query_mean.mean", "query_mean");
    jsonw_text(w, "query_mean.se", "query_se_clustered");
    if (p->test.rho == 0)
        jsonw_text(w, "units_test.log_p", "log_p");
    step_end(w);
}

static void sequence_step(struct jsonw *w, const struct preferred *p, double alpha)
{
    step_begin(w, "msprt_and_confidence_sequence");
    jsonw_double(w, "effect", p->test.users.mean);
    jsonw_double(w, "se", p->test.users.se);
    jsonw_double(w, "n", (double)p->last->means.n);
    jsonw_double(w, "rho", p->test.rho);
    jsonw_double(w, "alpha", alpha);
    jsonw_text(w, "sides", "two");
    step_gives(w);
    jsonw_text(w, "units_test.p", "p");
    step_end(w);
}

static const char *method_of(const struct preferred *p)
{
    return p->test.rho > 0 ? "confidence sequence of units' mean scores" : "Student's t of units' mean scores";
}

/* As explain.h has it of comparisons: numerator and denominator are the sums of scores and the queries. */
static void write_explain(struct jsonw *w, const struct result *r, const struct preferred *p)
{
    double alpha = 1 - result_level(r), n = (double)p->last->sums.n;
    jsonw_open(w, "explain", '{');
    jsonw_text(
        w, "words",
        "each unit's mean score over its queries (1: a won, -1: b won, 0: tie) is one observation, and the mean of "
        "these is "
        "compared with 0; delta is half of it. The sign test and the mean over queries stand beside and hold for one "
        "look");
    jsonw_text(w, "method", method_of(p));
    jsonw_double(w, "level", result_level(r));
    jsonw_text(w, "looks", p->test.rho > 0 ? "any number, at any time" : "one, at the end");
    jsonw_open(w, "counts", '{');
    jsonw_open(w, "units", '{');
    jsonw_i64(w, "units", p->last->sums.n);
    jsonw_double(w, "numerator", metric_sum(p->last->sums.mean_x * n));
    jsonw_double(w, "denominator", metric_sum(p->last->sums.mean_y * n));
    jsonw_close(w);
    jsonw_close(w);
    jsonw_open(w, "steps", '[');
    sign_step(w, p, alpha);
    units_step(w, p, alpha);
    if (p->test.rho > 0)
        sequence_step(w, p, alpha);
    jsonw_close(w);
    jsonw_close(w);
}

/* ---- tests ---- */

static void write_units_test(struct jsonw *w, const struct preferred *p)
{
    const struct preference_tested *t = &p->test;
    jsonw_open(w, "units_test", '{');
    jsonw_text(w, "method", method_of(p));
    jsonw_double(w, "mean", t->users.mean);
    jsonw_double(w, "se", t->users.se);
    jsonw_double(w, "delta", t->delta);
    metric_write_interval(w, "delta_ci", t->lo, t->hi);
    write_p(w, t->log_p);
    jsonw_double(w, "log_p", t->log_p);
    jsonw_double(w, "p_adjusted", exp(p->log_p_adjusted));
    jsonw_double(w, "log10_p_adjusted", p->log_p_adjusted / M_LN10);
    jsonw_close(w);
    jsonw_open(w, "query_mean", '{');
    jsonw_double(w, "mean", t->users.query_mean);
    jsonw_double(w, "se", t->users.query_se);
    jsonw_double(w, "delta", t->users.query_mean / 2);
    jsonw_close(w);
}

static void write_sign_test(struct jsonw *w, const struct preference *s)
{
    jsonw_open(w, "sign_test", '{');
    write_p(w, s->log_p);
    jsonw_double(w, "share", s->has_z ? s->share : NAN);
    metric_write_interval(w, "share_ci", s->has_z ? s->share_ci.lo : NAN, s->has_z ? s->share_ci.hi : NAN);
    jsonw_double(w, "delta", s->has_delta ? s->delta : NAN);
    metric_write_interval(w, "delta_ci", s->has_se ? s->delta_ci.lo : NAN, s->has_se ? s->delta_ci.hi : NAN);
    jsonw_close(w);
}

static void write_no_tests(struct jsonw *w)
{
    static const char *const names[] = { "units_test", "query_mean", "sign_test", "explain" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        jsonw_null(w, names[i]);
}

/* ---- pairs ---- */

static void write_counts(struct jsonw *w, const struct preference_day *d)
{
    jsonw_i64(w, "wins_a", d->counts.wins_a);
    jsonw_i64(w, "wins_b", d->counts.wins_b);
    jsonw_i64(w, "ties", d->counts.ties);
    jsonw_i64(w, "queries", d->counts.wins_a + d->counts.wins_b + d->counts.ties);
    jsonw_i64(w, "units", d->means.n);
}

static void write_days(struct jsonw *w, const struct result *r, const struct preferred *p)
{
    char day[CLOCK_TEXT_MAX];
    jsonw_open(w, "days", '[');
    for (size_t i = 0; i < p->days_count; i++) {
        struct preference_tested t;
        bool tested = preference_test_day(r, &p->days[i], &t, NULL);
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "day", clock_format_day(p->days[i].day, day));
        write_counts(w, &p->days[i]);
        jsonw_double(w, "delta", tested ? t.delta : NAN);
        metric_write_interval(w, "delta_ci", tested ? t.lo : NAN, tested ? t.hi : NAN);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_pair(struct jsonw *w, const struct result *r, const struct preferred *p)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    preference_say(&text, r, p);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "a", r->experiment->variants[p->last->a].key);
    jsonw_str(w, "b", r->experiment->variants[p->last->b].key);
    write_counts(w, p->last);
    jsonw_text(w, "outcome", outcome_names[p->outcome]);
    jsonw_str(w, "text", buf_str(&text));
    jsonw_str(w, "reason", p->reason);
    if (p->tested) {
        write_units_test(w, p);
        write_sign_test(w, &p->sign);
        write_explain(w, r, p);
    } else {
        write_no_tests(w);
    }
    write_days(w, r, p);
    jsonw_close(w);
    buf_release(&text);
}

static const char *how(const struct result *r)
{
    static const char *const words[] = {
        [ANALYSIS_ANY_TIME] =
            "The test over units decides: queries of one unit resemble each other, and the sign test takes "
            "them for independent. Its interval holds at every look.",
        [ANALYSIS_GROUP_SEQUENTIAL] =
            "The test over units decides, once, at the end: planned looks are not kept of "
            "preferences. Queries of one unit resemble each other, and the sign test takes them "
            "for independent.",
        [ANALYSIS_FIXED] =
            "The test over units decides, once, at the planned end or when the experiment was stopped. Queries "
            "of one unit resemble each other, and the sign test takes them for independent.",
    };
    return words[r->experiment->analysis.method];
}

void preference_write(struct jsonw *w, const struct result *r, struct arena *arena)
{
    struct preferred_pairs pairs;
    if (!r->preferences) {
        jsonw_null(w, "preference");
        return;
    }
    preferences_test(&pairs, r, arena);
    jsonw_open(w, "preference", '{');
    jsonw_str(w, "method", r->experiment->interleave_method);
    jsonw_time(w, "as_of", r->preferences->as_of_us);
    jsonw_time(w, "computed_at", r->preferences->published_us);
    jsonw_text(w, "decides", "units_test");
    jsonw_text(w, "text", how(r));
    jsonw_text(w, "multiplicity", pairs.adjusted ? "holm" : "none");
    jsonw_open(w, "pairs", '[');
    for (size_t i = 0; i < pairs.n; i++)
        write_pair(w, r, &pairs.p[i]);
    jsonw_close(w);
    jsonw_close(w);
}
