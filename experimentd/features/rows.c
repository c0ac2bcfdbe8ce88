#include "experimentd/features/rows.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const feature_format_names[FEATURE_FORMATS] = { [FEATURES_LETOR] = "letor",
                                                            [FEATURES_CSV] = "csv",
                                                            [FEATURES_JSONL] = "jsonl",
                                                            [FEATURES_SOLR] = "solr",
                                                            [FEATURES_ELASTICSEARCH] = "elasticsearch" };

void feature_rows_init(struct feature_rows *r, struct arena *arena, const struct str *names, uint32_t features)
{
    *r = (struct feature_rows){ .arena = arena, .features = features, .grow = features == 0 };
    r->names = arena_zalloc(arena, FEATURES_MAX * sizeof *r->names);
    for (uint32_t i = 0; i < features; i++)
        r->names[i] = names[i];
}

void feature_rows_release(struct feature_rows *r)
{
    mem_free(r->rows);
    r->rows = NULL;
    r->count = r->room = 0;
}

/* ---- features ---- */

bool feature_name_check(struct str name, struct err *err)
{
    if (name.n == 0 || name.n > FEATURE_NAME_MAX || !str_is_utf8(name))
        return err_set(err, ERR_INVALID, "the name of a feature has from 1 to %d bytes, in UTF-8", FEATURE_NAME_MAX);
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return err_set(err, ERR_INVALID, "the name of a feature has no control characters");
    return true;
}

bool feature_rows_feature(struct feature_rows *r, struct str name, uint32_t near, uint32_t *out, struct err *err)
{
    for (uint32_t i = 0; i < r->features; i++) {
        uint32_t at = (near + i) % r->features;
        if (str_eq(r->names[at], name)) {
            *out = at;
            return true;
        }
    }
    if (!r->grow)
        return err_set(err, ERR_INVALID, "the set has no feature \"" STR_FMT "\"", STR_ARG(str_cut(name, 60)));
    if (r->features == FEATURES_MAX)
        return err_set(err, ERR_INVALID, "there are more than %d features", FEATURES_MAX);
    if (!feature_name_check(name, err))
        return false;
    r->names[r->features] = arena_str(r->arena, name);
    *out = r->features++;
    return true;
}

/* ---- values ---- */

bool feature_value_of(double v, float *out, struct err *err)
{
    if (!isfinite(v) || fabs(v) > (double)FLT_MAX)
        return err_set(err, ERR_INVALID, "%g is no number of 32 bits", v);
    *out = (float)v;
    return true;
}

bool feature_value_read(struct str text, float *out, struct err *err)
{
    double v;
    *out = NAN;
    if (text.n == 0)
        return true;
    return (parse_double(text, &v, NULL) && feature_value_of(v, out, NULL)) ||
           err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no number of 32 bits", STR_ARG(str_cut(text, 40)));
}

void feature_value_write(struct buf *b, float v)
{
    char text[32];
    if (isnan(v)) {
        buf_add_c(b, "NaN");
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v)
            break;
    }
    buf_add_c(b, text);
}

/* ---- rows ---- */

static bool check_text(const char *what, struct str s, size_t max, struct err *err)
{
    if (s.n == 0)
        return err_set(err, ERR_INVALID, "the %s is empty", what);
    if (s.n > max)
        return err_set(err, ERR_INVALID, "the %s has %zu bytes, more than %zu", what, s.n, max);
    return str_is_utf8(s) || err_set(err, ERR_INVALID, "the %s is not UTF-8", what);
}

float *feature_rows_add(struct feature_rows *r, size_t line, struct str query, struct str doc, uint32_t count,
                        float grade, struct err *err)
{
    if (!check_text("query", query, FEATURE_QUERY_MAX, err) || !check_text("document", doc, FEATURE_DOC_MAX, err))
        return NULL;
    if (r->count == FEATURE_FILE_ROWS_MAX) {
        (void)err_set(err, ERR_INVALID, "the file has more than %d rows", FEATURE_FILE_ROWS_MAX);
        return NULL;
    }
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 256;
        r->rows = mem_realloc(r->rows, r->room * sizeof *r->rows);
    }
    float *values = arena_alloc(r->arena, (count + 1) * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] = NAN;
    r->rows[r->count++] = (struct feature_row){
        arena_str(r->arena, query), arena_str(r->arena, doc), values, count, grade, line
    };
    return values;
}

static int compare(struct str a, struct str b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : a.n < b.n ? -1 : a.n > b.n;
}

static int by_query(const void *a, const void *b)
{
    const struct feature_row *x = a, *y = b;
    int d = compare(x->query, y->query);
    d = d ? d : compare(x->doc, y->doc);
    return d ? d : x->line < y->line ? -1 : x->line > y->line;
}

static void sort(struct feature_rows *r)
{
    size_t kept = 0;
    if (r->count)
        qsort(r->rows, r->count, sizeof *r->rows, by_query);
    for (size_t i = 0; i < r->count; i++) {
        bool again = kept && str_eq(r->rows[kept - 1].query, r->rows[i].query) &&
                     str_eq(r->rows[kept - 1].doc, r->rows[i].doc);
        r->rows[again ? kept - 1 : kept++] = r->rows[i];
    }
    r->count = kept;
}

bool feature_rows_read(struct feature_rows *r, const struct feature_source *source, struct err *err)
{
    struct feature_source s = *source;
    if (str_starts(s.text, STR("\xEF\xBB\xBF")))
        s.text = (struct str){ s.text.p + 3, s.text.n - 3 };
    if (s.format == FEATURES_LETOR)
        feature_read_letor(r, s.text);
    else if (!(s.format == FEATURES_CSV ? feature_read_csv(r, s.text, err) : feature_read_json(r, &s, err)))
        return false;
    if (!bad_lines_none(&r->bad, "lines", err))
        return false;
    sort(r);
    return r->count > 0 || err_set(err, ERR_INVALID, "the file has no row");
}
