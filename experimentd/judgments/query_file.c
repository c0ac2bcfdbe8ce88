#include "experimentd/judgments/query_file.h"

#include <assert.h>
#include <math.h>

#include "base/json.h"
#include "base/jsonw.h"

#define WEIGHT_MAX 1e30
enum { SRW_NAME_MAX = 50, SRW_DESCRIPTION_MAX = 250 };

const char *const query_file_format_names[QUERY_FILE_FORMAT_COUNT + 1] = {
    [QUERY_FILE_TEXT] = "text",
    [QUERY_FILE_CSV] = "csv",
    [QUERY_FILE_JSONL] = "jsonl",
    [QUERY_FILE_SRW] = "srw",
};

void query_rows_release(struct query_rows *q)
{
    mem_free(q->items);
    q->items = NULL;
    q->count = q->room = 0;
}

static bool add(struct query_rows *q, struct query_row row, struct err *err)
{
    if (str_trim(row.query).n == 0)
        return err_set(err, ERR_INVALID, "field \"query\" is blank");
    if (row.query.n > QUERY_FILE_QUERY_MAX)
        return err_set(err, ERR_INVALID, "field \"query\" has %zu bytes, more than %d", row.query.n,
                       QUERY_FILE_QUERY_MAX);
    if (!str_is_utf8(row.query))
        return err_set(err, ERR_INVALID, "field \"query\" is not UTF-8");
    if (!(row.weight >= 0 && row.weight <= WEIGHT_MAX))
        return err_set(err, ERR_INVALID, "field \"weight\" is %g, not between 0 and %g", row.weight, WEIGHT_MAX);
    if (row.params.n > QUERY_FILE_PARAMS_MAX)
        return err_set(err, ERR_INVALID, "field \"params\" has %zu bytes, more than %d", row.params.n,
                       QUERY_FILE_PARAMS_MAX);
    if (q->count == QUERY_FILE_MAX)
        return err_set(err, ERR_TOO_LARGE, "there are more than %d queries", QUERY_FILE_MAX);
    if (q->count == q->room) {
        q->room = q->room ? 2 * q->room : 64;
        q->items = mem_realloc(q->items, q->room * sizeof *q->items);
    }
    q->items[q->count++] = row;
    return true;
}

static bool weight_of(struct str text, double *out, struct err *err)
{
    *out = 1;
    text = str_trim(text);
    return text.n == 0 || parse_double(text, out, NULL) ||
           err_set(err, ERR_INVALID, "field \"weight\" is \"" STR_FMT "\", not a number", STR_ARG(str_cut(text, 40)));
}

/* ---- text, CSV ---- */

static bool add_line(struct query_rows *q, struct str line, struct err *err)
{
    struct query_row row = { .query = line };
    const char *tab = memrchr(line.p, '\t', line.n);
    struct str weight = STR("");
    if (tab) {
        row.query = str_trim((struct str){ line.p, (size_t)(tab - line.p) });
        weight = (struct str){ tab + 1, line.n - (size_t)(tab + 1 - line.p) };
    }
    return weight_of(weight, &row.weight, err) && add(q, row, err);
}

static bool add_csv(void *arg, const struct str *f, struct err *err)
{
    struct query_row row = { .query = f[0] };
    return weight_of(f[1], &row.weight, err) && add(arg, row, err);
}

static bool read_csv(struct str text, struct query_rows *out, struct err *err)
{
    static const char *const names[] = { "query|query_text|queryText", "weight|count|frequency" };
    static const struct csv_columns columns = { names, COUNT_OF(names), 1 };
    return csv_read(text, &columns, out->arena, add_csv, out, &out->bad, err);
}

/* ---- JSON ---- */

static struct str json_text(const json_t *v, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 2 * QUERY_FILE_PARAMS_MAX);
    json_write(&b, v);
    struct str s = arena_str(arena, buf_str(&b));
    if (b.failed)
        s.n = 2 * QUERY_FILE_PARAMS_MAX; /* too long: add() says so, and reads none of it */
    buf_release(&b);
    return s;
}

/* What stands beside the query's text. */
static bool add_srw(const json_t *v, struct query_rows *out, struct err *err)
{
    const json_t *text = json_object_get(v, "queryText");
    if (!json_is_string(text))
        return err_set(err, ERR_INVALID, "field \"queryText\" is no text");
    json_auto_t *others = json_copy((json_t *)(uintptr_t)v);
    (void)json_object_del(others, "queryText");
    struct query_row row = { .query = arena_str(out->arena, str_of(json_string_value(text))), .weight = 1 };
    if (json_object_size(others))
        row.params = json_text(others, out->arena);
    return add(out, row, err);
}

static bool add_object(json_t *root, struct query_rows *out, struct err *err)
{
    struct query_row row = { .weight = 1 };
    struct json_reader in;
    json_t *params;
    json_reader_open(&in, root, "query");
    (void)json_get_str(&in, "query", JSON_REQUIRED, &row.query, out->arena);
    (void)json_get_double(&in, "weight", JSON_OPTIONAL, &row.weight);
    if (json_get_object(&in, "params", JSON_OPTIONAL, &params))
        row.params = json_text(params, out->arena);
    return json_reader_close(&in, err) && add(out, row, err);
}

bool query_row_read_json(struct str text, struct query_rows *out, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return false;
    if (json_is_string(root)) {
        struct str query = { json_string_value(root), json_string_length(root) };
        return add(out, (struct query_row){ .query = arena_str(out->arena, query), .weight = 1 }, err);
    }
    return json_object_get(root, "queryText") ? add_srw(root, out, err) : add_object(root, out, err);
}

static bool read_srw(struct str text, struct query_rows *out, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    const json_t *list = json_object_get(root, "querySetQueries"), *query;
    size_t i;
    if (!root)
        return false;
    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "field \"querySetQueries\" is no array");
    json_array_foreach(list, i, query)
    {
        struct err why;
        if (!add_srw(query, out, &why))
            return err_set(err, ERR_INVALID, "querySetQueries[%zu]: %.200s", i, why.text);
    }
    return true;
}

static void read_lines(struct str text, bool json, struct query_rows *out)
{
    struct line_reader lines;
    struct str line;
    line_reader_open(&lines, text);
    while (line_reader_next(&lines, &line)) {
        struct err err;
        if (json ? !query_row_read_json(line, out, &err) : !add_line(out, line, &err))
            bad_lines_add(&out->bad, lines.line, &err);
    }
}

bool query_file_read(enum query_file_format format, struct str text, struct query_rows *out, struct err *err)
{
    *out = (struct query_rows){ .arena = out->arena };
    if (format == QUERY_FILE_TEXT || format == QUERY_FILE_JSONL)
        read_lines(text, format == QUERY_FILE_JSONL, out);
    else if (!(format == QUERY_FILE_CSV ? read_csv(text, out, err) : read_srw(text, out, err)))
        return false;
    if (!bad_lines_none(&out->bad, "lines", err))
        return false;
    return out->count > 0 || err_set(err, ERR_INVALID, "there is no query in it");
}

/* ---- writing ---- */

void query_rows_write(const struct query_rows *q, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < q->count; i++) {
        buf_add_c(out, i ? ",[" : "[");
        buf_add_json_str(out, q->items[i].query);
        buf_add_byte(out, ',');
        buf_add_json_double(out, q->items[i].weight);
        buf_add_byte(out, ',');
        buf_add_str(out, q->items[i].params.p ? q->items[i].params : STR("null"));
        buf_add_byte(out, ']');
    }
    buf_add_byte(out, ']');
}

static void export_text(const struct query_rows *q, struct buf *out)
{
    for (size_t i = 0; i < q->count; i++) {
        for (size_t c = 0; c < q->items[i].query.n; c++) {
            char letter = q->items[i].query.p[c];
            buf_add_byte(out, letter == '\t' || letter == '\n' || letter == '\r' ? ' ' : letter);
        }
        if (q->items[i].weight != 1)
            buf_addf(out, "\t%.9g", q->items[i].weight);
        buf_add_byte(out, '\n');
    }
}

static void export_csv(const struct query_rows *q, struct buf *out)
{
    buf_add_c(out, "query,weight\r\n");
    for (size_t i = 0; i < q->count; i++) {
        csv_put(out, q->items[i].query);
        buf_addf(out, ",%.9g\r\n", q->items[i].weight);
    }
}

static void export_jsonl(const struct query_rows *q, struct buf *out)
{
    for (size_t i = 0; i < q->count; i++) {
        buf_add_c(out, "{\"query\":");
        buf_add_json_str(out, q->items[i].query);
        buf_addf(out, ",\"weight\":%.9g", q->items[i].weight);
        if (q->items[i].params.p) {
            buf_add_c(out, ",\"params\":");
            buf_add_str(out, q->items[i].params);
        }
        buf_add_c(out, "}\n");
    }
}

/* The workbench has no weights. */
static void export_srw(struct str name, struct str description, struct str sampling, const struct query_rows *q,
                       struct buf *out)
{
    buf_add_c(out, "{\"name\":");
    buf_add_json_str(out, str_cut(name, SRW_NAME_MAX));
    buf_add_c(out, ",\"description\":");
    buf_add_json_str(out, str_cut(description, SRW_DESCRIPTION_MAX));
    buf_add_c(out, ",\"sampling\":");
    buf_add_json_str(out, sampling);
    buf_add_c(out, ",\"querySetQueries\":[");
    for (size_t i = 0; i < q->count; i++) {
        struct str params = q->items[i].params;
        buf_add_c(out, i ? ",{\"queryText\":" : "{\"queryText\":");
        buf_add_json_str(out, q->items[i].query);
        if (params.n > 2) {
            buf_add_byte(out, ',');
            buf_add(out, params.p + 1, params.n - 1); /* the object's members, and its end */
        } else {
            buf_add_byte(out, '}');
        }
    }
    buf_add_c(out, "]}");
}

bool query_file_export(enum query_file_format format, struct str name, struct str description, struct str sampling,
                       const struct query_rows *q, struct buf *out, struct err *err)
{
    switch (format) {
    case QUERY_FILE_TEXT:
        export_text(q, out);
        break;
    case QUERY_FILE_CSV:
        export_csv(q, out);
        break;
    case QUERY_FILE_JSONL:
        export_jsonl(q, out);
        break;
    case QUERY_FILE_SRW:
    case QUERY_FILE_FORMAT_COUNT:
        export_srw(name, description, sampling, q, out);
        break;
    }
    return buf_ok(out, "the export", err);
}

static const struct {
    const char *type, *suffix;
} files[] = {
    [QUERY_FILE_TEXT] = { "text/plain; charset=utf-8", "txt" },
    [QUERY_FILE_CSV] = { "text/csv; charset=utf-8", "csv" },
    [QUERY_FILE_JSONL] = { "application/x-ndjson", "jsonl" },
    [QUERY_FILE_SRW] = { "application/json", "json" },
};
static_assert(COUNT_OF(files) == QUERY_FILE_FORMAT_COUNT, "a row for each format");

const char *query_file_type(enum query_file_format format)
{
    return files[format].type;
}

const char *query_file_suffix(enum query_file_format format)
{
    return files[format].suffix;
}
