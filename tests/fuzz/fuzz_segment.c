/* Segment's and Insights' bodies: what is taken is a signal that the journal may hold. */
#include <stdlib.h>

#include "experimentd/ingest/formats/insights.h"
#include "experimentd/ingest/formats/segment.h"

static bool check(void *arg, size_t index, const json_t *json, const struct foreign_event *e, const struct err *err)
{
    struct err ignored;
    (void)arg;
    (void)index;
    (void)json;
    if (!e && err->kind == ERR_NONE)
        abort();
    for (size_t i = 0; e && i < e->signals_count; i++)
        if (!signal_check(&e->signals[i], NULL, &ignored))
            abort();
    if (e && e->has_exposure && !exposure_check(&e->exposure, &ignored))
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str body = { (const char *)data, n };
    struct arena arena;
    struct err err;
    const int64_t now = INT64_C(1790000000000000);
    arena_init(&arena, 4096);
    (void)!segment_read(body, NULL, now, &arena, check, NULL, &err);
    (void)!segment_read(body, "track", now, &arena, check, NULL, &err);
    (void)segment_key(body, &arena);
    (void)!insights_read(body, now, &arena, check, NULL, &err);
    arena_release(&arena);
    return 0;
}
