#include "model/artifact_parts.h"

bool artifact_parts_send(struct pg *pg, const char *digest, struct str bytes, struct err *err)
{
    AUTO(buf_release) struct buf b;
    uint64_t rows;
    buf_init(&b, ARTIFACT_PART_BYTES + 1024);
    if (!pg_copy_begin(pg, "copy artifact_parts (digest, part, content) from stdin (format binary)", err))
        return false;
    pg_copy_header(&b);
    for (size_t at = 0; at < bytes.n; at += ARTIFACT_PART_BYTES) {
        size_t n = bytes.n - at < ARTIFACT_PART_BYTES ? bytes.n - at : ARTIFACT_PART_BYTES;
        pg_copy_row(&b, 3);
        pg_copy_text(&b, str_of(digest));
        pg_copy_i32(&b, (int32_t)(at / ARTIFACT_PART_BYTES));
        pg_copy_text(&b, (struct str){ bytes.p + at, n });
        if (!pg_copy_send(pg, buf_str(&b), err))
            return false;
        buf_clear(&b);
    }
    pg_copy_trailer(&b);
    return pg_copy_send(pg, buf_str(&b), err) && pg_copy_end(pg, &rows, err);
}
