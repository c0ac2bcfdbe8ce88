#include "base/hash.h"
#include "trainer/engine/frame.h"
#include "trainer/kernels/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = { (const char *)data, n };
    struct frame f;
    size_t size;
    struct arena arena;
    struct unit_day u;
    struct total_cell cell;
    struct total_counts counts;
    uint32_t experiment;
    (void)frame_read(text, &f, &size);
    arena_init(&arena, 4096);
    for (struct str rest = text; rest.n && unit_day_read(&rest, &u, &arena);) {
    }
    for (struct str rest = text; rest.n && metrics_read(&rest, &cell, &experiment, &counts);) {
    }
    arena_release(&arena);
    return 0;
}
