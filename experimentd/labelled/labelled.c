#include "experimentd/labelled/labelled.h"

#include <assert.h>
#include <stdio.h>

#include "base/json.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/ingest/load/import_record.h"

const char *const labelled_format_names[] = { "csv", "jsonl" };
const char *const labelled_format_content_types[] = { "text/csv; charset=utf-8", "application/x-ndjson" };
static_assert(COUNT_OF(labelled_format_names) == LABELLED_FORMAT_COUNT, "one name each");
static_assert(COUNT_OF(labelled_format_content_types) == LABELLED_FORMAT_COUNT, "one type each");

enum column { TEXT, LABEL, WEIGHT, COLUMN_COUNT };
enum { NAMES_MAX = 4 };
static const char *const column_names[COLUMN_COUNT][NAMES_MAX] = {
    [TEXT] = { "text", "query" }, [LABEL] = { "label", "category", "class", "intent" }, [WEIGHT] = { "weight" }
};

struct reading {
    struct arena *arena;
    struct labelled_upload *out;
    size_t line;
    const char *counted; /* up to where lines of the body were counted */
};

/* ---- a row ---- */

static bool check_text(struct str *s, const char *name, size_t max, struct err *err)
{
    *s = str_trim(*s);
    if (s->n == 0)
        return err_set(err, ERR_INVALID, "field \"%s\" is empty", name);
    if (s->n > max)
        return err_set(err, ERR_INVALID, "field \"%s\" has %zu bytes, more than %zu", name, s->n, max);
    if (!str_is_utf8(*s))
        return err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8", name);
    for (size_t i = 0; i < s->n; i++)
        if ((unsigned char)s->p[i] < ' ' && !strchr("\t\n\r", s->p[i] ? s->p[i] : 1))
            return err_set(err, ERR_INVALID, "field \"%s\" has a control character", name);
    return true;
}

static bool check_row(struct labelled_row *row, struct err *err)
{
    return check_text(&row->text, "text", LABELLED_TEXT_MAX, err) &&
           check_text(&row->label, "label", LABELLED_LABEL_MAX, err) &&
           ((row->weight > 0 && row->weight <= LABELLED_WEIGHT_MAX) ||
            err_set(err, ERR_INVALID, "field \"weight\" is %g, not above 0 and up to %g", row->weight,
                    LABELLED_WEIGHT_MAX));
}

static void put_json(const struct labelled_row *row, struct buf *out)
{
    buf_add_c(out, "{\"text\":");
    buf_add_json_str(out, row->text);
    buf_add_c(out, ",\"label\":");
    buf_add_json_str(out, row->label);
    buf_addf(out, ",\"weight\":%.9g", row->weight);
}

static void take(struct reading *r, struct labelled_row row)
{
    struct buf *rows = &r->out->rows;
    if (r->out->count++)
        buf_add_byte(rows, ',');
    put_json(&row, rows);
    buf_add_byte(rows, '}');
}

/* ---- JSON ---- */

static bool json_row(struct reading *r, struct str text, struct labelled_row *out, struct err *err)
{
    struct json_reader j;
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return false;
    *out = (struct labelled_row){ .weight = 1 };
    json_reader_open(&j, root, "row");
    (void)json_get_str(&j, "text", JSON_REQUIRED, &out->text, r->arena);
    (void)json_get_str(&j, "label", JSON_REQUIRED, &out->label, r->arena);
    (void)json_get_double(&j, "weight", JSON_OPTIONAL, &out->weight);
    (void)json_get_str(&j, "source", JSON_OPTIONAL, &(struct str){ NULL, 0 }, NULL); /* as exports have it */
    return json_reader_close(&j, err) && check_row(out, err);
}

static bool on_element(void *arg, size_t index, struct str text)
{
    struct reading *r = arg;
    struct labelled_row row;
    struct err err;
    (void)index;
    for (; r->counted < text.p; r->counted++)
        r->line += *r->counted == '\n';
    if (json_row(r, text, &row, &err))
        take(r, row);
    else
        bad_lines_add(&r->out->bad, r->line, &err);
    return true;
}

static bool read_jsonl(struct reading *r, struct str body, struct err *err)
{
    bool single;
    r->line = 1;
    r->counted = body.p;
    return elements_read(body, "rows", LABELLED_ROWS_MAX, r->arena, on_element, r, &single, err);
}

/* ---- CSV ---- */

static bool find_columns(const struct str *names, size_t count, size_t at[COLUMN_COUNT], struct err *err)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        at[c] = count;
        for (size_t i = 0; i < count && at[c] == count; i++)
            for (int k = 0; k < NAMES_MAX && column_names[c][k]; k++)
                if (str_eq_c(str_trim(names[i]), column_names[c][k]))
                    at[c] = i;
        if (at[c] == count && c != WEIGHT)
            return err_set(err, ERR_INVALID, "the first line names no column \"%s\"", column_names[c][0]);
    }
    return true;
}

static bool csv_row(const struct str *fields, size_t count, const size_t at[COLUMN_COUNT], struct labelled_row *out,
                    struct err *err)
{
    *out = (struct labelled_row){ .weight = 1 };
    if (at[TEXT] >= count || at[LABEL] >= count)
        return err_set(err, ERR_INVALID, "the line has only %zu columns", count);
    out->text = fields[at[TEXT]];
    out->label = fields[at[LABEL]];
    struct str weight = at[WEIGHT] < count ? str_trim(fields[at[WEIGHT]]) : STR("");
    return (!weight.n || parse_double(weight, &out->weight, err) || err_prefix(err, "field \"weight\": ")) &&
           check_row(out, err);
}

static bool read_csv_rows(struct reading *r, FILE *f, struct err *err)
{
    struct str fields[CSV_COLUMNS_MAX];
    size_t count, lines, at[COLUMN_COUNT], line;
    if (!csv_next(f, r->arena, fields, &count, &lines, err))
        return err->kind != ERR_NONE ? false : err_set(err, ERR_INVALID, "body: empty, not CSV");
    if (!find_columns(fields, count, at, err))
        return false;
    for (line = 1 + lines;; line += lines) {
        struct labelled_row row;
        struct err why;
        bool got = csv_next(f, r->arena, fields, &count, &lines, &why);
        if (!got && why.kind == ERR_NONE)
            return true;
        if (got && count <= 1 && (count == 0 || str_trim(fields[0]).n == 0))
            continue;
        if (r->out->count + r->out->bad.count == LABELLED_ROWS_MAX)
            return err_set(err, ERR_TOO_LARGE, "the request holds more than %d rows", LABELLED_ROWS_MAX);
        if (got && csv_row(fields, count, at, &row, &why))
            take(r, row);
        else
            bad_lines_add(&r->out->bad, line, &why);
    }
}

static bool read_csv(struct reading *r, struct str body, struct err *err)
{
    if (str_starts(body, STR("\xEF\xBB\xBF")))
        body = (struct str){ body.p + 3, body.n - 3 };
    if (body.n == 0)
        return err_set(err, ERR_INVALID, "body: empty, not CSV");
    FILE *f = fmemopen((void *)(uintptr_t)body.p, body.n, "r");
    if (!f)
        return err_set(err, ERR_SYSTEM, "the body cannot be read");
    bool ok = read_csv_rows(r, f, err);
    (void)fclose(f);
    return ok;
}

bool labelled_read(struct str body, enum labelled_format format, struct arena *arena, struct labelled_upload *out,
                   struct err *err)
{
    struct reading r = { .arena = arena, .out = out };
    memset(out, 0, sizeof *out);
    buf_init(&out->rows, LABELLED_BYTES_MAX);
    buf_add_byte(&out->rows, '[');
    bool ok = format == LABELLED_CSV ? read_csv(&r, body, err) : read_jsonl(&r, body, err);
    buf_add_byte(&out->rows, ']');
    if (!ok)
        return false;
    if (!bad_lines_none(&out->bad, "rows", err))
        return false;
    if (out->count == 0)
        return err_set(err, ERR_INVALID, "there is no row");
    return buf_ok(&out->rows, "the rows", err);
}

/* ---- writing ---- */

static void put_field(struct buf *b, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++)
        plain = !strchr("\",\n\r", s.p[i] ? s.p[i] : 1);
    if (!plain)
        buf_add_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, s.p[i]);
    }
    if (!plain)
        buf_add_byte(b, '"');
}

void labelled_write_head(enum labelled_format format, struct buf *out)
{
    if (format == LABELLED_CSV)
        buf_add_c(out, "text,label,weight,source\r\n");
}

void labelled_write_row(enum labelled_format format, const struct labelled_row *row, struct str source, struct buf *out)
{
    if (format == LABELLED_CSV) {
        put_field(out, row->text);
        buf_add_byte(out, ',');
        put_field(out, row->label);
        buf_addf(out, ",%.9g," STR_FMT "\r\n", row->weight, STR_ARG(source));
        return;
    }
    put_json(row, out);
    buf_addf(out, ",\"source\":\"" STR_FMT "\"}\n", STR_ARG(source));
}
