#include "archive/scan.h"

#include <stdio.h>

#include "archive/table.h"
#include "base/clock.h"
#include "base/pgout.h"

enum { SQL_MAX = 8192 };

struct scanning {
    const struct archive_scan *scan;
    archive_row_fn fn;
    void *arg;
};

/* ---- partitions ---- */

static bool take_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct scanning *s = arg;
    struct archive_value row[ARCHIVE_COLUMNS_MAX];
    if (count != s->scan->columns_count)
        return err_set(err, ERR_DB, "a row of \"%s\" has %zu fields, not %zu", s->scan->table, count,
                       s->scan->columns_count);
    for (size_t i = 0; i < count; i++)
        row[i] = archive_table_value(s->scan->columns[i].type, fields[i]);
    return s->fn(s->arg, row, err);
}

/* COPY takes no parameters: the text is made of names and numbers of ours alone. */
static bool scan_partitions(struct pg *pg, struct scanning *s, struct err *err)
{
    const struct archive_scan *scan = s->scan;
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_add_c(&sql, "copy (select ");
    for (size_t i = 0; i < scan->columns_count; i++)
        buf_addf(&sql, "%s" STR_FMT "%s", i ? ", " : "", STR_ARG(scan->columns[i].name),
                 scan->columns[i].type == ARCHIVE_JSON ? "::text" : "");
    buf_addf(&sql,
             " from %s where at >= '%s' and at < '%s' and bucket between %u and %u%s%s) to stdout (format binary)",
             scan->table, clock_format(scan->from_us, from), clock_format(scan->to_us, to), scan->lo, scan->hi,
             scan->where ? " and " : "", scan->where ? scan->where : "");
    return buf_ok(&sql, "the statement of a scan", err) && pg_copy_out(pg, sql.p, "reading rows", take_row, s, err);
}

/* ---- files ---- */

static bool column_of(const struct archive *a, const char *file, const struct archive_column *wanted, int *out,
                      struct err *err)
{
    *out = archive_column_named(a, wanted->name.p);
    if (*out < 0)
        return true;
    enum archive_type type = archive_footer(a)->schema.columns[*out].type;
    if (type != wanted->type)
        return err_set(err, ERR_INVALID, "archive \"%s\": column \"%s\" is of type %s, not %s", file, wanted->name.p,
                       archive_type_names[type], archive_type_names[wanted->type]);
    return true;
}

static bool apart(const struct archive_group *g, int column, int64_t lo, int64_t hi)
{
    const struct archive_range *r = &g->blocks[column].range;
    return r->nulls == g->rows || (int64_t)r->max < lo || (int64_t)r->min > hi;
}

struct source {
    const struct archive *archive;
    int at, bucket, columns[ARCHIVE_COLUMNS_MAX];
    struct arena arena;
};

static bool scan_group(struct scanning *s, struct source *from, size_t group, struct err *err)
{
    const struct archive_scan *scan = s->scan;
    const struct archive_group *g = &archive_footer(from->archive)->groups[group];
    struct archive_value *at, *bucket, *values[ARCHIVE_COLUMNS_MAX] = { NULL }, row[ARCHIVE_COLUMNS_MAX];
    if (apart(g, from->bucket, scan->lo, scan->hi) || apart(g, from->at, scan->from_us, scan->to_us - 1))
        return true;
    arena_reset(&from->arena);
    if (!archive_read(from->archive, group, (size_t)from->at, &from->arena, &at, err) ||
        !archive_read(from->archive, group, (size_t)from->bucket, &from->arena, &bucket, err))
        return false;
    for (size_t c = 0; c < scan->columns_count; c++)
        if (from->columns[c] >= 0 &&
            !archive_read(from->archive, group, (size_t)from->columns[c], &from->arena, &values[c], err))
            return false;
    for (uint32_t i = 0; i < g->rows; i++) {
        if (at[i].i < scan->from_us || at[i].i >= scan->to_us || bucket[i].i < scan->lo || bucket[i].i > scan->hi)
            continue;
        for (size_t c = 0; c < scan->columns_count; c++)
            row[c] = values[c] ? values[c][i] : (struct archive_value){ .null = true };
        if (!s->fn(s->arg, row, err))
            return false;
    }
    return true;
}

static bool scan_file(struct scanning *s, const char *path, struct err *err)
{
    static const struct archive_column at = { STR("at"), ARCHIVE_TIME }, bucket = { STR("bucket"), ARCHIVE_INT };
    AUTO(archive_close) struct archive *a = archive_open(path, err);
    struct source from = { .archive = a };
    if (!a || !column_of(a, path, &at, &from.at, err) || !column_of(a, path, &bucket, &from.bucket, err))
        return false;
    if (from.at < 0 || from.bucket < 0)
        return err_set(err, ERR_INVALID, "archive \"%s\" has no column \"at\" or none \"bucket\"", path);
    for (size_t c = 0; c < s->scan->columns_count; c++)
        if (!column_of(a, path, &s->scan->columns[c], &from.columns[c], err))
            return false;
    bool ok = true;
    arena_init(&from.arena, 1 << 20);
    for (size_t g = 0; ok && g < archive_footer(a)->groups_count; g++)
        ok = scan_group(s, &from, g, err);
    arena_release(&from.arena);
    return ok;
}

static bool scan_files(struct pg *pg, const char *dir, struct scanning *s, struct arena *arena, struct err *err)
{
    const struct archive_scan *scan = s->scan;
    struct archive_entry *entries;
    size_t count;
    if (!archive_store_list(pg, scan->table, clock_day(scan->from_us), clock_day(scan->to_us - 1), scan->lo, scan->hi,
                            arena, &entries, &count, err))
        return false;
    if (count && !dir)
        return err_set(err, ERR_INVALID, "rows lie in archive files: give --archive-dir DIR");
    for (size_t i = 0; i < count; i++) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, entries[i].path.p);
        if (!scan_file(s, path, err))
            return false;
    }
    return true;
}

bool archive_scan(struct pg *pg, const char *dir, const struct archive_scan *scan, archive_row_fn fn, void *arg,
                  struct err *err)
{
    struct scanning s = { .scan = scan, .fn = fn, .arg = arg };
    struct arena arena;
    arena_init(&arena, 1 << 14);
    bool ok = scan_files(pg, dir, &s, &arena, err) && scan_partitions(pg, &s, err);
    arena_release(&arena);
    return ok;
}
