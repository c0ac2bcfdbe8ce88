#include "experimentd/loop/spec.h"

#include <assert.h>

#include "base/jsonw.h"
#include "experimentd/config/experiment.h"
#include "experimentd/health/webhook.h"

enum { SHOWN_MAX = 60, URL_MAX = 1000, DAYS_MAX = 366, MIN_DAYS = 7, MAX_DAYS = 28 };
#define TRAFFIC_DEFAULT 0.1

/* Members of the experiment, as it has them; `phase`: they may change in a new phase. */
static const struct {
    const char *name;
    bool phase;
} fields[] = {
    { "metrics", true },      { "analysis", true },   { "target_effect", true },
    { "multiplicity", true }, { "adjustment", true }, { "stratify_by", true },
    { "mde", true },          { "targeting", true },  { "segments", true },
    { "not_segments", true }, { "layer", true },      { "layer_share", true },
    { "interleave", true },   { "parameter", false }, { "hash_attribute", false },
};

static bool is_kind(const struct loop_spec *s, enum experiment_kind kind)
{
    return s->kind == kind;
}

/* ---- reading ---- */

/* One of two words; the first one unless something was said. */
static bool read_choice(struct json_reader *r, const char *field, const char *first, const char *second, bool *out)
{
    struct str word = { NULL, 0 };
    if (!json_get_str(r, field, JSON_OPTIONAL, &word, NULL))
        return true;
    *out = str_eq_c(word, second);
    return *out || str_eq_c(word, first) ||
           json_fail(r, field, "is \"%.*s\", not %s or %s", STR_ARG(str_cut(word, SHOWN_MAX)), first, second);
}

static void read_days(struct json_reader *r, struct loop_spec *s)
{
    s->min_days = MIN_DAYS;
    s->max_days = MAX_DAYS;
    (void)json_get_i64(r, "min_days", JSON_OPTIONAL, &s->min_days);
    (void)json_get_i64(r, "max_days", JSON_OPTIONAL, &s->max_days);
    if (s->min_days < 0 || s->min_days > DAYS_MAX)
        (void)json_fail(r, "min_days", "is %lld, outside 0 to %d", (long long)s->min_days, DAYS_MAX);
    if (s->max_days < 1 || s->max_days > DAYS_MAX || s->max_days < s->min_days)
        (void)json_fail(r, "max_days", "is %lld, outside %lld (\"min_days\", and at least 1) to %d",
                        (long long)s->max_days, (long long)(s->min_days > 1 ? s->min_days : 1), DAYS_MAX);
}

static void read_notify(struct json_reader *r, struct loop_spec *s, struct arena *arena)
{
    struct json_reader n;
    json_t *notify = NULL;
    struct err err;
    if (!json_get_object(r, "notify", JSON_OPTIONAL, &notify))
        return;
    json_reader_open(&n, notify, "notify");
    if (json_get_str(&n, "url", JSON_REQUIRED, &s->notify_url, arena) && !webhook_is_address(s->notify_url, URL_MAX))
        (void)json_fail(&n, "url", "is \"%.*s\", no http:// address of up to %d bytes",
                        STR_ARG(str_cut(s->notify_url, SHOWN_MAX)), URL_MAX);
    if (!json_reader_close(&n, &err))
        (void)json_fail(r, NULL, "%s", err.text);
}

static void read_words(struct json_reader *r, struct loop_spec *s, struct arena *arena)
{
    bool interleave = false, waits = false;
    json_t *any;
    (void)read_choice(r, "kind", "ab", "interleave", &interleave);
    (void)read_choice(r, "approve", "automatic", "person", &s->asks);
    (void)read_choice(r, "on_alarm", "roll_back", "wait", &waits);
    s->kind = interleave ? EXPERIMENT_INTERLEAVE : EXPERIMENT_AB;
    s->alarm_ends = !waits;
    s->traffic = TRAFFIC_DEFAULT;
    (void)json_get_double(r, "traffic", JSON_OPTIONAL, &s->traffic);
    if (!(s->traffic > 0 && s->traffic <= 1))
        (void)json_fail(r, "traffic", "is %g, not above 0 and up to 1: the share of units that are in the experiment",
                        s->traffic);
    if (!json_get_str(r, "experiment", JSON_OPTIONAL, &s->experiment, arena))
        s->experiment = arena_printf(arena, "loop-" STR_FMT, STR_ARG(s->model));
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        (void)json_get_any(r, fields[i].name, JSON_OPTIONAL, &any);
}

bool loop_spec_read(json_t *root, struct str model, struct arena *arena, struct loop_spec *out, struct err *err)
{
    struct json_reader r;
    struct loop_spec s = { .model = arena_str(arena, model), .root = root };
    json_reader_open(&r, root, "loop");
    read_words(&r, &s, arena);
    read_days(&r, &s);
    read_notify(&r, &s, arena);
    if (is_kind(&s, EXPERIMENT_AB) && json_array_size(json_object_get(root, "metrics")) == 0)
        (void)json_fail(&r, "metrics", "is missing: what the challenger has to be better in");
    if (!json_reader_close(&r, err))
        return false;
    *out = s;
    return true;
}

/* ---- writing ---- */

static void write_field(struct jsonw *w, const char *name, const json_t *v)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, LOOP_SPEC_MAX);
    json_write(&b, v);
    jsonw_raw(w, name, buf_str(&b));
}

static const json_t *given(const struct loop_spec *s, const char *name)
{
    const json_t *v = json_object_get(s->root, name);
    return json_is_null(v) ? NULL : v;
}

void loop_spec_write(struct jsonw *w, const struct loop_spec *s)
{
    jsonw_text(w, "kind", experiment_kind_names[s->kind]);
    jsonw_str(w, "experiment", s->experiment);
    jsonw_double(w, "traffic", s->traffic);
    jsonw_i64(w, "min_days", s->min_days);
    jsonw_i64(w, "max_days", s->max_days);
    jsonw_text(w, "approve", s->asks ? "person" : "automatic");
    jsonw_text(w, "on_alarm", s->alarm_ends ? "roll_back" : "wait");
    if (s->notify_url.n) {
        jsonw_open(w, "notify", '{');
        jsonw_str(w, "url", s->notify_url);
        jsonw_close(w);
    }
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (given(s, fields[i].name))
            write_field(w, fields[i].name, given(s, fields[i].name));
}

/* ---- its experiment ---- */

static void write_value(struct jsonw *w, const char *key, const struct loop_spec *s, const char *alias)
{
    jsonw_open(w, key, '{');
    jsonw_str(w, "model", s->model);
    jsonw_text(w, "alias", alias);
    jsonw_close(w);
}

static void write_variants(struct jsonw *w, const struct loop_spec *s)
{
    static const char *const aliases[] = { "champion", "challenger" };
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "key", aliases[i]);
        write_value(w, "value", s, aliases[i]);
        jsonw_close(w);
    }
    jsonw_close(w);
    write_value(w, "default_value", s, aliases[0]);
}

static void write_fixed(struct jsonw *w, const struct loop_spec *s)
{
    jsonw_str(w, "key", s->experiment);
    jsonw_str(w, "name", s->experiment);
    jsonw_text(w, "kind", experiment_kind_names[s->kind]);
    write_variants(w, s);
}

/* A preference, too, is looked at every day, so it is tested for that unless something else is said. */
static void write_analysis(struct jsonw *w, const struct loop_spec *s)
{
    if (given(s, "analysis") || !is_kind(s, EXPERIMENT_INTERLEAVE))
        return;
    jsonw_open(w, "analysis", '{');
    jsonw_text(w, "method", "any_time");
    jsonw_close(w);
}

struct str loop_spec_document(const struct loop_spec *s, bool phase, struct arena *arena)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, 2 * LOOP_SPEC_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    if (phase)
        jsonw_bool(&w, "reassign", true);
    else
        write_fixed(&w, s);
    jsonw_double(&w, "coverage", s->traffic);
    jsonw_i64(&w, "minimum_days", s->min_days);
    write_analysis(&w, s);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (phase && !fields[i].phase)
            continue;
        const json_t *v = given(s, fields[i].name);
        bool said = strcmp(fields[i].name, "analysis") == 0 && is_kind(s, EXPERIMENT_INTERLEAVE);
        if (v)
            write_field(&w, fields[i].name, v);
        else if (phase && !said)
            jsonw_null(&w, fields[i].name);
    }
    jsonw_close(&w);
    struct str text = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

bool loop_spec_experiment(const struct loop_spec *s, struct arena *arena, struct snapshot_experiment *out,
                          struct err *err)
{
    json_auto_t *root = json_parse(loop_spec_document(s, false, arena), err);
    return root && experiment_read(root, arena, out, err);
}

static bool same_variants(const struct snapshot_experiment *a, const struct snapshot_experiment *b)
{
    bool same = a->variants_count == b->variants_count;
    for (size_t i = 0; same && i < a->variants_count; i++) {
        json_auto_t *x = json_parse(a->variants[i].value_json, NULL), *y = json_parse(b->variants[i].value_json, NULL);
        same = str_eq(a->variants[i].key, b->variants[i].key) && json_equal(x, y);
    }
    return same;
}

bool loop_spec_fits(const struct loop_spec *s, const struct snapshot_experiment *e, struct arena *arena,
                    struct err *err)
{
    struct snapshot_experiment own;
    if (!loop_spec_experiment(s, arena, &own, err))
        return false;
    if (own.kind == e->kind && str_eq(own.parameter, e->parameter) && str_eq(own.hash_attribute, e->hash_attribute) &&
        same_variants(&own, e))
        return true;
    return err_set(err, ERR_CONFLICT,
                   "experiment \"" STR_FMT "\" is there, and is another one than the loop of model \"" STR_FMT
                   "\" makes (kind, parameter, hash_attribute or variants): say another key in \"experiment\"",
                   STR_ARG(s->experiment), STR_ARG(s->model));
}
