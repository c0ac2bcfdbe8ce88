#include "experimentd/labelled/labelled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first byte says the format. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct labelled_upload u;
    struct arena arena;
    struct err err;
    if (n == 0)
        return 0;
    arena_init(&arena, 4096);
    (void)!labelled_read((struct str){ (const char *)data + 1, n - 1 }, data[0] % 2 ? LABELLED_JSONL : LABELLED_CSV,
                         &arena, &u, &err);
    buf_release(&u.rows);
    arena_release(&arena);
    return 0;
}
