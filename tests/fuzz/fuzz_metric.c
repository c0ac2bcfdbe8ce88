/* Documents of metrics: what is taken is written so that it reads the same. */
#include <stdlib.h>

#include "metric/metric.h"

static void check(const struct metric_def *m, struct arena *arena)
{
    struct metric_def again;
    struct str text, second;
    struct err err;
    if (!metric_text(m, arena, &text, &err))
        return; /* larger than a definition may be */
    if (!metric_parse(text, arena, &again, &err) || !metric_equal(m, &again))
        abort();
    if (!metric_text(&again, arena, &second, &err) || !str_eq(text, second))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str body = { (const char *)data, n };
    struct metric_def m;
    struct arena arena;
    struct err err = { 0 };
    arena_init(&arena, 4096);
    if (metric_parse(body, &arena, &m, &err))
        check(&m, &arena);
    else if (err.kind != ERR_INVALID || !*err.text)
        abort();
    arena_release(&arena);
    return 0;
}
