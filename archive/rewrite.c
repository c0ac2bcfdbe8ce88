#include "archive/rewrite.h"

struct rewriting {
    const struct archive *in;
    const struct archive_match *match;
    size_t column, bucket; /* bucket: SIZE_MAX, it does not matter */
    uint32_t *matches;     /* of each group */
    uint64_t dropped;
    struct arena arena;
};

/* ---- which rows ---- */

static bool in_values(const struct archive_match *m, const struct archive_value *v)
{
    for (size_t i = 0; i < m->count; i++)
        if (!v->null && str_eq(m->values[i], v->s))
            return true;
    return false;
}

static bool may_match(const struct rewriting *w, const struct archive_group *g)
{
    const struct archive_value bucket = { .i = w->match->bucket };
    if (w->bucket != SIZE_MAX && !archive_range_holds(ARCHIVE_INT, &g->blocks[w->bucket].range, g->rows,
                                                      archive_range_key(ARCHIVE_INT, &bucket)))
        return false;
    for (size_t i = 0; i < w->match->count && !w->match->others; i++) {
        const struct archive_value v = { .s = w->match->values[i] };
        if (archive_range_holds(ARCHIVE_TEXT, &g->blocks[w->column].range, g->rows,
                                archive_range_key(ARCHIVE_TEXT, &v)))
            return true;
    }
    return w->match->others;
}

/* Whether each row of a group goes; NULL on failure. */
static bool *rows_of(struct rewriting *w, size_t group, struct err *err)
{
    uint32_t rows = archive_footer(w->in)->groups[group].rows;
    struct archive_value *texts, *buckets = NULL;
    if (!archive_read(w->in, group, w->column, &w->arena, &texts, err) ||
        (w->bucket != SIZE_MAX && !archive_read(w->in, group, w->bucket, &w->arena, &buckets, err)))
        return NULL;
    bool *goes = arena_alloc(&w->arena, rows * sizeof *goes);
    for (uint32_t i = 0; i < rows; i++)
        goes[i] = in_values(w->match, &texts[i]) != w->match->others && (!buckets || buckets[i].i == w->match->bucket);
    return goes;
}

static bool count_matches(struct rewriting *w, struct err *err)
{
    const struct archive_footer *f = archive_footer(w->in);
    for (size_t g = 0; g < f->groups_count; g++) {
        if (!may_match(w, &f->groups[g]))
            continue;
        arena_reset(&w->arena);
        const bool *goes = rows_of(w, g, err);
        if (!goes)
            return false;
        for (uint32_t i = 0; i < f->groups[g].rows; i++)
            w->matches[g] += goes[i];
        w->dropped += w->matches[g];
    }
    return true;
}

/* ---- the new file ---- */

static bool add_rest(struct rewriting *w, struct archive_writer *to, size_t group, struct err *err)
{
    const struct archive_footer *f = archive_footer(w->in);
    struct archive_value *values[ARCHIVE_COLUMNS_MAX], row[ARCHIVE_COLUMNS_MAX];
    arena_reset(&w->arena);
    const bool *goes = rows_of(w, group, err);
    bool ok = goes != NULL;
    for (size_t c = 0; ok && c < f->schema.columns_count; c++)
        ok = archive_read(w->in, group, c, &w->arena, &values[c], err);
    for (uint32_t i = 0; ok && i < f->groups[group].rows; i++) {
        for (size_t c = 0; c < f->schema.columns_count; c++)
            row[c] = values[c][i];
        ok = goes[i] || archive_writer_add(to, row, err);
    }
    return ok;
}

static bool write_rest(struct rewriting *w, const char *path, struct archive_summary *out, struct err *err)
{
    const struct archive_footer *f = archive_footer(w->in);
    AUTO(archive_writer_free) struct archive_writer *to = archive_writer_open(path, &f->schema, err);
    bool ok = to != NULL;
    for (size_t g = 0; ok && g < f->groups_count; g++) {
        if (w->matches[g] == 0)
            ok = archive_writer_add_group(to, w->in, g, err);
        else if (w->matches[g] < f->groups[g].rows)
            ok = add_rest(w, to, g, err);
    }
    return ok && archive_writer_finish(to, out, err);
}

static bool replace(struct rewriting *w, struct pg *pg, const char *dir, const struct archive_entry *e, struct err *err)
{
    struct archive_entry next = *e;
    struct archive_summary s = { 0 };
    char name[ARCHIVE_PATH_MAX];
    if (w->dropped < archive_footer(w->in)->rows) {
        if (!archive_store_name(pg, e, name, err))
            return false;
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, name);
        if (!write_rest(w, path, &s, err))
            return false;
        next.path = str_of(name);
    }
    next.rows = s.rows;
    next.bytes = s.bytes;
    next.crc = s.crc;
    return archive_store_replace(pg, e->path, &next, err);
}

static bool find_columns(struct rewriting *w, struct err *err)
{
    int column = archive_column_named(w->in, w->match->column), bucket = archive_column_named(w->in, "bucket");
    const struct archive_column *columns = archive_footer(w->in)->schema.columns;
    if (column < 0 || columns[column].type != ARCHIVE_TEXT || bucket < 0 || columns[bucket].type != ARCHIVE_INT)
        return err_set(err, ERR_INVALID, "an archive file has no column \"%s\" of texts, or none \"bucket\"",
                       w->match->column);
    w->column = (size_t)column;
    w->bucket = w->match->bucket < 0 ? SIZE_MAX : (size_t)bucket;
    return true;
}

bool archive_drop_rows(struct pg *pg, const char *dir, const struct archive_entry *e, const struct archive_match *m,
                       uint64_t *out_dropped, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/%s", dir, e->path.p);
    AUTO(archive_close) struct archive *in = archive_open(path, err);
    struct rewriting w = { .in = in, .match = m };
    if (!in || !find_columns(&w, err))
        return false;
    w.matches = mem_zalloc((archive_footer(in)->groups_count + 1) * sizeof *w.matches);
    arena_init(&w.arena, 1 << 20);
    bool ok = count_matches(&w, err) && (w.dropped == 0 || replace(&w, pg, dir, e, err));
    if (ok)
        *out_dropped = w.dropped;
    arena_release(&w.arena);
    mem_free(w.matches);
    return ok;
}
