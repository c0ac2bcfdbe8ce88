#include "experimentd/serving/fields.h"

#include <math.h>

#include "base/nearest.h"
#include "experimentd/evaluate/ask.h"
#include "experimentd/serving/serving.h"

enum { SHOWN_MAX = 60, NAME_MAX_BYTES = 64 };

static const struct {
    enum assign_type type;
    const char *wanted;
} types[] = {
    [FIELD_TEXT] = { ASSIGN_STRING, "a string" },    [FIELD_NUMBER] = { ASSIGN_NUMBER, "a number" },
    [FIELD_BOOL] = { ASSIGN_BOOL, "true or false" }, [FIELD_LIST] = { ASSIGN_ARRAY, "a list" },
    [FIELD_JSON] = { ASSIGN_OBJECT, "an object" },
};

static int find(const struct field *fields, size_t count, struct str name, struct err *err)
{
    const char *names[FIELDS_MAX];
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, fields[i].name))
            return (int)i;
        names[i] = fields[i].name;
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        err_set(err, ERR_INVALID, "unknown field \"" STR_FMT "\" (did you mean \"%s\"?)",
                STR_ARG(str_cut(name, SHOWN_MAX)), near);
    else
        err_set(err, ERR_INVALID, "unknown field \"" STR_FMT "\"", STR_ARG(str_cut(name, SHOWN_MAX)));
    return -1;
}

/* ---- from JSON ---- */

bool fields_of_object(const struct assign_value *object, const struct field *fields, size_t count,
                      struct assign_value *out, struct err *err)
{
    if (object->type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "the request is %s, not an object", ask_kind(object));
    for (size_t i = 0; i < count; i++)
        out[i] = (struct assign_value){ .type = ASSIGN_MISSING };
    for (uint32_t i = 0; i < object->count; i++) {
        const struct assign_member *m = &object->members[i];
        int f = find(fields, count, (struct str){ m->key.p, m->key.n }, err);
        if (f < 0)
            return false;
        if (m->value.type == ASSIGN_NULL)
            continue;
        if (m->value.type != types[fields[f].type].type)
            return err_set(err, ERR_INVALID, "field \"%s\" is %s, not %s", fields[f].name, ask_kind(&m->value),
                           types[fields[f].type].wanted);
        if (m->value.type == ASSIGN_ARRAY && m->value.count > FIELD_LIST_MAX)
            return err_set(err, ERR_TOO_LARGE, "field \"%s\" has more than %d elements", fields[f].name,
                           FIELD_LIST_MAX);
        out[f] = m->value;
    }
    return true;
}

/* ---- from a query string ---- */

static struct assign_value text_value(struct str text)
{
    return (struct assign_value){ .type = ASSIGN_STRING, .text = { text.p, text.n } };
}

static bool append(struct http_request *req, const struct field *field, struct str text, struct assign_value *out,
                   struct err *err)
{
    if (out->count == FIELD_LIST_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"%s\" is there more than %d times", field->name, FIELD_LIST_MAX);
    uint32_t n = out->type == ASSIGN_MISSING ? 0 : out->count;
    struct assign_value *items = (struct assign_value *)(uintptr_t)out->items;
    if ((n & (n - 1)) == 0) { /* a power of two: full */
        struct assign_value *more = arena_alloc(&req->arena, (n ? 2 * (size_t)n : 1) * sizeof *more);
        if (n)
            memcpy(more, items, n * sizeof *more);
        items = more;
    }
    items[n] = text_value(text);
    *out = (struct assign_value){ .type = ASSIGN_ARRAY, .count = n + 1, .items = items };
    return true;
}

static bool take_text(struct http_request *req, const struct field *field, struct str text, struct assign_value *out,
                      struct err *err)
{
    double number;
    bool boolean;
    if (field->type == FIELD_LIST)
        return append(req, field, text, out, err);
    if (out->type != ASSIGN_MISSING)
        return err_set(err, ERR_INVALID, "field \"%s\" is there twice", field->name);
    if (field->type == FIELD_TEXT) {
        *out = text_value(text);
    } else if (field->type == FIELD_NUMBER) {
        if (!parse_double(text, &number, err))
            return err_prefix(err, "field \"%s\": ", field->name);
        *out = (struct assign_value){ .type = ASSIGN_NUMBER, .number = number };
    } else if (field->type == FIELD_BOOL) {
        if (!parse_bool(text, &boolean, err))
            return err_prefix(err, "field \"%s\": ", field->name);
        *out = (struct assign_value){ .type = ASSIGN_BOOL, .boolean = boolean };
    } else if (!ask_read_json(req, text, out, err) ||
               (out->type != ASSIGN_OBJECT && !err_set(err, ERR_INVALID, "it is %s, not an object", ask_kind(out)))) {
        return err_prefix(err, "field \"%s\": ", field->name);
    }
    return true;
}

bool fields_of_query(struct http_request *req, const struct field *fields, size_t count, struct assign_value *out,
                     struct err *err)
{
    struct str rest = req->query, part, raw, name, text;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct assign_value){ .type = ASSIGN_MISSING };
    while (str_split(&rest, '&', &part)) {
        struct str value = part;
        if (!part.n)
            continue;
        (void)str_split(&value, '=', &raw);
        if (!http_percent_decode(&req->arena, raw, true, &name) ||
            !http_percent_decode(&req->arena, value, true, &text))
            return err_set(err, ERR_INVALID, "query string: \"" STR_FMT "\" holds a bad percent escape",
                           STR_ARG(str_cut(part, SHOWN_MAX)));
        int f = find(fields, count, name, err);
        if (f < 0 || !take_text(req, &fields[f], text, &out[f], err))
            return false;
    }
    return true;
}

bool fields_of_request(struct http_request *req, const struct field *fields, size_t count, struct assign_value *out,
                       struct err *err)
{
    struct assign_value body;
    if (req->method != HTTP_POST_)
        return fields_of_query(req, fields, count, out, err);
    if (req->query.n)
        return err_set(err, ERR_INVALID, "a POST has its fields in the body, not in the query string");
    return ask_read_json(req, req->body, &body, err) && fields_of_object(&body, fields, count, out, err);
}

/* ---- values ---- */

struct str field_text(const struct assign_value *v)
{
    return v->type == ASSIGN_STRING ? (struct str){ v->text.p, v->text.n } : (struct str){ NULL, 0 };
}

bool field_bool(const struct assign_value *v, bool missing)
{
    return v->type == ASSIGN_BOOL ? v->boolean : missing;
}

bool field_number(const struct assign_value *v, const char *name, double low, double high, bool whole, double missing,
                  double *out, struct err *err)
{
    double number = v->type == ASSIGN_NUMBER ? v->number : missing;
    if (v->type == ASSIGN_NUMBER && (!(number >= low && number <= high) || (whole && floor(number) < number)))
        return err_set(err, ERR_INVALID, "field \"%s\" is %.10g, not %s from %g to %g", name, number,
                       whole ? "a whole number" : "a number", low, high);
    *out = number;
    return true;
}

bool field_short(const struct assign_value *v, const char *name, bool required, size_t max_bytes, struct str *out,
                 struct err *err)
{
    struct str text = field_text(v);
    if (required && !text.n)
        return err_set(err, ERR_INVALID, "field \"%s\" is missing%s", name, text.p ? ": it is empty" : "");
    if (text.n > max_bytes)
        return err_set(err, ERR_TOO_LARGE, "field \"%s\" is longer than %zu bytes", name, max_bytes);
    if (text.n && !str_is_utf8(text))
        return err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8", name);
    *out = text;
    return true;
}

bool field_model(const struct assign_value *model, const struct assign_value *alias, struct str *out_model,
                 struct str *out_alias, struct err *err)
{
    struct str name, rest, other;
    if (!field_short(model, "model", false, 2 * NAME_MAX_BYTES + 1, &rest, err) ||
        !field_short(alias, "alias", false, NAME_MAX_BYTES, &other, err))
        return false;
    *out_model = rest;
    if (rest.n && memchr(rest.p, '@', rest.n) && str_split(&rest, '@', &name)) {
        if (other.n && !str_eq(other, rest))
            return err_set(err, ERR_INVALID, "field \"model\" names another alias than field \"alias\"");
        *out_model = name;
        other = rest;
    }
    *out_alias = other.n ? other : STR(SERVING_ALIAS);
    return true;
}
