#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

/* jansson recurses once a level, up to 2048 levels, when it parses and when it frees. Nothing of ours nests deeper than
 * ten. */
enum { DEPTH_MAX = 64, SHOWN_MAX = 60 };

static bool check_depth(struct str text, struct err *err)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEPTH_MAX)
                return err_set(err, ERR_INVALID, "JSON is nested deeper than %d levels", DEPTH_MAX);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

/* Foreign text for a message: cut between characters, control characters made visible. */
static void make_shown(struct str s, char shown[SHOWN_MAX + 1])
{
    size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        shown[i] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i];
    shown[n] = '\0';
}

json_t *json_parse(struct str text, struct err *err)
{
    json_error_t e;
    if (!check_depth(text, err))
        return NULL;
    if (!str_is_utf8(text)) {
        err_set(err, ERR_INVALID, "not valid JSON: it holds bytes that are not UTF-8, or a NUL");
        return NULL;
    }
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!root) {
        char shown[SHOWN_MAX + 1];
        make_shown(str_of(e.text), shown);
        err_set(err, ERR_INVALID, "not valid JSON: line %d, column %d: %s", e.line, e.column, shown);
    }
    return root;
}

static const char *kind_name(const json_t *v)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",    [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };
    return v ? names[json_typeof(v)] : "missing";
}

static bool failed(const struct json_reader *r)
{
    return r->err.kind != ERR_NONE;
}

void json_reader_open(struct json_reader *r, json_t *object, const char *what)
{
    *r = (struct json_reader){ .object = object, .what = what };
    if (!json_is_object(object))
        err_set(&r->err, ERR_INVALID, "%s is %s, not an object", what, kind_name(object));
}

bool json_fail(struct json_reader *r, const char *key, const char *fmt, ...)
{
    char text[sizeof r->err.text];
    if (failed(r))
        return false;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (key)
        return err_set(&r->err, ERR_INVALID, "%s: field \"%s\" %s", r->what, key, text);
    return err_set(&r->err, ERR_INVALID, "%s: %s", r->what, text);
}

/* The value of a field, remembered as asked for; NULL when there is none to read or the reader has failed. */
static json_t *ask(struct json_reader *r, const char *key, enum json_need need)
{
    if (failed(r))
        return NULL;
    if (r->seen_count == JSON_SEEN_MAX) {
        json_fail(r, key, "is one too many for the reader");
        return NULL;
    }
    r->seen[r->seen_count++] = key;
    json_t *v = json_object_get(r->object, key);
    if (!v && need == JSON_REQUIRED)
        json_fail(r, key, "is missing");
    return v;
}

/* As ask, but an optional field may also be null, which is the same as none. */
static json_t *ask_value(struct json_reader *r, const char *key, enum json_need need)
{
    json_t *v = ask(r, key, need);
    return need == JSON_OPTIONAL && json_is_null(v) ? NULL : v;
}

static bool wrong_kind(struct json_reader *r, const char *key, const json_t *v, const char *wanted)
{
    return json_fail(r, key, "is %s, not %s", kind_name(v), wanted);
}

bool json_get_str(struct json_reader *r, const char *key, enum json_need need, struct str *out, struct arena *arena)
{
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    if (!json_is_string(v))
        return wrong_kind(r, key, v, "a string");
    struct str s = { json_string_value(v), json_string_length(v) };
    *out = arena ? arena_str(arena, s) : s;
    return true;
}

bool json_get_double(struct json_reader *r, const char *key, enum json_need need, double *out)
{
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    if (!json_is_number(v))
        return wrong_kind(r, key, v, "a number");
    *out = json_number_value(v);
    return true;
}

bool json_get_i64(struct json_reader *r, const char *key, enum json_need need, int64_t *out)
{
    static const double exact = 9007199254740992.0; /* 2^53: up to here a double counts every integer */
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    double d = json_number_value(v);
    if (json_is_real(v) && d == rint(d) && fabs(d) <= exact)
        *out = (int64_t)d; /* JavaScript knows no integers: 3.0 is 3 */
    else if (json_is_integer(v))
        *out = json_integer_value(v);
    else
        return json_is_real(v) ? json_fail(r, key, "is %g, not a whole number", d)
                               : wrong_kind(r, key, v, "a whole number");
    return true;
}

bool json_get_bool(struct json_reader *r, const char *key, enum json_need need, bool *out)
{
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    if (!json_is_boolean(v))
        return wrong_kind(r, key, v, "true or false");
    *out = json_is_true(v);
    return true;
}

bool json_get_array(struct json_reader *r, const char *key, enum json_need need, json_t **out)
{
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    if (!json_is_array(v))
        return wrong_kind(r, key, v, "a list");
    *out = v;
    return true;
}

bool json_get_object(struct json_reader *r, const char *key, enum json_need need, json_t **out)
{
    json_t *v = ask_value(r, key, need);
    if (!v)
        return false;
    if (!json_is_object(v))
        return wrong_kind(r, key, v, "an object");
    *out = v;
    return true;
}

bool json_get_any(struct json_reader *r, const char *key, enum json_need need, json_t **out)
{
    json_t *v = ask(r, key, need);
    if (v)
        *out = v;
    return v != NULL;
}

static bool is_seen(const struct json_reader *r, const char *key)
{
    for (size_t i = 0; i < r->seen_count; i++)
        if (strcmp(r->seen[i], key) == 0)
            return true;
    return false;
}

static bool refuse_unknown(struct json_reader *r, const char *key)
{
    char shown[SHOWN_MAX + 1];
    make_shown(str_of(key), shown);
    const char *meant = nearest_name(str_of(key), r->seen, r->seen_count);
    if (meant)
        return json_fail(r, NULL, "unknown field \"%s\" (did you mean \"%s\"?)", shown, meant);
    return json_fail(r, NULL, "unknown field \"%s\"", shown);
}

bool json_reader_close(struct json_reader *r, struct err *err)
{
    const char *key;
    json_t *value;
    if (!failed(r)) {
        json_object_foreach(r->object, key, value)
        {
            if (!is_seen(r, key)) {
                refuse_unknown(r, key);
                break;
            }
        }
    }
    if (failed(r) && err)
        *err = r->err;
    return !failed(r);
}

static void write_string(struct buf *b, const json_t *v)
{
    buf_add_json_str(b, (struct str){ json_string_value(v), json_string_length(v) });
}

static void write_array(struct buf *b, const json_t *v)
{
    buf_add_byte(b, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i)
            buf_add_byte(b, ',');
        json_write(b, json_array_get(v, i));
    }
    buf_add_byte(b, ']');
}

static void write_object(struct buf *b, json_t *v)
{
    const char *key;
    json_t *member;
    bool comma = false;
    buf_add_byte(b, '{');
    json_object_foreach(v, key, member)
    {
        if (comma)
            buf_add_byte(b, ',');
        comma = true;
        buf_add_json_str(b, str_of(key));
        buf_add_byte(b, ':');
        json_write(b, member);
    }
    buf_add_byte(b, '}');
}

/* Recurses once a level: json_parse let at most DEPTH_MAX through. */
void json_write(struct buf *b, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        write_object(b, (json_t *)(uintptr_t)v); /* jansson's iterators take no const */
        break;
    case JSON_ARRAY:
        write_array(b, v);
        break;
    case JSON_STRING:
        write_string(b, v);
        break;
    case JSON_INTEGER:
        buf_addf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        break;
    case JSON_REAL:
        buf_add_json_double(b, json_real_value(v));
        break;
    default:
        buf_add_c(b, json_is_null(v) ? "null" : json_is_true(v) ? "true" : "false");
    }
}
