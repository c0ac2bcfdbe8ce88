#include <jansson.h>
#include <stdlib.h>

#include "experimentd/ingest/formats/native.h"
#include "experimentd/ingest/formats/pull.h"

static bool drop(void *arg, size_t index, struct str text, const struct signal *s, const struct err *err)
{
    (void)arg;
    (void)index;
    (void)text;
    if (!s && err->kind == ERR_NONE)
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = { (const char *)data, n };
    struct arena arena;
    struct err err;
    struct pull p;
    bool single;
    arena_init(&arena, 4096);
    (void)!native_read(text, INT64_C(1790000000000000), &arena, drop, NULL, &single, &err);
    pull_init(&p, text, &arena);
    if (pull_skip(&p, NULL) && pull_at_end(&p)) {
        json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL,
                                  NULL); /* 64 bits are its own limit */
        if (!root)
            abort(); /* we took what is no JSON */
        json_decref(root);
    }
    arena_release(&arena);
    return 0;
}
