#include "trainer/kernels/matrix/items.h"

#include "trainer/kernels/pair_table.h"

void matrix_items_write(struct buf *b, const struct str *texts, uint32_t count)
{
    const uint32_t head[] = { count, 0 };
    uint64_t offset = 0;
    buf_add(b, head, sizeof head);
    for (uint32_t i = 0; i <= count; i++) {
        buf_add(b, &offset, sizeof offset);
        if (i < count)
            offset += texts[i].n;
    }
    for (uint32_t i = 0; i < count; i++)
        buf_add_str(b, texts[i]);
}

bool matrix_items_read(struct str blob, struct matrix_items *out, struct err *err)
{
    uint32_t head[2] = { 0, 0 };
    if (blob.n >= sizeof head)
        memcpy(head, blob.p, sizeof head);
    uint64_t offsets = ((uint64_t)head[0] + 1) * sizeof(uint64_t);
    if (blob.n < sizeof head + offsets)
        return err_set(err, ERR_INVALID, "the blob of %zu bytes does not hold the matrix' items", blob.n);
    *out = (struct matrix_items){ head[0], (const uint64_t *)(const void *)(blob.p + sizeof head),
                                  blob.p + sizeof head + offsets };
    return out->offsets[head[0]] == blob.n - sizeof head - offsets ||
           err_set(err, ERR_INVALID, "the blob of the matrix' items is cut");
}

bool matrix_item_find(const struct matrix_items *m, struct str text, uint32_t *out)
{
    uint32_t lo = 0, hi = m->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int d = pair_text_compare(text, matrix_item_text(m, mid));
        if (d == 0) {
            *out = mid;
            return true;
        }
        if (d < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return false;
}
