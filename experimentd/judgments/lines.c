#include "experimentd/judgments/lines.h"

#include "experimentd/ingest/load/import_record.h"

void line_reader_open(struct line_reader *r, struct str text)
{
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = (struct str){ text.p + 3, text.n - 3 };
    *r = (struct line_reader){ .rest = text };
}

bool line_reader_next(struct line_reader *r, struct str *out)
{
    while (str_split(&r->rest, '\n', out)) {
        r->line++;
        *out = str_trim(*out);
        if (out->n)
            return true;
    }
    return false;
}

/* ---- CSV ---- */

static bool has_name(const char *names, struct str name)
{
    struct str rest = str_of(names), one;
    while (str_split(&rest, '|', &one))
        if (str_eq_nocase(one, name))
            return true;
    return false;
}

static bool find_columns(const struct csv_columns *columns, const struct str *head, size_t count, int *at,
                         struct err *err)
{
    for (size_t c = 0; c < columns->count; c++) {
        at[c] = -1;
        for (size_t i = 0; i < count && at[c] < 0; i++)
            if (has_name(columns->names[c], str_trim(head[i])))
                at[c] = (int)i;
        if (at[c] < 0 && c < columns->required)
            return err_set(err, ERR_INVALID, "line 1: the head has no column \"%s\"", columns->names[c]);
    }
    return true;
}

static void pick(const struct csv_columns *columns, const int *at, const struct str *fields, size_t count,
                 struct str *out)
{
    for (size_t c = 0; c < columns->count; c++)
        out[c] = at[c] >= 0 && (size_t)at[c] < count ? fields[at[c]] : (struct str){ NULL, 0 };
}

static bool read_records(FILE *f, const struct csv_columns *columns, struct arena *arena, csv_row_fn fn, void *arg,
                         struct bad_lines *bad, struct err *err)
{
    struct str fields[CSV_COLUMNS_MAX], row[CSV_HEAD_MAX];
    int at[CSV_HEAD_MAX];
    size_t count, lines, line;
    if (!csv_next(f, arena, fields, &count, &lines, err))
        return err->kind != ERR_NONE ? false : err_set(err, ERR_INVALID, "the file has no line");
    if (!find_columns(columns, fields, count, at, err))
        return false;
    for (line = 1 + lines;; line += lines) {
        struct err wrong;
        bool read = csv_next(f, arena, fields, &count, &lines, &wrong);
        if (!read && wrong.kind == ERR_NONE)
            return true;
        if (read && (count == 0 || (count == 1 && fields[0].n == 0)))
            continue;
        if (read)
            pick(columns, at, fields, count, row);
        if (!read || !fn(arg, row, &wrong))
            bad_lines_add(bad, line, &wrong);
    }
}

bool csv_read(struct str text, const struct csv_columns *columns, struct arena *arena, csv_row_fn fn, void *arg,
              struct bad_lines *bad, struct err *err)
{
    if (text.n == 0)
        return err_set(err, ERR_INVALID, "the file is empty");
    FILE *f = fmemopen((void *)(uintptr_t)text.p, text.n, "r");
    if (!f)
        return err_set(err, ERR_SYSTEM, "the file cannot be read");
    bool ok = read_records(f, columns, arena, fn, arg, bad, err);
    (void)fclose(f);
    return ok;
}

void csv_put(struct buf *b, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++)
        plain = s.p[i] != '"' && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '\r';
    if (plain) {
        buf_add_str(b, s);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, '"');
}
