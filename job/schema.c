#include "job/schema.h"

#include <ctype.h>
#include <stdio.h>

#include "base/jsonw.h"

enum { COLUMN = 15, PLACEHOLDER_MAX = 40 };

/* ---- JSON Schema ---- */

static const char *const schema_types[JOB_PARAM_TYPE_COUNT] = {
    [JOB_TEXT] = "string", [JOB_WHOLE] = "integer", [JOB_REAL] = "number", [JOB_BOOLEAN] = "boolean",
    [JOB_DAY] = "string",  [JOB_CHOICE] = "string", [JOB_JSON] = NULL, /* two: object and array */
};

static void write_type(struct jsonw *w, const struct job_param *p)
{
    if (schema_types[p->type]) {
        jsonw_text(w, "type", schema_types[p->type]);
        return;
    }
    jsonw_open(w, "type", '[');
    jsonw_text(w, NULL, "object");
    jsonw_text(w, NULL, "array");
    jsonw_close(w);
}

static void write_enum(struct jsonw *w, const struct job_param *p)
{
    jsonw_open(w, "enum", '[');
    for (size_t i = 0; p->choices && p->choices[i]; i++)
        jsonw_text(w, NULL, p->choices[i]);
    for (double n = 1; p->power_of_two && n <= p->max; n *= 2)
        if (n >= p->min)
            jsonw_i64(w, NULL, (int64_t)n);
    jsonw_close(w);
}

static void write_bounds(struct jsonw *w, const struct job_param *p)
{
    if (p->choices || p->power_of_two) {
        write_enum(w, p);
    } else if (p->type == JOB_WHOLE || p->type == JOB_REAL) {
        jsonw_double(w, p->open ? "exclusiveMinimum" : "minimum", p->min);
        jsonw_double(w, p->open ? "exclusiveMaximum" : "maximum", p->max);
    } else if (p->type == JOB_TEXT) {
        jsonw_i64(w, "minLength", 1);
        jsonw_i64(w, "maxLength", p->max > 0 ? (int64_t)p->max : JOB_TEXT_MAX);
    } else if (p->type == JOB_DAY) {
        jsonw_text(w, "format", "date");
    }
}

static void write_default(struct jsonw *w, const struct job_param *p)
{
    if (!p->fallback)
        return;
    if (p->type == JOB_TEXT || p->type == JOB_DAY || p->type == JOB_CHOICE)
        jsonw_text(w, "default", p->fallback);
    else
        jsonw_raw(w, "default", str_of(p->fallback));
}

static void write_property(struct jsonw *w, const struct job_param *p)
{
    jsonw_open(w, p->name, '{');
    write_type(w, p);
    write_bounds(w, p);
    write_default(w, p);
    if (p->unit)
        jsonw_text(w, "unit", p->unit);
    jsonw_text(w, "description", p->help);
    jsonw_close(w);
}

static void write_schema(struct jsonw *w, const char *key, const struct job_type *type)
{
    jsonw_open(w, key, '{');
    jsonw_text(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonw_text(w, "title", type->name);
    jsonw_text(w, "description", type->summary);
    jsonw_text(w, "type", "object");
    jsonw_open(w, "properties", '{');
    for (size_t i = 0; i < type->params_count; i++)
        write_property(w, &type->params[i]);
    jsonw_close(w);
    jsonw_open(w, "required", '[');
    for (size_t i = 0; i < type->params_count; i++)
        if (type->params[i].required)
            jsonw_text(w, NULL, type->params[i].name);
    jsonw_close(w);
    jsonw_bool(w, "additionalProperties", false);
    jsonw_close(w);
}

void job_type_schema(const struct job_type *type, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    write_schema(&w, NULL, type);
}

void job_type_json(const struct job_type *type, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "name", type->name);
    jsonw_text(&w, "summary", type->summary);
    jsonw_bool(&w, "incremental", type->incremental);
    jsonw_bool(&w, "by_hand", type->by_hand);
    write_schema(&w, "params", type);
    jsonw_close(&w);
}

/* ---- help ---- */

/* "KEY", "N", "DAY", "a|b" */
static void placeholder(const struct job_param *p, char out[PLACEHOLDER_MAX])
{
    static const char *const names[JOB_PARAM_TYPE_COUNT] = {
        [JOB_TEXT] = "TEXT", [JOB_WHOLE] = "N", [JOB_REAL] = "X",   [JOB_BOOLEAN] = "true|false",
        [JOB_DAY] = "DAY",   [JOB_CHOICE] = "", [JOB_JSON] = "JSON"
    };
    size_t n = 0;
    (void)snprintf(out, PLACEHOLDER_MAX, "%s", p->type == JOB_TEXT && p->unit ? p->unit : names[p->type]);
    for (char *c = out; p->type == JOB_TEXT && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    for (size_t i = 0; p->choices && p->choices[i] && n < PLACEHOLDER_MAX; i++)
        n += (size_t)snprintf(out + n, PLACEHOLDER_MAX - n, "%s%s", i ? "|" : "", p->choices[i]);
}

static void help_line(const struct job_param *p, int width, struct buf *out)
{
    char value[PLACEHOLDER_MAX];
    AUTO(mem_free) char *left = NULL;
    placeholder(p, value);
    left = mem_printf("%s=%s", p->name, value);
    buf_addf(out, "%*s%-*s  %s", COLUMN, "", width, left, p->help);
    if (p->required)
        buf_add_c(out, " (must be given)");
    else if (p->fallback)
        buf_addf(out, " (default %s)", p->fallback);
    buf_add_byte(out, '\n');
}

void job_type_help(const struct job_type *type, struct buf *out)
{
    char value[PLACEHOLDER_MAX];
    int width = 0;
    buf_addf(out, "%-12s %s\n", type->name, type->summary);
    for (size_t i = 0; i < type->params_count; i++) {
        placeholder(&type->params[i], value);
        int n = (int)(strlen(type->params[i].name) + strlen(value)) + 1;
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < type->params_count; i++)
        help_line(&type->params[i], width, out);
}
