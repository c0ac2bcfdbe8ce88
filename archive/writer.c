#include "archive/writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/hash.h"

enum { LEVEL = 3, GROUP_TEXT_BYTES = 64 << 20 }; /* a group ends early when its texts are long */

struct archive_writer {
    char *path, *temporary, *folder;
    FILE *file;
    struct arena schema_arena, texts;
    struct archive_footer footer;
    size_t groups_room, text_bytes;
    struct archive_value *values[ARCHIVE_COLUMNS_MAX]; /* of the group that gathers */
    uint32_t rows;
    uint64_t offset;
    uint32_t crc;
    struct buf raw, packed;
};

/* ---- the file ---- */

static bool sync_folder(const char *folder, struct err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        (void)err_set_errno(err, "cannot sync folder \"%s\"", folder);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool sync_parent(const char *path, struct err *err)
{
    AUTO(mem_free) char *parent = mem_strdup(path);
    char *slash = strrchr(parent, '/');
    *slash = '\0';
    return sync_folder(*parent ? parent : "/", err);
}

static bool make_folders(char *path, struct err *err)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        bool made = mkdir(path, 0700) == 0, ok = made || errno == EEXIST;
        if (!ok)
            (void)err_set_errno(err, "cannot make folder \"%s\"", path);
        ok = ok && (!made || sync_parent(path, err));
        *p = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool put(struct archive_writer *w, struct str bytes, struct err *err)
{
    if (fwrite(bytes.p, 1, bytes.n, w->file) != bytes.n)
        return err_set_errno(err, "cannot write archive \"%s\"", w->temporary);
    w->offset += bytes.n;
    w->crc = hash_crc32c(w->crc, bytes.p, bytes.n);
    return true;
}

static void copy_schema(struct archive_writer *w, const struct archive_schema *schema)
{
    struct archive_column *columns = arena_alloc(&w->schema_arena, schema->columns_count * sizeof *columns);
    for (size_t i = 0; i < schema->columns_count; i++) {
        columns[i] = schema->columns[i];
        columns[i].name = arena_str(&w->schema_arena, columns[i].name);
        w->values[i] = mem_alloc(ARCHIVE_GROUP_ROWS * sizeof *w->values[i]);
    }
    w->footer.schema = (struct archive_schema){ .table = arena_str(&w->schema_arena, schema->table),
                                                .day = schema->day,
                                                .columns = columns,
                                                .columns_count = schema->columns_count };
}

struct archive_writer *archive_writer_open(const char *path, const struct archive_schema *schema, struct err *err)
{
    assert(schema->columns_count > 0 && schema->columns_count <= ARCHIVE_COLUMNS_MAX && strchr(path, '/'));
    AUTO(archive_writer_free) struct archive_writer *w = mem_zalloc(sizeof *w);
    w->path = mem_strdup(path);
    w->folder = mem_strdup(path);
    arena_init(&w->schema_arena, 4096);
    arena_init(&w->texts, 1 << 20);
    buf_init(&w->raw, ARCHIVE_RAW_MAX);
    buf_init(&w->packed, ARCHIVE_RAW_MAX + (16 << 20));
    copy_schema(w, schema);
    if (!make_folders(w->folder, err))
        return NULL;
    strrchr(w->folder, '/')[0] = '\0';
    w->temporary = mem_printf("%s.part", path);
    w->file = fopen(w->temporary, "we");
    if (!w->file) {
        (void)err_set_errno(err, "cannot write archive \"%s\"", w->temporary);
        return NULL;
    }
    if (!put(w, STR(ARCHIVE_MAGIC), err))
        return NULL;
    return TAKE(w);
}

/* ---- groups ---- */

static struct archive_group *group_new(struct archive_writer *w, uint32_t rows)
{
    struct archive_footer *f = &w->footer;
    if (f->groups_count == w->groups_room) {
        w->groups_room = w->groups_room ? w->groups_room * 2 : 16;
        f->groups = mem_realloc(f->groups, w->groups_room * sizeof *f->groups);
    }
    struct archive_group *g = &f->groups[f->groups_count++];
    g->rows = rows;
    g->blocks = arena_zalloc(&w->schema_arena, f->schema.columns_count * sizeof *g->blocks);
    f->rows += rows;
    return g;
}

static bool put_block(struct archive_writer *w, size_t column, struct archive_block *b, struct err *err)
{
    buf_clear(&w->raw);
    buf_clear(&w->packed);
    archive_column_encode(w->footer.schema.columns[column].type, w->values[column], w->rows, &w->raw, &b->range);
    char *to = buf_ok(&w->raw, "a block of an archive", err) ? buf_reserve(&w->packed, ZSTD_compressBound(w->raw.n))
                                                             : NULL;
    if (!to)
        return buf_ok(&w->raw, "a block of an archive", err) && buf_ok(&w->packed, "a block of an archive", err);
    size_t n = ZSTD_compress(to, ZSTD_compressBound(w->raw.n), w->raw.p, w->raw.n, LEVEL);
    if (ZSTD_isError(n))
        return err_set(err, ERR_SYSTEM, "cannot compress a block: %s", ZSTD_getErrorName(n));
    b->offset = w->offset;
    b->raw_bytes = (uint32_t)w->raw.n;
    b->stored_bytes = (uint32_t)n;
    b->crc = hash_crc32c(0, to, n);
    return put(w, (struct str){ to, n }, err);
}

static bool flush(struct archive_writer *w, struct err *err)
{
    if (w->rows == 0)
        return true;
    struct archive_group *g = group_new(w, w->rows);
    for (size_t i = 0; i < w->footer.schema.columns_count; i++)
        if (!put_block(w, i, &g->blocks[i], err))
            return false;
    w->rows = 0;
    w->text_bytes = 0;
    arena_reset(&w->texts);
    return true;
}

bool archive_writer_add(struct archive_writer *w, const struct archive_value *row, struct err *err)
{
    const struct archive_schema *s = &w->footer.schema;
    for (size_t i = 0; i < s->columns_count; i++) {
        struct archive_value *v = &w->values[i][w->rows];
        bool text = s->columns[i].type >= ARCHIVE_TEXT;
        *v = row[i];
        if (text && !v->null) {
            v->s = arena_str(&w->texts, row[i].s);
            w->text_bytes += v->s.n;
        }
    }
    w->rows++;
    return (w->rows < ARCHIVE_GROUP_ROWS && w->text_bytes < GROUP_TEXT_BYTES) || flush(w, err);
}

bool archive_writer_end_group(struct archive_writer *w, uint32_t least_rows, struct err *err)
{
    return w->rows < least_rows || flush(w, err);
}

bool archive_writer_add_group(struct archive_writer *w, const struct archive *from, size_t group, struct err *err)
{
    const struct archive_footer *f = archive_footer(from);
    assert(f->schema.columns_count == w->footer.schema.columns_count);
    if (!flush(w, err))
        return false;
    struct archive_group *g = group_new(w, f->groups[group].rows);
    for (size_t i = 0; i < f->schema.columns_count; i++) {
        struct str stored;
        if (!archive_block(from, group, i, &stored, err))
            return false;
        g->blocks[i] = f->groups[group].blocks[i];
        g->blocks[i].offset = w->offset;
        if (!put(w, stored, err))
            return false;
    }
    return true;
}

/* ---- the end ---- */

static bool put_footer(struct archive_writer *w, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, ARCHIVE_FOOTER_MAX);
    archive_footer_write(&b, &w->footer);
    return buf_ok(&b, "the footer of an archive", err) && put(w, buf_str(&b), err);
}

bool archive_writer_finish(struct archive_writer *w, struct archive_summary *out, struct err *err)
{
    if (!flush(w, err) || !put_footer(w, err))
        return false;
    if (fflush(w->file) != 0 || fsync(fileno(w->file)) != 0)
        return err_set_errno(err, "cannot sync archive \"%s\"", w->temporary);
    FILE *file = TAKE(w->file);
    if (fclose(file) != 0 || rename(w->temporary, w->path) != 0)
        return err_set_errno(err, "cannot rename archive \"%s\"", w->temporary);
    if (!sync_folder(w->folder, err))
        return false;
    *out = (struct archive_summary){ .rows = w->footer.rows, .bytes = w->offset, .crc = w->crc };
    return true;
}

void archive_writer_free(struct archive_writer *w)
{
    if (!w)
        return;
    if (w->file)
        (void)fclose(w->file);
    if (w->temporary)
        (void)unlink(w->temporary); /* of a finished one there is none */
    for (size_t i = 0; i < w->footer.schema.columns_count; i++)
        mem_free(w->values[i]);
    buf_release(&w->raw);
    buf_release(&w->packed);
    arena_release(&w->schema_arena);
    arena_release(&w->texts);
    mem_free(w->footer.groups);
    mem_free(w->path);
    mem_free(w->temporary);
    mem_free(w->folder);
    mem_free(w);
}
