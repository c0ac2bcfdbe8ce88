#include <stdlib.h>

#include "base/hash.h"
#include "experimentd/ingest/journal/record.h"

/* The checksum is mended, so that the parsers behind it are reached too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b;
    struct str payload;
    enum record_type type;
    size_t size;
    buf_init(&b, 1 << 20);
    buf_add(&b, data, n < (1 << 20) ? n : 0);
    if (b.n > RECORD_HEAD_BYTES) {
        uint32_t length = (uint32_t)(b.n - RECORD_HEAD_BYTES);
        memcpy(b.p, &length, sizeof length);
        uint32_t crc = hash_crc32c(0, b.p + 8, length + 4);
        memcpy(b.p + 4, &crc, sizeof crc);
    }
    if (record_read(buf_str(&b), &type, &payload, &size) == RECORD_WHOLE) {
        struct signal s;
        struct exposure e;
        (void)!record_parse_signal(payload, &s);
        (void)!record_parse_exposure(payload, &e);
    }
    (void)record_read((struct str){ (const char *)data, n }, &type, &payload, &size);
    buf_release(&b);
    return 0;
}
