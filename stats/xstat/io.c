#include "stats/xstat/io.h"

#include <math.h>
#include <string.h>

#define INTEGER_MAX 9007199254740992.0 /* 2^53: above it a double skips integers */

void xstat_in_begin(struct xstat_in *in, json_t *object, struct arena *arena)
{
    *in = (struct xstat_in){ .object = object, .arena = arena };
    if (!json_is_object(object))
        err_set(&in->err, ERR_INVALID, "the line is not a JSON object");
}

bool xstat_in_has(const struct xstat_in *in, const char *key)
{
    return json_object_get(in->object, key) != NULL;
}

static void fail(struct xstat_in *in, const char *key, const char *what)
{
    if (in->err.kind == ERR_NONE)
        err_set(&in->err, ERR_INVALID, "field \"%s\" %s", key, what);
}

static json_t *find(struct xstat_in *in, const char *key)
{
    if (in->err.kind != ERR_NONE)
        return NULL;
    json_t *v = json_object_get(in->object, key);
    if (v)
        in->used++;
    else
        fail(in, key, "is missing");
    return v;
}

static bool read_double(const json_t *v, double *out)
{
    static const struct {
        const char *name;
        double value;
    } named[] = { { "NaN", NAN }, { "Infinity", INFINITY }, { "-Infinity", -INFINITY } };
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    for (size_t i = 0; json_is_string(v) && i < COUNT_OF(named); i++) {
        if (strcmp(json_string_value(v), named[i].name) == 0) {
            *out = named[i].value;
            return true;
        }
    }
    return false;
}

static bool read_count(const json_t *v, int64_t *out)
{
    double d;
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return true;
    }
    if (!read_double(v, &d) || !(fabs(d) <= INTEGER_MAX) || d != floor(d))
        return false;
    *out = (int64_t)d;
    return true;
}

double xstat_in_double(struct xstat_in *in, const char *key)
{
    const json_t *v = find(in, key);
    double d = 0;
    if (v && !read_double(v, &d))
        fail(in, key, "is not a number");
    return d;
}

double xstat_in_double_or(struct xstat_in *in, const char *key, double absent)
{
    return xstat_in_has(in, key) ? xstat_in_double(in, key) : absent;
}

int64_t xstat_in_count(struct xstat_in *in, const char *key)
{
    const json_t *v = find(in, key);
    int64_t n = 0;
    if (v && !read_count(v, &n))
        fail(in, key, "is not a whole number");
    return n;
}

bool xstat_in_bool_or(struct xstat_in *in, const char *key, bool absent)
{
    if (!xstat_in_has(in, key))
        return absent;
    const json_t *v = find(in, key);
    if (v && !json_is_boolean(v))
        fail(in, key, "is not true or false");
    return json_is_true(v);
}

const char *xstat_in_text(struct xstat_in *in, const char *key)
{
    const json_t *v = find(in, key);
    if (v && !json_is_string(v))
        fail(in, key, "is not a string");
    return json_is_string(v) ? json_string_value(v) : "";
}

static const json_t *find_array(struct xstat_in *in, const char *key)
{
    const json_t *v = find(in, key);
    if (v && !json_is_array(v)) {
        fail(in, key, "is not an array");
        return NULL;
    }
    return v;
}

double *xstat_in_doubles(struct xstat_in *in, const char *key, size_t *out_n)
{
    const json_t *array = find_array(in, key);
    size_t n = json_array_size(array);
    double *values = arena_alloc(in->arena, (n + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++)
        if (!read_double(json_array_get(array, i), &values[i]))
            fail(in, key, "has an element that is not a number");
    *out_n = in->err.kind == ERR_NONE ? n : 0;
    return values;
}

static int64_t *read_counts(struct xstat_in *in, const char *key, const json_t *array, int64_t *out)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!read_count(json_array_get(array, i), &out[i]))
            fail(in, key, "has an element that is not a whole number");
    return out;
}

int64_t *xstat_in_counts(struct xstat_in *in, const char *key, size_t *out_n)
{
    const json_t *array = find_array(in, key);
    size_t n = json_array_size(array);
    int64_t *values = read_counts(in, key, array, arena_zalloc(in->arena, (n + 1) * sizeof *values));
    *out_n = in->err.kind == ERR_NONE ? n : 0;
    return values;
}

int64_t *xstat_in_count_rows(struct xstat_in *in, const char *key, size_t width, size_t *out_rows)
{
    const json_t *rows = find_array(in, key);
    size_t n = json_array_size(rows);
    int64_t *values = arena_zalloc(in->arena, (n * width + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        if (!json_is_array(row) || json_array_size(row) != width)
            fail(in, key, "has a row of another length");
        else
            (void)read_counts(in, key, row, values + i * width);
    }
    *out_rows = in->err.kind == ERR_NONE ? n : 0;
    return values;
}

double *xstat_in_double_rows(struct xstat_in *in, const char *key, size_t **out_lengths, size_t *out_rows)
{
    const json_t *rows = find_array(in, key);
    size_t n = json_array_size(rows), all = 0, at = 0;
    size_t *lengths = arena_zalloc(in->arena, (n + 1) * sizeof *lengths);
    for (size_t i = 0; i < n; i++) {
        if (!json_is_array(json_array_get(rows, i)))
            fail(in, key, "has a row that is not an array");
        lengths[i] = json_array_size(json_array_get(rows, i));
        all += lengths[i];
    }
    double *values = arena_zalloc(in->arena, (all + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < lengths[i]; j++, at++)
            if (!read_double(json_array_get(json_array_get(rows, i), j), &values[at]))
                fail(in, key, "has an element that is not a number");
    *out_lengths = lengths;
    *out_rows = in->err.kind == ERR_NONE ? n : 0;
    return values;
}

const char **xstat_in_texts(struct xstat_in *in, const char *key, size_t *out_n)
{
    const json_t *array = find_array(in, key);
    size_t n = json_array_size(array);
    const char **texts = arena_zalloc(in->arena, (n + 1) * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        texts[i] = json_string_value(json_array_get(array, i));
        if (!texts[i])
            fail(in, key, "has an element that is not a string");
    }
    *out_n = in->err.kind == ERR_NONE ? n : 0;
    return texts;
}

struct xstat_in *xstat_in_objects(struct xstat_in *in, const char *key, size_t *out_n)
{
    const json_t *array = find_array(in, key);
    size_t n = json_array_size(array);
    struct xstat_in *objects = arena_zalloc(in->arena, (n + 1) * sizeof *objects);
    for (size_t i = 0; i < n; i++) {
        xstat_in_begin(&objects[i], json_array_get(array, i), in->arena);
        if (objects[i].err.kind != ERR_NONE)
            fail(in, key, "has an element that is not an object");
    }
    *out_n = in->err.kind == ERR_NONE ? n : 0;
    return objects;
}

void xstat_in_object(struct xstat_in *in, const char *key, struct xstat_in *out)
{
    xstat_in_begin(out, find(in, key), in->arena);
    if (out->err.kind != ERR_NONE)
        fail(in, key, "is not an object");
}

bool xstat_in_end(const struct xstat_in *in, struct err *err)
{
    if (in->err.kind != ERR_NONE) {
        *err = in->err;
        return false;
    }
    if (in->used != json_object_size(in->object))
        return err_set(err, ERR_INVALID, "the object has a field that this method does not know (see --explain)");
    return true;
}

static json_t *number(double v)
{
    if (isnan(v))
        return json_null();
    return isinf(v) ? json_string(v > 0 ? "Infinity" : "-Infinity") : json_real(v);
}

void xstat_out_double(json_t *out, const char *key, double v)
{
    (void)json_object_set_new(out, key, number(v));
}

void xstat_out_double_if(json_t *out, const char *key, bool defined, double v)
{
    xstat_out_double(out, key, defined ? v : NAN);
}

void xstat_out_count(json_t *out, const char *key, int64_t v)
{
    (void)json_object_set_new(out, key, json_integer(v));
}

void xstat_out_bool(json_t *out, const char *key, bool v)
{
    (void)json_object_set_new(out, key, json_boolean(v));
}

void xstat_out_text(json_t *out, const char *key, const char *v)
{
    (void)json_object_set_new(out, key, json_string(v));
}

void xstat_out_doubles(json_t *out, const char *key, const double *v, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(array, number(v[i]));
    (void)json_object_set_new(out, key, array);
}

void xstat_out_pair(json_t *out, const char *key, double lo, double hi)
{
    xstat_out_doubles(out, key, (const double[]){ lo, hi }, 2);
}

void xstat_out_null(json_t *out, const char *key)
{
    (void)json_object_set_new(out, key, json_null());
}
