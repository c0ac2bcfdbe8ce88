/* How an experiment runs: default value, layer, schedule, ramp, sticky assignments; and what bandits, interleaving and holdouts add. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/config/experiment_parts.h"

#define HOUR_US (3600 * US_PER_SECOND)
#define HOLD_HOURS_MIN (1.0 / 3600)
enum { SHOWN_MAX = 60, HOURS_MAX = 24 * 366 };

static const char held_out[] = "held_out", open_arm[] = "open";

/* ---- reading: fields of the document ---- */

static void read_default(struct json_reader *r, struct snapshot_experiment *e, struct arena *arena)
{
    json_t *value = NULL;
    e->default_json = STR("null");
    if (json_get_any(r, "default_value", JSON_OPTIONAL, &value))
        e->default_json = json_text(value, arena);
}

void rollout_fields(struct json_reader *r, struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena)
{
    read_default(r, e, arena);
    e->parameter = e->key;
    e->layer_share = 1;
    (void)json_get_str(r, "parameter", JSON_OPTIONAL, &e->parameter, arena);
    (void)json_get_str(r, "layer", JSON_OPTIONAL, &e->layer, arena);
    (void)json_get_double(r, "layer_share", JSON_OPTIONAL, &e->layer_share);
    (void)json_get_bool(r, "sticky", JSON_OPTIONAL, &e->sticky);
    (void)json_get_str(r, "fallback_attribute", JSON_OPTIONAL, &e->fallback_attribute, arena);
    (void)json_get_object(r, "schedule", JSON_OPTIONAL, &j->schedule);
    (void)json_get_object(r, "ramp", JSON_OPTIONAL, &j->ramp);
    (void)json_get_object(r, "bandit", JSON_OPTIONAL, &j->bandit);
    (void)json_get_object(r, "interleave", JSON_OPTIONAL, &j->interleave);
    (void)json_get_object(r, "holdout", JSON_OPTIONAL, &j->holdout);
    analysis_fields(r, j, e, arena);
    check_key(r, "parameter", e->parameter, true);
    if (!(e->layer_share > 0 && e->layer_share <= 1))
        (void)json_fail(r, "layer_share", "is %g, outside 0 to 1", e->layer_share);
    (void)check_length(r, "fallback_attribute", e->fallback_attribute);
}

/* ---- reading: what the fields hold ---- */

static bool read_instant(struct json_reader *r, const char *field, int64_t *out_us)
{
    struct str text;
    struct err err;
    if (!json_get_str(r, field, JSON_OPTIONAL, &text, NULL))
        return true;
    return clock_parse(text, out_us, &err) || json_fail(r, field, "%s", err.text);
}

static bool read_schedule(json_t *in, struct snapshot_experiment *e, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, in, "schedule");
    (void)read_instant(&r, "start_at", &e->start_at_us);
    (void)read_instant(&r, "stop_at", &e->stop_at_us);
    if (e->start_at_us && e->stop_at_us && e->stop_at_us <= e->start_at_us)
        (void)json_fail(&r, "stop_at", "is not after \"start_at\"");
    return json_reader_close(&r, err);
}

/* Every step but the last is held for a while: a ramp that forgets to say how long would be over at once. */
static bool read_step(json_t *in, size_t i, bool last, struct snapshot_experiment *e, struct arena *arena,
                      struct err *err)
{
    struct json_reader r;
    double coverage = 0, hours = 0;
    json_reader_open(&r, in, arena_printf(arena, "ramp.steps[%zu]", i).p);
    (void)json_get_double(&r, "coverage", JSON_REQUIRED, &coverage);
    (void)json_get_double(&r, "hold_hours", last ? JSON_OPTIONAL : JSON_REQUIRED, &hours);
    if (!(coverage > 0 && coverage <= 1))
        (void)json_fail(&r, "coverage", "is %g, outside 0 to 1", coverage);
    else if (i && coverage <= e->ramp[i - 1].coverage)
        (void)json_fail(&r, "coverage", "is %g, not above the step before: units would be taken out again", coverage);
    if (!(hours >= (last ? 0 : HOLD_HOURS_MIN) && hours <= HOURS_MAX))
        (void)json_fail(&r, "hold_hours", "is %g, outside %g (a second) to %d", hours, HOLD_HOURS_MIN, HOURS_MAX);
    e->ramp[i] = (struct experiment_ramp_step){ coverage, llround(hours * (double)HOUR_US) };
    return json_reader_close(&r, err);
}

static bool read_ramp(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *steps = NULL;
    e->guardrail_stop = true;
    json_reader_open(&r, in, "ramp");
    (void)json_get_array(&r, "steps", JSON_REQUIRED, &steps);
    (void)json_get_bool(&r, "guardrail_stop", JSON_OPTIONAL, &e->guardrail_stop);
    size_t n = json_array_size(steps);
    if (r.err.kind == ERR_NONE && (n < 1 || n > EXPERIMENT_LIST_MAX))
        (void)json_fail(&r, "steps", "has %zu elements, must have 1 to %d", n, EXPERIMENT_LIST_MAX);
    if (!json_reader_close(&r, err))
        return false;
    e->ramp = arena_zalloc(arena, n * sizeof *e->ramp);
    for (size_t i = 0; i < n; i++, e->ramp_count++)
        if (!read_step(json_array_get(steps, i), i, i + 1 == n, e, arena, err))
            return false;
    return true;
}

static void check_bandit(struct json_reader *r, const struct experiment_bandit *b)
{
    if (!str_eq(b->policy, STR("thompson")) && !str_eq(b->policy, STR("top_two")) &&
        !str_eq(b->policy, STR("epsilon_greedy")))
        (void)json_fail(r, "policy", "is \"%.*s\", not thompson, top_two or epsilon_greedy",
                        STR_ARG(str_cut(b->policy, SHOWN_MAX)));
    if (!(b->floor > 0 && b->floor <= 0.5))
        (void)json_fail(r, "floor", "is %g, outside 0 to 0.5: an arm that gets no unit is never learnt about",
                        b->floor);
    if (!(b->epsilon > 0 && b->epsilon <= 1))
        (void)json_fail(r, "epsilon", "is %g, outside 0 to 1", b->epsilon);
    if (!(b->beta > 0 && b->beta <= 1))
        (void)json_fail(r, "beta", "is %g, outside 0 to 1", b->beta);
    if (b->burn_in_units < 2)
        (void)json_fail(r, "burn_in_units", "is %lld, less than 2", (long long)b->burn_in_units);
}

static bool read_bandit(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct experiment_bandit *b = &e->bandit;
    json_auto_t *none = in ? NULL : json_object();
    *b = (struct experiment_bandit){
        .policy = STR("thompson"), .floor = 0.01, .epsilon = 0.1, .beta = 0.5, .burn_in_units = 100
    };
    json_reader_open(&r, in ? in : none, "bandit");
    (void)json_get_str(&r, "policy", JSON_OPTIONAL, &b->policy, arena);
    (void)json_get_double(&r, "floor", JSON_OPTIONAL, &b->floor);
    (void)json_get_double(&r, "epsilon", JSON_OPTIONAL, &b->epsilon);
    (void)json_get_double(&r, "beta", JSON_OPTIONAL, &b->beta);
    (void)json_get_i64(&r, "burn_in_units", JSON_OPTIONAL, &b->burn_in_units);
    (void)json_get_str(&r, "metric", JSON_OPTIONAL, &b->metric, arena);
    check_bandit(&r, b);
    return json_reader_close(&r, err);
}

static bool read_interleave(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    static const char *const methods[] = { "team_draft", "balanced", "optimized", "multileave" };
    struct json_reader r;
    json_auto_t *none = in ? NULL : json_object();
    bool known = false;
    e->interleave_method = STR("team_draft");
    json_reader_open(&r, in ? in : none, "interleave");
    (void)json_get_str(&r, "method", JSON_OPTIONAL, &e->interleave_method, arena);
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        known = known || str_eq_c(e->interleave_method, methods[i]);
    if (!known)
        (void)json_fail(&r, "method", "is \"%.*s\", not team_draft, balanced, optimized or multileave",
                        STR_ARG(str_cut(e->interleave_method, SHOWN_MAX)));
    return json_reader_close(&r, err);
}

static bool read_holdout(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *metrics = NULL;
    json_auto_t *none = in ? NULL : json_object();
    json_reader_open(&r, in ? in : none, "holdout");
    (void)json_get_double(&r, "share", JSON_REQUIRED, &e->holdout_share);
    (void)json_get_array(&r, "metrics", JSON_OPTIONAL, &metrics);
    if (r.err.kind == ERR_NONE && !(e->holdout_share > 0 && e->holdout_share < 1))
        (void)json_fail(&r, "share", "is %g: the share of units that is held out, between 0 and 1", e->holdout_share);
    return json_reader_close(&r, err) && read_keys(metrics, "holdout.metrics", &e->holdout_metrics, arena, err);
}

/* A part that only one kind of experiment has. */
static bool only_for(const json_t *given, const char *field, enum experiment_kind kind,
                     const struct snapshot_experiment *e, struct err *err)
{
    return !given || e->kind == kind ||
           err_set(err, ERR_INVALID, "experiment: field \"%s\" is only for kind \"%s\", not \"%s\"", field,
                   experiment_kind_names[kind], experiment_kind_names[e->kind]);
}

bool rollout_read(const struct rollout_json *j, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    if (!only_for(j->bandit, "bandit", EXPERIMENT_BANDIT, e, err) ||
        !only_for(j->interleave, "interleave", EXPERIMENT_INTERLEAVE, e, err) ||
        !only_for(j->holdout, "holdout", EXPERIMENT_HOLDOUT, e, err))
        return false;
    return analysis_read(j, e, err) && (!j->schedule || read_schedule(j->schedule, e, err)) &&
           (!j->ramp || read_ramp(j->ramp, e, arena, err)) &&
           (e->kind != EXPERIMENT_BANDIT || read_bandit(j->bandit, e, arena, err)) &&
           (e->kind != EXPERIMENT_INTERLEAVE || read_interleave(j->interleave, e, arena, err)) &&
           (e->kind != EXPERIMENT_HOLDOUT || read_holdout(j->holdout, e, arena, err));
}

/* Told as two variants, so that what the experiments together did is compared as any other experiment. A stored holdout brings them along. */
bool holdout_variants(const json_t *given, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    if (json_array_size(given) != 0 && json_array_size(given) != 2)
        return err_set(err, ERR_INVALID,
                       "experiment: field \"variants\" is not for kind \"holdout\": they follow from its share");
    e->variants_count = 2;
    e->variants = arena_zalloc(arena, 2 * sizeof *e->variants);
    e->variants[0] = (struct snapshot_variant){ str_of(held_out), STR("held out"), e->holdout_share,
                                                STR("\"held_out\"") };
    e->variants[1] = (struct snapshot_variant){ str_of(open_arm), STR("open"), 1 - e->holdout_share, STR("\"open\"") };
    e->default_json = STR("\"open\"");
    return true;
}

static bool forbid(bool there, const char *field, const struct snapshot_experiment *e, struct err *err)
{
    return !there || err_set(err, ERR_INVALID, "experiment: field \"%s\" is not for kind \"%s\"", field,
                             experiment_kind_names[e->kind]);
}

/* Against the variants and metrics: the floors of all variants leave something to win, and what is played for is on the result page. */
static bool bandit_check(const struct snapshot_experiment *e, struct err *err)
{
    const struct experiment_bandit *b = &e->bandit;
    bool listed = b->metric.n == 0;
    if (b->floor * (double)e->variants_count > 1)
        return err_set(err, ERR_INVALID,
                       "experiment: bandit: field \"floor\" is %g: more than 1 for %zu variants together", b->floor,
                       e->variants_count);
    for (size_t i = 0; i < e->metrics_count; i++)
        listed = listed || str_eq(e->metrics[i].metric, b->metric);
    return listed ||
           err_set(err, ERR_INVALID,
                   "experiment: bandit: field \"metric\": \"" STR_FMT "\" is not one of the experiment's metrics",
                   STR_ARG(str_cut(b->metric, SHOWN_MAX)));
}

/* Sticky assignments are kept under a variant's key in the database; a method that merges lists, or a holdout, splits nothing that could
 * stick. */
bool rollout_check(const struct snapshot_experiment *e, struct err *err)
{
    bool holdout = e->kind == EXPERIMENT_HOLDOUT, interleave = e->kind == EXPERIMENT_INTERLEAVE;
    if (holdout &&
        !(forbid(e->ramp_count > 0, "ramp", e, err) && forbid(e->layer.n > 0, "layer", e, err) &&
          forbid(e->targeting_json.n > 0, "targeting", e, err) && forbid(e->coverage < 1, "coverage", e, err) &&
          forbid(e->prerequisites_count > 0, "prerequisites", e, err)))
        return false;
    if ((holdout || interleave) &&
        !(forbid(e->sticky, "sticky", e, err) && forbid(e->forced_count > 0, "forced", e, err)))
        return false;
    if (e->fallback_attribute.n && !e->sticky)
        return err_set(err, ERR_INVALID, "experiment: field \"fallback_attribute\" needs \"sticky\": true");
    if ((e->kind == EXPERIMENT_BANDIT && !bandit_check(e, err)) || !analysis_check(e, err))
        return false;
    if (interleave && !str_eq(e->interleave_method, STR("multileave")) && e->variants_count > 2)
        return err_set(err, ERR_INVALID,
                       "experiment: method \"" STR_FMT "\" merges two rankings, not %zu: use \"multileave\"",
                       STR_ARG(e->interleave_method), e->variants_count);
    return true;
}

/* ---- writing ---- */

static void write_schedule(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "schedule", '{');
    if (e->start_at_us)
        jsonw_time(w, "start_at", e->start_at_us);
    if (e->stop_at_us)
        jsonw_time(w, "stop_at", e->stop_at_us);
    jsonw_close(w);
}

static void write_ramp(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "ramp", '{');
    jsonw_open(w, "steps", '[');
    for (size_t i = 0; i < e->ramp_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_double(w, "coverage", e->ramp[i].coverage);
        jsonw_double(w, "hold_hours", (double)e->ramp[i].hold_us / (double)HOUR_US);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_bool(w, "guardrail_stop", e->guardrail_stop);
    jsonw_close(w);
}

static void write_holdout(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "holdout", '{');
    jsonw_double(w, "share", e->holdout_share);
    if (e->holdout_metrics.n) {
        jsonw_open(w, "metrics", '[');
        for (size_t i = 0; i < e->holdout_metrics.n; i++)
            jsonw_str(w, NULL, e->holdout_metrics.p[i]);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_bandit(struct jsonw *w, const struct experiment_bandit *b)
{
    jsonw_open(w, "bandit", '{');
    jsonw_str(w, "policy", b->policy);
    jsonw_double(w, "floor", b->floor);
    jsonw_double(w, "epsilon", b->epsilon);
    jsonw_double(w, "beta", b->beta);
    jsonw_i64(w, "burn_in_units", b->burn_in_units);
    if (b->metric.n)
        jsonw_str(w, "metric", b->metric);
    jsonw_close(w);
}

static void write_kind(struct jsonw *w, const struct snapshot_experiment *e)
{
    if (e->kind == EXPERIMENT_BANDIT)
        write_bandit(w, &e->bandit);
    if (e->kind == EXPERIMENT_HOLDOUT)
        write_holdout(w, e);
    if (e->kind == EXPERIMENT_INTERLEAVE) {
        jsonw_open(w, "interleave", '{');
        jsonw_str(w, "method", e->interleave_method);
        jsonw_close(w);
    }
}

void rollout_write(struct jsonw *w, const struct snapshot_experiment *e)
{
    if (!str_eq(e->parameter, e->key))
        jsonw_str(w, "parameter", e->parameter);
    if (!str_eq(e->default_json, STR("null")) && e->kind != EXPERIMENT_HOLDOUT)
        jsonw_raw(w, "default_value", e->default_json);
    if (e->layer.n) {
        jsonw_str(w, "layer", e->layer);
        jsonw_double(w, "layer_share", e->layer_share);
    }
    if (e->start_at_us || e->stop_at_us)
        write_schedule(w, e);
    if (e->ramp_count)
        write_ramp(w, e);
    if (e->sticky)
        jsonw_bool(w, "sticky", true);
    if (e->fallback_attribute.n)
        jsonw_str(w, "fallback_attribute", e->fallback_attribute);
    analysis_write(w, e);
    write_kind(w, e);
}
