#include <assert.h>
#include <math.h>
#include <string.h>

#include "stats/ranks/sketch_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is taken can be asked and written, and reads the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sketch s, back, merged;
    static unsigned char bytes[SKETCH_BYTES_MAX];
    struct quantile q;
    struct moments2 m;
    double value;
    if (!sketch_bytes_read(data, n, &s, NULL))
        return 0;
    bool ok = sketch_bytes_read(bytes, sketch_bytes_write(&s, bytes), &back, NULL);
    assert(ok && back.used == s.used && memcmp(back.buckets, s.buckets, s.used * sizeof *s.buckets) == 0);
    for (double level = 0.1; level < 1; level += 0.2) {
        (void)sketch_quantile(&s, level, 1.96, &q, NULL);
        assert(!sketch_moments(&s, level, &m, &value, NULL) || isfinite(value));
    }
    sketch_init(&merged);
    (void)(sketch_merge(&merged, &s, NULL) && sketch_merge(&merged, &back, NULL));
    return 0;
}
