#include "archive/scan.h"

#include <math.h>
#include <stdio.h>

#include "archive/table.h"
#include "base/clock.h"
#include "base/pgout.h"

enum { SQL_MAX = 8192, COPY_ROWS = 1024 };

struct scanning {
    const struct archive_scan *scan;
    archive_batch_fn fn;
    void *arg;
};

/* ---- partitions ---- */

/* A column of the batch that gathers. */
struct gathered {
    unsigned char nulls[COPY_ROWS];
    union {
        int64_t ints[COPY_ROWS];
        double reals[COPY_ROWS];
        struct str texts[COPY_ROWS + 1];
    };
};

struct gathering {
    struct scanning *s;
    struct gathered *columns;
    struct archive_vector *vectors;
    uint32_t rows[COPY_ROWS]; /* 0, 1, 2 … */
    uint32_t count;
    struct arena texts;
};

static bool hand_over(struct gathering *g, struct err *err)
{
    const struct archive_batch b = { .columns = g->vectors, .rows = g->rows, .count = g->count };
    for (size_t i = 0; i < g->s->scan->columns_count; i++) {
        bool text = g->s->scan->columns[i].type >= ARCHIVE_TEXT;
        g->vectors[i].texts_count = text ? g->count : 0;
        if (text)
            g->columns[i].texts[g->count] = (struct str){ NULL, 0 };
    }
    bool ok = g->count == 0 || g->s->fn(g->s->arg, &b, err);
    g->count = 0;
    arena_reset(&g->texts);
    return ok;
}

static void put_value(struct gathering *g, size_t column, struct str field)
{
    struct gathered *c = &g->columns[column];
    uint32_t row = g->count;
    c->nulls[row] = field.p == NULL;
    switch (g->s->scan->columns[column].type) {
    case ARCHIVE_INT:
        c->ints[row] = pg_field_i64(field);
        break;
    case ARCHIVE_TIME:
        c->ints[row] = field.p ? pg_field_time(field) : 0;
        break;
    case ARCHIVE_REAL:
        c->reals[row] = pg_field_double(field);
        break;
    default:
        c->texts[row] = field.p ? arena_str(&g->texts, field) : field;
    }
}

static bool take_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct gathering *g = arg;
    const struct archive_scan *scan = g->s->scan;
    if (count != scan->columns_count)
        return err_set(err, ERR_DB, "a row of \"%s\" has %zu fields, not %zu", scan->table, count, scan->columns_count);
    for (size_t i = 0; i < count; i++)
        put_value(g, i, fields[i]);
    return ++g->count < COPY_ROWS || hand_over(g, err);
}

static void gathering_init(struct gathering *g, struct arena *arena)
{
    const struct archive_scan *scan = g->s->scan;
    g->columns = arena_alloc(arena, (scan->columns_count + 1) * sizeof *g->columns);
    g->vectors = arena_zalloc(arena, (scan->columns_count + 1) * sizeof *g->vectors);
    for (uint32_t i = 0; i < COPY_ROWS; i++)
        g->rows[i] = i;
    for (size_t i = 0; i < scan->columns_count; i++) {
        struct archive_vector *v = &g->vectors[i];
        struct gathered *c = &g->columns[i];
        v->nulls = c->nulls;
        v->codes = g->rows;
        if (scan->columns[i].type >= ARCHIVE_TEXT)
            v->texts = c->texts;
        else if (scan->columns[i].type == ARCHIVE_REAL)
            v->reals = c->reals;
        else
            v->ints = c->ints;
    }
}

/* COPY takes no parameters: the text is made of names and numbers of ours alone. */
static void write_copy(struct buf *sql, const struct archive_scan *scan)
{
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    buf_add_c(sql, "copy (select ");
    for (size_t i = 0; i < scan->columns_count; i++)
        buf_addf(sql, "%s" STR_FMT "%s", i ? ", " : "", STR_ARG(scan->columns[i].name),
                 scan->columns[i].type == ARCHIVE_JSON ? "::text" : "");
    buf_addf(sql, " from %s where at >= '%s' and at < '%s' and bucket between %u and %u%s%s) to stdout (format binary)",
             scan->table, clock_format(scan->from_us, from), clock_format(scan->to_us, to), scan->lo, scan->hi,
             scan->where ? " and " : "", scan->where ? scan->where : "");
}

static bool scan_partitions(struct pg *pg, struct scanning *s, struct arena *arena, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    struct gathering *g = arena_zalloc(arena, sizeof *g);
    g->s = s;
    gathering_init(g, arena);
    buf_init(&sql, SQL_MAX);
    write_copy(&sql, s->scan);
    arena_init(&g->texts, 1 << 18);
    bool ok = buf_ok(&sql, "the statement of a scan", err) &&
              pg_copy_out(pg, sql.p, "reading rows", take_row, g, err) && hand_over(g, err);
    arena_release(&g->texts);
    return ok;
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

enum overlap { APART, INSIDE, ACROSS };

/* How the values of a column of whole numbers, none of which is null, lie to [lo, hi]. */
static enum overlap overlap_of(const struct archive_group *g, int column, int64_t lo, int64_t hi)
{
    const struct archive_range *r = &g->blocks[column].range;
    if (r->nulls == g->rows || (int64_t)r->max < lo || (int64_t)r->min > hi)
        return APART;
    return r->nulls == 0 && (int64_t)r->min >= lo && (int64_t)r->max <= hi ? INSIDE : ACROSS;
}

struct source {
    const struct archive *archive;
    int at, bucket, columns[ARCHIVE_COLUMNS_MAX];
    struct arena arena; /* of a group */
};

/* Keeps those of the rows whose value lies in [lo, hi]. */
static bool narrow(struct source *from, size_t group, int column, int64_t lo, int64_t hi, uint32_t *rows,
                   uint32_t *count, struct err *err)
{
    struct archive_vector v;
    uint32_t n = 0;
    if (!archive_read_vector(from->archive, group, (size_t)column, &from->arena, &v, err))
        return false;
    for (uint32_t i = 0; i < *count; i++) {
        rows[n] = rows[i];
        n += v.ints[rows[i]] >= lo && v.ints[rows[i]] <= hi;
    }
    *count = n;
    return true;
}

/* Of a column that the file lacks. */
static struct archive_vector vector_of_nulls(enum archive_type type, uint32_t rows, struct arena *arena)
{
    static const struct str none = { NULL, 0 };
    struct archive_vector v = { .codes = arena_zalloc(arena, ((size_t)rows + 1) * sizeof *v.codes) };
    unsigned char *nulls = arena_alloc(arena, (size_t)rows + 1);
    double *reals = arena_alloc(arena, ((size_t)rows + 1) * sizeof *reals);
    memset(nulls, 1, rows);
    for (uint32_t i = 0; i < rows; i++)
        reals[i] = (double)NAN;
    v.nulls = nulls;
    if (type >= ARCHIVE_TEXT)
        v.texts = &none;
    else if (type == ARCHIVE_REAL)
        v.reals = reals;
    else
        v.ints = arena_zalloc(arena, ((size_t)rows + 1) * sizeof *v.ints);
    return v;
}

static bool read_columns(const struct scanning *s, struct source *from, size_t group, struct archive_vector *out,
                         struct err *err)
{
    uint32_t rows = archive_footer(from->archive)->groups[group].rows;
    for (size_t c = 0; c < s->scan->columns_count; c++)
        if (from->columns[c] < 0)
            out[c] = vector_of_nulls(s->scan->columns[c].type, rows, &from->arena);
        else if (!archive_read_vector(from->archive, group, (size_t)from->columns[c], &from->arena, &out[c], err))
            return false;
    return true;
}

static bool scan_group(struct scanning *s, struct source *from, size_t group, struct err *err)
{
    const struct archive_scan *scan = s->scan;
    const struct archive_group *g = &archive_footer(from->archive)->groups[group];
    struct archive_vector columns[ARCHIVE_COLUMNS_MAX];
    enum overlap bucket = overlap_of(g, from->bucket, scan->lo, scan->hi),
                 at = overlap_of(g, from->at, scan->from_us, scan->to_us - 1);
    if (bucket == APART || at == APART)
        return true;
    arena_reset(&from->arena);
    uint32_t *rows = arena_alloc(&from->arena, ((size_t)g->rows + 1) * sizeof *rows), count = g->rows;
    for (uint32_t i = 0; i < count; i++)
        rows[i] = i;
    if ((at == ACROSS && !narrow(from, group, from->at, scan->from_us, scan->to_us - 1, rows, &count, err)) ||
        (bucket == ACROSS && count && !narrow(from, group, from->bucket, scan->lo, scan->hi, rows, &count, err)))
        return false;
    const struct archive_batch b = { .columns = columns, .rows = rows, .count = count };
    return count == 0 || (read_columns(s, from, group, columns, err) && s->fn(s->arg, &b, err));
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

bool archive_scan_batches(struct pg *pg, const char *dir, const struct archive_scan *scan, archive_batch_fn fn,
                          void *arg, struct err *err)
{
    struct scanning s = { .scan = scan, .fn = fn, .arg = arg };
    struct arena arena;
    arena_init(&arena, 1 << 14);
    bool ok = scan_files(pg, dir, &s, &arena, err) && scan_partitions(pg, &s, &arena, err);
    arena_release(&arena);
    return ok;
}

/* ---- row by row ---- */

struct rows {
    const struct archive_scan *scan;
    archive_row_fn fn;
    void *arg;
};

static bool each_row(void *arg, const struct archive_batch *b, struct err *err)
{
    const struct rows *r = arg;
    struct archive_value row[ARCHIVE_COLUMNS_MAX];
    for (uint32_t i = 0; i < b->count; i++) {
        for (size_t c = 0; c < r->scan->columns_count; c++)
            row[c] = archive_vector_value(r->scan->columns[c].type, &b->columns[c], b->rows[i]);
        if (!r->fn(r->arg, row, err))
            return false;
    }
    return true;
}

bool archive_scan(struct pg *pg, const char *dir, const struct archive_scan *scan, archive_row_fn fn, void *arg,
                  struct err *err)
{
    struct rows r = { scan, fn, arg };
    return archive_scan_batches(pg, dir, scan, each_row, &r, err);
}
