#include "archive/footer.h"

#include <endian.h>

#include "base/hash.h"

enum { BLOCK_BYTES = 40, GROUP_BYTES = 4 };

/* ---- writing ---- */

static void put(struct buf *b, uint64_t v, size_t bytes)
{
    v = htole64(v);
    buf_add(b, &v, bytes);
}

static void put_text(struct buf *b, struct str s)
{
    put(b, s.n, 2);
    buf_add_str(b, s);
}

static void put_block(struct buf *b, const struct archive_block *k)
{
    put(b, k->offset, 8);
    put(b, k->stored_bytes, 4);
    put(b, k->raw_bytes, 4);
    put(b, k->crc, 4);
    put(b, k->range.nulls, 4);
    put(b, k->range.min, 8);
    put(b, k->range.max, 8);
}

void archive_footer_write(struct buf *b, const struct archive_footer *f)
{
    const struct archive_schema *s = &f->schema;
    size_t from = b->n;
    put_text(b, s->table);
    put(b, (uint32_t)s->day, 4);
    put(b, s->columns_count, 2);
    for (size_t i = 0; i < s->columns_count; i++) {
        put(b, s->columns[i].type, 1);
        put_text(b, s->columns[i].name);
    }
    put(b, f->rows, 8);
    put(b, f->groups_count, 4);
    for (size_t g = 0; g < f->groups_count; g++) {
        put(b, f->groups[g].rows, 4);
        for (size_t i = 0; i < s->columns_count; i++)
            put_block(b, &f->groups[g].blocks[i]);
    }
    size_t n = b->n - from;
    uint32_t crc = b->failed ? 0 : hash_crc32c(0, b->p + from, n);
    put(b, n, 4);
    put(b, crc, 4);
    buf_add(b, ARCHIVE_MAGIC, ARCHIVE_MAGIC_BYTES);
}

/* ---- reading ---- */

static bool take(struct str *in, size_t bytes, uint64_t *out)
{
    uint64_t v = 0;
    if (in->n < bytes)
        return false;
    memcpy(&v, in->p, bytes);
    in->p += bytes;
    in->n -= bytes;
    *out = le64toh(v);
    return true;
}

static bool take_text(struct str *in, struct str *out)
{
    uint64_t n;
    if (!take(in, 2, &n) || in->n < n)
        return false;
    *out = (struct str){ in->p, (size_t)n };
    in->p += n;
    in->n -= (size_t)n;
    return true;
}

static bool take_columns(struct str *in, struct archive_schema *s, struct arena *arena)
{
    uint64_t day, count, type;
    if (!take_text(in, &s->table) || !take(in, 4, &day) || !take(in, 2, &count) || count == 0 ||
        count > ARCHIVE_COLUMNS_MAX)
        return false;
    struct archive_column *columns = arena_zalloc(arena, count * sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        if (!take(in, 1, &type) || type >= ARCHIVE_TYPE_COUNT || !take_text(in, &columns[i].name))
            return false;
        columns[i].type = (enum archive_type)type;
    }
    s->day = (int32_t)(uint32_t)day;
    s->columns = columns;
    s->columns_count = (size_t)count;
    return true;
}

static bool take_block(struct str *in, uint32_t rows, uint64_t end, struct archive_block *k)
{
    uint64_t offset = 0, stored = 0, raw = 0, crc = 0, nulls = 0, min = 0, max = 0;
    if (!take(in, 8, &offset) || !take(in, 4, &stored) || !take(in, 4, &raw) || !take(in, 4, &crc) ||
        !take(in, 4, &nulls) || !take(in, 8, &min) || !take(in, 8, &max))
        return false;
    *k = (struct archive_block){ .offset = offset,
                                 .stored_bytes = (uint32_t)stored,
                                 .raw_bytes = (uint32_t)raw,
                                 .crc = (uint32_t)crc,
                                 .range = { (uint32_t)nulls, min, max } };
    return offset >= ARCHIVE_MAGIC_BYTES && offset <= end && stored <= end - offset && raw <= ARCHIVE_RAW_MAX &&
           nulls <= rows;
}

static bool take_groups(struct str *in, uint64_t end, struct archive_footer *f, struct arena *arena)
{
    uint64_t count, rows, sum = 0;
    size_t columns = f->schema.columns_count;
    if (!take(in, 8, &f->rows) || !take(in, 4, &count) || count * (GROUP_BYTES + columns * BLOCK_BYTES) != in->n)
        return false;
    f->groups = arena_alloc(arena, (count + 1) * sizeof *f->groups);
    f->groups_count = (size_t)count;
    for (size_t g = 0; g < count; g++) {
        if (!take(in, 4, &rows) || rows == 0 || rows > ARCHIVE_GROUP_ROWS)
            return false;
        f->groups[g].rows = (uint32_t)rows;
        f->groups[g].blocks = arena_alloc(arena, columns * sizeof *f->groups[g].blocks);
        for (size_t i = 0; i < columns; i++)
            if (!take_block(in, (uint32_t)rows, end, &f->groups[g].blocks[i]))
                return false;
        sum += rows;
    }
    return sum == f->rows;
}

bool archive_footer_read(struct str file, struct archive_footer *out, struct arena *arena, struct err *err)
{
    struct archive_footer f = { 0 };
    uint64_t n = 0, crc = 0;
    if (file.n < ARCHIVE_MAGIC_BYTES + ARCHIVE_TAIL_BYTES || memcmp(file.p, ARCHIVE_MAGIC, ARCHIVE_MAGIC_BYTES) != 0)
        return err_set(err, ERR_INVALID, "it does not begin as an archive file does");
    struct str tail = { file.p + file.n - ARCHIVE_TAIL_BYTES, ARCHIVE_TAIL_BYTES };
    if (memcmp(tail.p + 8, ARCHIVE_MAGIC, ARCHIVE_MAGIC_BYTES) != 0)
        return err_set(err, ERR_INVALID, "it does not end as an archive file does: it is cut off, or was not finished");
    uint64_t end = file.n - ARCHIVE_TAIL_BYTES;
    if (!take(&tail, 4, &n) || !take(&tail, 4, &crc) || n > end - ARCHIVE_MAGIC_BYTES)
        return err_set(err, ERR_INVALID, "its footer is longer than it");
    struct str footer = { file.p + end - n, (size_t)n };
    if (hash_crc32c(0, footer.p, footer.n) != crc)
        return err_set(err, ERR_INVALID, "its footer is damaged");
    if (!take_columns(&footer, &f.schema, arena) || !take_groups(&footer, end - n, &f, arena))
        return err_set(err, ERR_INVALID, "its footer says what cannot be");
    *out = f;
    return true;
}
