#include <endian.h>
#include <stdlib.h>
#include <zstd.h>

#include "archive/reader.h"
#include "base/hash.h"

/* Checksums are mended, so that what stands behind them is reached too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void one_column(const uint8_t *data, size_t n)
{
    struct arena arena;
    struct archive_value *values;
    arena_init(&arena, 1 << 16);
    for (int type = 0; n && type < ARCHIVE_TYPE_COUNT; type++) {
        struct err err;
        uint32_t rows = data[0];
        if (!archive_column_values((enum archive_type)type, rows, (struct str){ (const char *)data + 1, n - 1 }, &arena,
                                   &values, &err))
            continue;
        struct archive_range range; /* what was read can be written, and read again */
        struct buf b;
        buf_init(&b, ARCHIVE_RAW_MAX);
        archive_column_encode((enum archive_type)type, values, rows, &b, &range);
        if (!archive_column_values((enum archive_type)type, rows, buf_str(&b), &arena, &values, &err))
            abort();
        buf_release(&b);
    }
    arena_release(&arena);
}

/* The input is the footer and, before it, one block that all columns' blocks may point into. */
static void whole_file(const uint8_t *data, size_t n)
{
    struct buf b;
    struct err err;
    uint32_t footer = n > 2 ? (uint32_t)(((size_t)data[0] | (size_t)data[1] << 8) % (n - 1)) : 0;
    buf_init(&b, 1 << 22);
    buf_add(&b, ARCHIVE_MAGIC, ARCHIVE_MAGIC_BYTES);
    if (n > 2)
        buf_add(&b, data + 2, n - 2);
    uint32_t size = footer < b.n ? footer : 0, crc = hash_crc32c(0, b.p + b.n - size, size);
    buf_add(&b, &size, 4);
    buf_add(&b, &crc, 4);
    buf_add(&b, ARCHIVE_MAGIC, ARCHIVE_MAGIC_BYTES);
    struct archive *a = archive_open_bytes("fuzz", buf_str(&b), &err);
    if (a) {
        const struct archive_footer *f = archive_footer(a);
        for (size_t g = 0; g < f->groups_count; g++) /* mend what the blocks are checked against */
            for (size_t i = 0; i < f->schema.columns_count; i++) {
                struct archive_block *k = &f->groups[g].blocks[i];
                k->crc = hash_crc32c(0, b.p + k->offset, k->stored_bytes);
                if (k->raw_bytes > 1 << 20)
                    k->raw_bytes = 1 << 20;
            }
        (void)!archive_check(a, &err);
    }
    archive_close(a);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    one_column(data, n);
    whole_file(data, n);
    return 0;
}
