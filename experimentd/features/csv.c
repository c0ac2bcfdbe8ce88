/* CSV with a header: rows.h. Fields may stand in double quotes, doubled inside; records may go over lines inside of them. */
#include <math.h>

#include "experimentd/features/rows.h"

enum { COLUMNS_MAX = FEATURES_MAX + 8, QUOTED_MAX = (1 << 16) - 1 };
enum { COLUMN_QUERY = -1, COLUMN_DOC = -2, COLUMN_GRADE = -3, COLUMN_SKIPPED = -4 };

struct reading {
    struct feature_rows *r;
    struct str rest;
    size_t line; /* of the record that is read, and of the next one */
    size_t next;
    struct str fields[COLUMNS_MAX];
    int columns[COLUMNS_MAX]; /* a feature, or what the column is */
    size_t columns_count;
};

/* Two walks: the first says how long it is, so that a field takes what it needs. */
static bool quoted(struct reading *g, struct str *out, struct err *err)
{
    const char *p = g->rest.p + 1, *end = g->rest.p + g->rest.n;
    size_t n = 0;
    for (;; p++, n++) {
        if (p == end || n == QUOTED_MAX)
            return err_set(err, ERR_INVALID, "a field in quotes does not end within %d bytes", QUOTED_MAX);
        if (*p == '"' && (p + 1 == end || p[1] != '"'))
            break;
        p += *p == '"';
        g->next += *p == '\n';
    }
    char *to = arena_alloc(g->r->arena, n + 1);
    const char *from = g->rest.p + 1;
    for (size_t i = 0; i < n; i++, from++) {
        from += *from == '"';
        to[i] = *from;
    }
    g->rest = (struct str){ p + 1, (size_t)(end - p - 1) };
    *out = (struct str){ to, n };
    return true;
}

/* *out_count 0: an empty line. */
static bool record(struct reading *g, size_t *out_count, struct err *err)
{
    g->line = g->next;
    for (*out_count = 0;;) {
        struct str *f = &g->fields[*out_count];
        if (g->rest.n && g->rest.p[0] == '"') {
            if (!quoted(g, f, err))
                return false;
        } else {
            size_t n = 0;
            while (n < g->rest.n && g->rest.p[n] != ',' && g->rest.p[n] != '\n')
                n++;
            *f = str_trim((struct str){ g->rest.p, n });
            g->rest = (struct str){ g->rest.p + n, g->rest.n - n };
        }
        (*out_count)++;
        while (g->rest.n && g->rest.p[0] == '\r')
            g->rest = (struct str){ g->rest.p + 1, g->rest.n - 1 };
        const char sign = g->rest.n ? g->rest.p[0] : '\n';
        if (sign != ',' && sign != '\n')
            return err_set(err, ERR_INVALID, "behind a field in quotes there is no comma");
        if (g->rest.n)
            g->rest = (struct str){ g->rest.p + 1, g->rest.n - 1 };
        if (sign == '\n')
            break;
        if (*out_count == COLUMNS_MAX)
            return err_set(err, ERR_INVALID, "there are more than %d columns", COLUMNS_MAX);
    }
    g->next++;
    if (*out_count == 1 && g->fields[0].n == 0)
        *out_count = 0;
    return true;
}

static bool column(struct reading *g, struct str name, int *out, struct err *err)
{
    static const struct {
        const char *name;
        int is;
    } known[] = { { "query", COLUMN_QUERY }, { "doc", COLUMN_DOC },         { "doc_id", COLUMN_DOC },
                  { "docid", COLUMN_DOC },   { "grade", COLUMN_GRADE },     { "weight", COLUMN_SKIPPED },
                  { "qid", COLUMN_SKIPPED }, { "query_id", COLUMN_SKIPPED } };
    uint32_t feature;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_c(name, known[i].name)) {
            *out = known[i].is;
            return true;
        }
    if (!feature_rows_feature(g->r, name, 0, &feature, err))
        return false;
    *out = (int)feature;
    return true;
}

static bool header(struct reading *g, struct err *err)
{
    bool query = false, doc = false;
    if (!record(g, &g->columns_count, err))
        return false;
    for (size_t i = 0; i < g->columns_count; i++) {
        if (!column(g, g->fields[i], &g->columns[i], err))
            return err_prefix(err, "the header: ");
        for (size_t k = 0; k < i; k++)
            if (g->columns[k] == g->columns[i] && g->columns[i] != COLUMN_SKIPPED)
                return err_set(err, ERR_INVALID, "the header has column \"" STR_FMT "\" twice",
                               STR_ARG(str_cut(g->fields[i], 60)));
        query = query || g->columns[i] == COLUMN_QUERY;
        doc = doc || g->columns[i] == COLUMN_DOC;
    }
    return (query && doc) || err_set(err, ERR_INVALID, "the header has no column \"%s\"", query ? "doc" : "query");
}

static bool row(struct reading *g, size_t count, struct err *err)
{
    struct str query = { NULL, 0 }, doc = { NULL, 0 };
    float grade = NAN;
    if (count != g->columns_count)
        return err_set(err, ERR_INVALID, "the line has %zu fields, the header %zu", count, g->columns_count);
    for (size_t i = 0; i < count; i++) {
        if (g->columns[i] == COLUMN_QUERY)
            query = g->fields[i];
        else if (g->columns[i] == COLUMN_DOC)
            doc = g->fields[i];
        else if (g->columns[i] == COLUMN_GRADE && !feature_value_read(g->fields[i], &grade, err))
            return err_prefix(err, "grade: ");
    }
    float *values = feature_rows_add(g->r, g->line, query, doc, g->r->features, grade, err);
    if (!values)
        return false;
    for (size_t i = 0; i < count; i++)
        if (g->columns[i] >= 0 && !feature_value_read(g->fields[i], &values[g->columns[i]], err))
            return err_prefix(err, "feature \"%.60s\": ", arena_cstr(g->r->arena, g->r->names[g->columns[i]]));
    return true;
}

bool feature_read_csv(struct feature_rows *r, struct str text, struct err *err)
{
    struct reading *g = arena_zalloc(r->arena, sizeof *g);
    *g = (struct reading){ .r = r, .rest = text, .next = 1 };
    size_t count;
    if (!header(g, err))
        return false;
    while (g->rest.n) {
        struct err wrong;
        if (!record(g, &count, &wrong)) {
            bad_lines_add(&r->bad, g->line, &wrong);
            break; /* where the next one begins cannot be known */
        }
        if (count && !row(g, count, &wrong))
            bad_lines_add(&r->bad, g->line, &wrong);
    }
    return true;
}
