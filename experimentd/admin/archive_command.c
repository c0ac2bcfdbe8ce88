#include "experimentd/admin/archive_command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/pg.h"
#include "experimentd/admin/commands.h"

enum { LINE_MAX_BYTES = 1 << 30, SCHEMA_MAX_BYTES = 1 << 20 };

/* ---- export ---- */

static void add_real(struct buf *b, double v)
{
    if (isfinite(v))
        buf_add_json_double(b, v);
    else
        buf_add_c(b, isnan(v) ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\""); /* as PostgreSQL writes them */
}

static void add_value(struct buf *b, enum archive_type type, const struct archive_value *v)
{
    char text[CLOCK_TEXT_MAX > UUID_TEXT_MAX ? CLOCK_TEXT_MAX : UUID_TEXT_MAX];
    if (v->null) {
        buf_add_c(b, "null");
        return;
    }
    switch (type) {
    case ARCHIVE_INT:
        buf_addf(b, "%" PRId64, v->i);
        break;
    case ARCHIVE_TIME:
        buf_add_json_str(b, str_of(clock_format(v->i, text)));
        break;
    case ARCHIVE_REAL:
        add_real(b, v->d);
        break;
    case ARCHIVE_JSON:
        buf_add_str(b, v->s);
        break;
    case ARCHIVE_UUID:
        uuid_format((const unsigned char *)v->s.p, text);
        buf_add_json_str(b, str_of(text));
        break;
    default:
        buf_add_json_str(b, v->s);
    }
}

static bool export_group(const struct archive *a, size_t group, struct arena *arena, struct err *err)
{
    const struct archive_footer *f = archive_footer(a);
    struct archive_value *values[ARCHIVE_COLUMNS_MAX];
    AUTO(buf_release) struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    for (size_t c = 0; c < f->schema.columns_count; c++)
        if (!archive_read(a, group, c, arena, &values[c], err))
            return false;
    for (uint32_t i = 0; i < f->groups[group].rows; i++) {
        buf_clear(&line);
        for (size_t c = 0; c < f->schema.columns_count; c++) {
            buf_add_byte(&line, c ? ',' : '{');
            buf_add_json_str(&line, f->schema.columns[c].name);
            buf_add_byte(&line, ':');
            add_value(&line, f->schema.columns[c].type, &values[c][i]);
        }
        buf_add_c(&line, "}\n");
        if (!buf_ok(&line, "a row", err))
            return false;
        if (fwrite(line.p, 1, line.n, stdout) != line.n)
            return err_set_errno(err, "cannot write");
    }
    return true;
}

static bool export_file(const struct archive *a, const char *path, struct err *err)
{
    (void)path;
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 20);
    for (size_t g = 0; ok && g < archive_footer(a)->groups_count; g++) {
        arena_reset(&arena);
        ok = export_group(a, g, &arena, err);
    }
    arena_release(&arena);
    return ok;
}

/* ---- schema ---- */

static bool print_schema(const struct archive *a, const char *path, struct err *err)
{
    const struct archive_footer *f = archive_footer(a);
    char day[CLOCK_TEXT_MAX];
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, SCHEMA_MAX_BYTES);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "file", path);
    jsonw_str(&w, "table", f->schema.table);
    jsonw_text(&w, "day", clock_format_day(f->schema.day, day));
    jsonw_i64(&w, "rows", (int64_t)f->rows);
    jsonw_open(&w, "columns", '[');
    for (size_t i = 0; i < f->schema.columns_count; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "name", f->schema.columns[i].name);
        jsonw_text(&w, "type", archive_type_names[f->schema.columns[i].type]);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    if (buf_ok(&b, "the schema", err))
        (void)puts(b.p);
    return !b.failed;
}

/* ---- check ---- */

static bool check_file(const struct archive *a, const char *path, struct err *err)
{
    const struct archive_footer *f = archive_footer(a);
    char day[CLOCK_TEXT_MAX];
    if (!archive_check(a, err))
        return false;
    (void)printf("%s: whole: " STR_FMT " of %s, %" PRIu64 " rows in %zu groups, %zu columns\n", path,
                 STR_ARG(f->schema.table), clock_format_day(f->schema.day, day), f->rows, f->groups_count,
                 f->schema.columns_count);
    return true;
}

/* ---- the command ---- */

/* Goes on after a damaged file, so that all are named. */
static int each_file(int count, char **paths, bool (*fn)(const struct archive *, const char *, struct err *))
{
    int code = EXIT_SUCCESS;
    for (int i = 0; i < count; i++) {
        struct err err = { 0 };
        AUTO(archive_close) struct archive *a = archive_open(paths[i], &err);
        if (a && fn(a, paths[i], &err))
            continue;
        (void)fprintf(stderr, "experimentd: %s\n", err.text);
        code = EXIT_FAILURE;
    }
    return fflush(stdout) == 0 ? code : EX_IOERR;
}

int archive_main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "list") == 0)
        return archive_list_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[0], "check") == 0)
        return each_file(argc - 1, argv + 1, check_file);
    if (argc > 1 && strcmp(argv[0], "export") == 0)
        return each_file(argc - 1, argv + 1, export_file);
    if (argc > 1 && strcmp(argv[0], "schema") == 0)
        return each_file(argc - 1, argv + 1, print_schema);
    (void)fputs("usage: experimentd archive list --data-dir DIR | check FILE… | schema FILE… | export FILE…\n", stderr);
    return EX_USAGE;
}
