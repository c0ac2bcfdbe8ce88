#include "experimentd/ingest/formats/ubi.h"

static bool drop(void *arg, size_t index, const json_t *json, const struct foreign_event *event, const struct err *err)
{
    (void)arg;
    (void)index;
    (void)json;
    (void)event;
    (void)err;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena;
    struct err err;
    arena_init(&arena, 4096);
    for (int kind = UBI_EVENTS; kind <= UBI_EITHER; kind++)
        (void)!ubi_read((struct str){ (const char *)data, n }, (enum ubi_kind)kind, INT64_C(1790000000000000), &arena,
                        drop, NULL, &err);
    arena_release(&arena);
    return 0;
}
