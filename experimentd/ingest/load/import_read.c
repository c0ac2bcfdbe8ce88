/* The records of a file, format by format. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "experimentd/ingest/load/import_parts.h"

static bool read_csv(struct import *im, struct err *err)
{
    struct str fields[CSV_COLUMNS_MAX];
    size_t count, lines;
    struct err why;
    if (!csv_next(im->file, &im->arena, fields, &count, &lines, err))
        return err->kind != ERR_NONE ? false : err_set(err, ERR_INVALID, "\"%s\" is empty", im->name);
    if (!csv_map_header(&im->map, fields, count, err))
        return false;
    im->line = lines + 1;
    for (;; im->line += lines) {
        bool got = csv_next(im->file, &im->arena, fields, &count, &lines, &why);
        if (!got && why.kind == ERR_NONE)
            return true;
        if (im->position++ < im->resumed)
            continue;
        got = got && csv_record(&im->map, fields, count, clock_now_us(), &im->arena, im->record, &why);
        if (got ? !import_add(im, err) : !import_set_aside(im, count ? fields[0] : STR(""), &why, err))
            return false;
        import_tell(im, false);
    }
}

static bool add_units(struct import *im, const struct str *fields, size_t count, int64_t units, struct err *err)
{
    struct err why;
    for (int64_t k = 0; k < units; k++) {
        if (im->position++ < im->resumed)
            continue;
        struct str name = arena_printf(&im->arena, "%.16s-%" PRIu64, im->hash_hex, im->position);
        bool got = table_unit(&im->table, fields, count, k, name, clock_now_us(), &im->arena, im->record, &why);
        if (got ? !import_add(im, err) : !import_set_aside(im, fields[0], &why, err))
            return false;
        import_tell(im, false);
    }
    return true;
}

/* A unit of a row is a record; a row that is none is one, too. The row's texts outlive the flushes within it: they have an arena of their own. */
static bool read_rows(struct import *im, struct arena *row, struct err *err)
{
    struct str fields[CSV_COLUMNS_MAX];
    size_t count, lines;
    int64_t units;
    if (!csv_next(im->file, row, fields, &count, &lines, err))
        return err->kind != ERR_NONE ? false : err_set(err, ERR_INVALID, "\"%s\" is empty", im->name);
    if (!table_header(&im->table, im->name, fields, count, err))
        return err_prefix(err, "\"%s\": ", im->name);
    for (im->line = lines + 1;; im->line += lines) {
        struct err why;
        arena_reset(row);
        bool got = csv_next(im->file, row, fields, &count, &lines, &why);
        if (!got && why.kind == ERR_NONE)
            return true;
        got = got && table_units(&im->table, fields, count, row, &units, &why);
        if (got ? !add_units(im, fields, count, units, err)
                : im->position++ >= im->resumed && !import_set_aside(im, count ? fields[0] : STR(""), &why, err))
            return false;
    }
}

static bool read_table(struct import *im, struct err *err)
{
    struct arena row;
    arena_init(&row, 1 << 14);
    bool ok = read_rows(im, &row, err);
    arena_release(&row);
    return ok;
}

static bool read_line_record(struct import *im, struct str line, bool *out_skip, struct err *why)
{
    *out_skip = false;
    return im->format == FORMAT_UBI ? ubi_record(line, clock_now_us(), &im->arena, im->record, out_skip, why)
                                    : ndjson_record(line, clock_now_us(), &im->arena, im->record, why);
}

static bool read_lines(struct import *im, struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    bool ok = true;
    for (ssize_t n; ok && (n = getline(&line, &room, im->file)) > 0;) {
        struct err why = { 0 };
        bool skip;
        im->line++;
        if (str_trim((struct str){ line, (size_t)n }).n == 0 || im->position++ < im->resumed)
            continue;
        struct str text = str_trim(arena_str(&im->arena, (struct str){ line, (size_t)n }));
        if (!read_line_record(im, text, &skip, &why))
            ok = import_set_aside(im, text, &why, err);
        else if (!skip)
            ok = import_add(im, err);
        import_tell(im, false);
    }
    free(line);
    return ok;
}

const import_read_fn import_readers[FORMAT_COUNT] = { read_lines, read_lines, read_csv, read_table };
