#include "job/params.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/nearest.h"

enum { SHOWN_MAX = 60, WANTED_MAX = 200 };

/* ---- what is wanted, in words ---- */

static void list_choices(const struct job_param *p, struct buf *out)
{
    buf_add_c(out, "one of ");
    for (size_t i = 0; p->choices[i]; i++)
        buf_addf(out, "%s\"%s\"", i ? ", " : "", p->choices[i]);
}

static void describe(const struct job_param *p, struct buf *out)
{
    switch (p->type) {
    case JOB_TEXT:
        buf_addf(out, "a text of 1 to %g bytes", p->max > 0 ? p->max : JOB_TEXT_MAX);
        break;
    case JOB_WHOLE:
        buf_addf(out, "%s from %.0f to %.0f", p->power_of_two ? "a power of two" : "a whole number", p->min, p->max);
        break;
    case JOB_REAL:
        buf_addf(out, p->open ? "a number between %g and %g" : "a number from %g to %g", p->min, p->max);
        break;
    case JOB_BOOLEAN:
        buf_add_c(out, "true or false");
        break;
    case JOB_DAY:
        buf_add_c(out, "a day such as 2026-11-27");
        break;
    case JOB_CHOICE:
        list_choices(p, out);
        break;
    case JOB_JSON:
        buf_add_c(out, "an object or a list");
        break;
    case JOB_PARAM_TYPE_COUNT:
        break;
    }
}

static bool wrong(const struct job_param *p, const json_t *v, struct err *err)
{
    AUTO(buf_release) struct buf wanted;
    AUTO(buf_release) struct buf given;
    buf_init(&wanted, WANTED_MAX);
    buf_init(&given, JOB_PARAMS_BYTES);
    describe(p, &wanted);
    json_write(&given, v);
    struct str shown = str_cut(buf_str(&given), SHOWN_MAX);
    return err_set(err, ERR_INVALID, "parameter \"%s\" is " STR_FMT "%s, not " STR_FMT, p->name, STR_ARG(shown),
                   shown.n < given.n ? "…" : "", STR_ARG(buf_str(&wanted)));
}

static bool unknown(const struct job_type *type, struct str name, struct err *err)
{
    const char *names[JOB_PARAMS_MAX];
    for (size_t i = 0; i < type->params_count; i++)
        names[i] = type->params[i].name;
    const char *meant = nearest_name(name, names, type->params_count);
    struct str shown = str_cut(name, SHOWN_MAX);
    if (meant)
        return err_set(err, ERR_INVALID, "job \"%s\" has no parameter \"" STR_FMT "\" (did you mean \"%s\"?)",
                       type->name, STR_ARG(shown), meant);
    return err_set(err, ERR_INVALID, "job \"%s\" has no parameter \"" STR_FMT "\"", type->name, STR_ARG(shown));
}

/* ---- one value ---- */

static bool is_text(const json_t *v, double max)
{
    size_t n = json_string_length(v);
    return json_is_string(v) && n >= 1 && (double)n <= (max > 0 ? max : JOB_TEXT_MAX);
}

static bool is_whole(const struct job_param *p, const json_t *v)
{
    json_int_t n = json_integer_value(v);
    return json_is_integer(v) && (double)n >= p->min && (double)n <= p->max && (!p->power_of_two || (n & (n - 1)) == 0);
}

static bool is_real(const struct job_param *p, const json_t *v)
{
    double d = json_number_value(v);
    return json_is_number(v) && (p->open ? d > p->min && d < p->max : d >= p->min && d <= p->max);
}

static bool is_day(const json_t *v)
{
    int64_t at_us;
    char whole[32];
    if (!json_is_string(v) || json_string_length(v) != strlen("2026-11-27"))
        return false;
    (void)snprintf(whole, sizeof whole, "%sT00:00:00Z", json_string_value(v));
    return clock_parse(str_of(whole), &at_us, NULL);
}

static bool is_choice(const struct job_param *p, const json_t *v)
{
    for (size_t i = 0; json_is_string(v) && p->choices[i]; i++)
        if (strcmp(p->choices[i], json_string_value(v)) == 0)
            return true;
    return false;
}

static bool fits(const struct job_param *p, const json_t *v)
{
    switch (p->type) {
    case JOB_TEXT:
        return is_text(v, p->max);
    case JOB_WHOLE:
        return is_whole(p, v);
    case JOB_REAL:
        return is_real(p, v);
    case JOB_BOOLEAN:
        return json_is_boolean(v);
    case JOB_DAY:
        return is_day(v);
    case JOB_CHOICE:
        return is_choice(p, v);
    case JOB_JSON:
        return json_is_object(v) || json_is_array(v);
    case JOB_PARAM_TYPE_COUNT:
        break;
    }
    return false;
}

/* What a shell wrote, as the type's own kind of JSON where it can be read so; else as the text that it is, which is then refused in words. */
static json_t *of_text(const struct job_param *p, struct str text)
{
    int64_t whole;
    double real;
    bool yes;
    json_t *v = NULL;
    if (p->type == JOB_WHOLE && parse_i64(text, &whole, NULL))
        return json_integer(whole);
    if (p->type == JOB_REAL && parse_double(text, &real, NULL))
        return json_real(real);
    if (p->type == JOB_BOOLEAN && parse_bool(text, &yes, NULL))
        return json_boolean(yes);
    if (p->type == JOB_JSON)
        v = json_parse(text, NULL);
    return v ? v : json_stringn(text.p, text.n);
}

/* ---- all of them ---- */

static bool check(const struct job_type *type, json_t *object, struct err *err)
{
    const char *key;
    json_t *v;
    json_object_foreach(object, key, v)
    {
        const struct job_param *p = job_param_find(type, str_of(key));
        if (!p)
            return unknown(type, str_of(key), err);
        if (!json_is_null(v) && !fits(p, v))
            return wrong(p, v, err);
    }
    for (size_t i = 0; i < type->params_count; i++) {
        const json_t *given = json_object_get(object, type->params[i].name);
        if (type->params[i].required && (!given || json_is_null(given)))
            return err_set(err, ERR_INVALID, "job \"%s\" needs parameter \"%s\": %s", type->name, type->params[i].name,
                           type->params[i].help);
    }
    return true;
}

static bool write(const struct job_type *type, const json_t *object, struct buf *out, struct err *err)
{
    AUTO(buf_release) struct buf one;
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    buf_init(&one, JOB_PARAMS_BYTES);
    for (size_t i = 0; i < type->params_count; i++) {
        const json_t *v = json_object_get(object, type->params[i].name);
        if (!v || json_is_null(v))
            continue;
        buf_clear(&one);
        json_write(&one, v);
        jsonw_raw(&w, type->params[i].name, buf_str(&one));
    }
    jsonw_close(&w);
    return buf_ok(&one, "a parameter", err) && buf_ok(out, "the parameters", err);
}

/* Whoever calls releases it with json_decref; NULL and the reason. */
static json_t *parse_object(struct str json, struct err *err)
{
    json_t *root = json_parse(json, err);
    if (root && !json_is_object(root)) {
        json_decref(root);
        err_set(err, ERR_INVALID, "the parameters of a job are an object such as {\"ranges\": 16}");
        return NULL;
    }
    return root;
}

bool job_params_check(const struct job_type *type, struct str json, struct buf *out, struct err *err)
{
    json_auto_t *object = parse_object(json, err);
    return object && check(type, object, err) && write(type, object, out, err);
}

bool job_params_of_text(const struct job_type *type, const char *const *pairs, size_t count, struct buf *out,
                        struct err *err)
{
    json_auto_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        struct str value = str_of(pairs[i]), name;
        if (!strchr(pairs[i], '=') || !str_split(&value, '=', &name))
            return err_set(err, ERR_INVALID, "\"%s\" is not NAME=VALUE", pairs[i]);
        const struct job_param *p = job_param_find(type, name);
        if (!p)
            return unknown(type, name, err);
        if (!str_is_utf8(value))
            return err_set(err, ERR_INVALID, "parameter \"%s\" holds bytes that are not UTF-8", p->name);
        (void)json_object_set_new(object, p->name, of_text(p, value));
    }
    return check(type, object, err) && write(type, object, out, err);
}

/* ---- reading ---- */

static const char *text_of(const json_t *v, struct arena *arena)
{
    if (json_is_string(v))
        return arena_cstr(arena, (struct str){ json_string_value(v), json_string_length(v) });
    AUTO(buf_release) struct buf b;
    buf_init(&b, JOB_PARAMS_BYTES);
    json_write(&b, v);
    return arena_cstr(arena, buf_str(&b));
}

bool job_params_read(const struct job_type *type, struct str json, struct arena *arena, struct job_params *out,
                     struct err *err)
{
    json_auto_t *object = parse_object(json, err);
    if (!object || !check(type, object, err))
        return false;
    *out = (struct job_params){ .type = type };
    for (size_t i = 0; i < type->params_count; i++) {
        const json_t *v = json_object_get(object, type->params[i].name);
        if (v && !json_is_null(v))
            out->values[i] = text_of(v, arena);
    }
    return true;
}

const char *job_params_get(const struct job_params *params, const char *name)
{
    const struct job_param *p = job_param_find(params->type, str_of(name));
    assert(p);
    const char *given = params->values[p - params->type->params];
    return given ? given : p->fallback;
}

int64_t job_params_whole(const struct job_params *params, const char *name)
{
    const char *text = job_params_get(params, name);
    int64_t out = 0;
    bool ok = text && parse_i64(str_of(text), &out, NULL);
    assert(ok);
    return out;
}

double job_params_real(const struct job_params *params, const char *name)
{
    const char *text = job_params_get(params, name);
    double out = 0;
    bool ok = text && parse_double(str_of(text), &out, NULL);
    assert(ok);
    return out;
}

bool job_params_boolean(const struct job_params *params, const char *name)
{
    const char *text = job_params_get(params, name);
    bool out = false, ok = text && parse_bool(str_of(text), &out, NULL);
    assert(ok);
    return out;
}
