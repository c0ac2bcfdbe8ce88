/* Features of documents in every format: what is taken is within its bounds, sorted, and each row once. The first byte says the format, and whether the set is a new one. */
#include "experimentd/features/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct feature_rows *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct feature_row *row = &r->rows[i];
        if (row->count > r->features || row->query.n == 0 || row->doc.n == 0)
            __builtin_trap();
        for (uint32_t k = 0; k < row->count; k++)
            if (row->values[k] - row->values[k] != 0 && row->values[k] == row->values[k])
                __builtin_trap(); /* infinite */
        if (i && str_eq(row->query, row[-1].query) && str_eq(row->doc, row[-1].doc))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct str names[] = { { "bm25", 4 }, { "price", 5 } };
    struct feature_rows r;
    struct arena arena;
    struct err err;
    if (n == 0)
        return 0;
    const struct feature_source source = { .format = (enum feature_format)(data[0] % FEATURE_FORMATS),
                                           .text = { (const char *)data + 1, n - 1 },
                                           .query = { "q", data[0] & 64 ? 1 : 0 } };
    arena_init(&arena, 4096);
    feature_rows_init(&r, &arena, names, data[0] & 128 ? 0 : 2);
    if (feature_rows_read(&r, &source, &err))
        check(&r);
    feature_rows_release(&r);
    arena_release(&arena);
    return 0;
}
