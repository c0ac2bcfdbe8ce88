/* items.h - pure: the texts of the matrix' items, by number, as a blob: u32 count, u32 0, count + 1 u64 offsets, the texts. */
#pragma once
#include "base/buf.h"

struct matrix_items {
    uint32_t count;
    const uint64_t *offsets;
    const char *texts;
};
void matrix_items_write(struct buf *b, const struct str *texts, uint32_t count);
/* Borrows the blob. ERR_INVALID: it is none. */
bool matrix_items_read(struct str blob, struct matrix_items *out, struct err *err) MUSTCHECK;
static inline struct str matrix_item_text(const struct matrix_items *m, uint32_t number)
{
    return (struct str){ m->texts + m->offsets[number], (size_t)(m->offsets[number + 1] - m->offsets[number]) };
}
/* Its number: texts are sorted. False: it is none of them. */
bool matrix_item_find(const struct matrix_items *m, struct str text, uint32_t *out);
