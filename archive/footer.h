/* footer.h - what an archive file says of itself, at its end: which table and day it is of, its columns, and where each block lies.
 *
 *   "XPARCH01" | blocks | footer | u32 bytes of the footer | u32 CRC-32C of the footer | "XPARCH01"
 *
 * Rows are in groups of up to ARCHIVE_GROUP_ROWS; a group has a block for each column: zstd of what column.h makes of its values, with a
 * CRC-32C of what is stored. All numbers are little-endian. Footer:
 *   u16 n, table | i32 day (since 1970) | u16 columns, of each: u8 type, u16 n, name | u64 rows | u32 groups, of each:
 *     u32 rows, and of each column: u64 offset, u32 stored bytes, u32 raw bytes, u32 CRC-32C, u32 nulls, u64 min, u64 max (column.h) */
#pragma once
#include "archive/column.h"

#define ARCHIVE_MAGIC "XPARCH01"
enum { ARCHIVE_MAGIC_BYTES = 8, ARCHIVE_TAIL_BYTES = 16, ARCHIVE_COLUMNS_MAX = 64, ARCHIVE_FOOTER_MAX = 64 << 20 };

struct archive_column {
    struct str name;
    enum archive_type type;
};

struct archive_schema {
    struct str table;
    int32_t day;
    const struct archive_column *columns;
    size_t columns_count;
};

struct archive_block {
    uint64_t offset;
    uint32_t stored_bytes, raw_bytes, crc;
    struct archive_range range;
};

struct archive_group {
    uint32_t rows;
    struct archive_block *blocks; /* one for each column */
};

struct archive_footer {
    struct archive_schema schema;
    uint64_t rows;
    struct archive_group *groups;
    size_t groups_count;
};

/* Footer and tail. */
void archive_footer_write(struct buf *b, const struct archive_footer *f);
/* Of a whole file's bytes. Texts are borrowed from them, the rest is in the arena. Every block is found to lie between head and footer. */
bool archive_footer_read(struct str file, struct archive_footer *out, struct arena *arena, struct err *err) MUSTCHECK;
