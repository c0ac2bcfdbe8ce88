#include "archive/reader.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/hash.h"

struct archive {
    char *name;
    struct str bytes;
    bool mapped;
    struct arena arena; /* the footer */
    ZSTD_DCtx *unpacking;
    struct archive_footer footer;
};

struct archive *archive_open_bytes(const char *name, struct str bytes, struct err *err)
{
    AUTO(archive_close) struct archive *a = mem_zalloc(sizeof *a);
    a->name = mem_strdup(name);
    a->bytes = bytes;
    arena_init(&a->arena, 4096);
    a->unpacking = ZSTD_createDCtx();
    assert(a->unpacking);
    if (archive_footer_read(bytes, &a->footer, &a->arena, err))
        return TAKE(a);
    (void)err_prefix(err, "archive \"%s\": ", name);
    return NULL;
}

static bool map_file(const char *path, struct str *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot open archive \"%s\"", path);
    void *p = fstat(fd, &st) == 0 && st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                                                    : MAP_FAILED;
    (void)close(fd);
    if (p == MAP_FAILED)
        return err_set(err, ERR_INVALID, "archive \"%s\": it is empty or cannot be mapped", path);
    *out = (struct str){ p, (size_t)st.st_size };
    return true;
}

static void unmap(struct str bytes)
{
    (void)munmap((void *)(uintptr_t)bytes.p, bytes.n);
}

struct archive *archive_open(const char *path, struct err *err)
{
    struct str bytes;
    if (!map_file(path, &bytes, err))
        return NULL;
    struct archive *a = archive_open_bytes(path, bytes, err);
    if (a)
        a->mapped = true;
    else
        unmap(bytes);
    return a;
}

void archive_close(struct archive *a)
{
    if (!a)
        return;
    if (a->mapped)
        unmap(a->bytes);
    arena_release(&a->arena);
    (void)ZSTD_freeDCtx(a->unpacking);
    mem_free(a->name);
    mem_free(a);
}

const struct archive_footer *archive_footer(const struct archive *a)
{
    return &a->footer;
}

int archive_column_named(const struct archive *a, const char *name)
{
    for (size_t i = 0; i < a->footer.schema.columns_count; i++)
        if (str_eq_c(a->footer.schema.columns[i].name, name))
            return (int)i;
    return -1;
}

static bool damaged(const struct archive *a, size_t group, size_t column, struct err *err)
{
    struct str name = a->footer.schema.columns[column].name;
    return err_prefix(err, "archive \"%s\": column \"" STR_FMT "\", block %zu: ", a->name, STR_ARG(name), group);
}

bool archive_block(const struct archive *a, size_t group, size_t column, struct str *out_stored, struct err *err)
{
    const struct archive_block *b = &a->footer.groups[group].blocks[column];
    struct str stored = { a->bytes.p + b->offset, b->stored_bytes };
    if (hash_crc32c(0, stored.p, stored.n) != b->crc) {
        (void)err_set(err, ERR_INVALID, "it does not have its checksum");
        return damaged(a, group, column, err);
    }
    *out_stored = stored;
    return true;
}

static bool unpack(const struct archive *a, size_t group, size_t column, struct arena *arena, struct str *out,
                   struct err *err)
{
    const struct archive_block *b = &a->footer.groups[group].blocks[column];
    struct str stored;
    if (!archive_block(a, group, column, &stored, err))
        return false;
    if (ZSTD_getFrameContentSize(stored.p, stored.n) != b->raw_bytes) {
        (void)err_set(err, ERR_INVALID, "it is not %u bytes long when unpacked", b->raw_bytes);
        return damaged(a, group, column, err);
    }
    char *raw = arena_alloc(arena, (size_t)b->raw_bytes + 1);
    size_t n = ZSTD_decompressDCtx(a->unpacking, raw, b->raw_bytes, stored.p, stored.n);
    *out = (struct str){ raw, n };
    if (n == b->raw_bytes)
        return true;
    (void)err_set(err, ERR_INVALID, "it cannot be unpacked: %s", ZSTD_isError(n) ? ZSTD_getErrorName(n) : "length");
    return damaged(a, group, column, err);
}

bool archive_read_vector(const struct archive *a, size_t group, size_t column, struct arena *arena,
                         struct archive_vector *out, struct err *err)
{
    struct str raw;
    return unpack(a, group, column, arena, &raw, err) &&
           (archive_column_decode(a->footer.schema.columns[column].type, a->footer.groups[group].rows, raw, arena, out,
                                  err) ||
            damaged(a, group, column, err));
}

bool archive_read(const struct archive *a, size_t group, size_t column, struct arena *arena,
                  struct archive_value **out_values, struct err *err)
{
    struct str raw;
    return unpack(a, group, column, arena, &raw, err) &&
           (archive_column_values(a->footer.schema.columns[column].type, a->footer.groups[group].rows, raw, arena,
                                  out_values, err) ||
            damaged(a, group, column, err));
}

bool archive_check(const struct archive *a, struct err *err)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 20);
    for (size_t g = 0; ok && g < a->footer.groups_count; g++)
        for (size_t i = 0; ok && i < a->footer.schema.columns_count; i++) {
            struct archive_vector values;
            arena_reset(&arena);
            ok = archive_read_vector(a, g, i, &arena, &values, err);
        }
    arena_release(&arena);
    return ok;
}
