#include "trainer/engine/frame.h"

#include "base/hash.h"

static const char magic[4] = { 'X', 'P', 'F', '1' };

/* The checksum covers the head from the type on, up to itself, then the payload. */
static uint32_t checksum(const char *head, struct str payload)
{
    return hash_crc32c(hash_crc32c(0, head + 4, 16), payload.p, payload.n);
}

void frame_write(struct buf *b, const struct frame *f)
{
    char head[FRAME_HEAD_BYTES] = { 0 };
    uint32_t n = (uint32_t)f->payload.n;
    memcpy(head, magic, sizeof magic);
    head[4] = (char)f->type;
    memcpy(head + 8, &f->a, 4);
    memcpy(head + 12, &f->b, 4);
    memcpy(head + 16, &n, 4);
    uint32_t crc = checksum(head, f->payload);
    memcpy(head + 20, &crc, 4);
    buf_add(b, head, sizeof head);
    buf_add_str(b, f->payload);
}

enum frame_state frame_read(struct str bytes, struct frame *out, size_t *out_size)
{
    uint32_t n, crc;
    if (bytes.n < FRAME_HEAD_BYTES)
        return FRAME_SHORT;
    memcpy(&n, bytes.p + 16, 4);
    memcpy(&crc, bytes.p + 20, 4);
    if (memcmp(bytes.p, magic, sizeof magic) != 0 || n > FRAME_PAYLOAD_MAX)
        return FRAME_BAD;
    if (bytes.n < FRAME_HEAD_BYTES + (size_t)n)
        return FRAME_SHORT;
    struct str payload = { bytes.p + FRAME_HEAD_BYTES, n };
    if (checksum(bytes.p, payload) != crc)
        return FRAME_BAD;
    out->type = (enum frame_type)(unsigned char)bytes.p[4];
    memcpy(&out->a, bytes.p + 8, 4);
    memcpy(&out->b, bytes.p + 12, 4);
    out->payload = payload;
    *out_size = FRAME_HEAD_BYTES + (size_t)n;
    return FRAME_WHOLE;
}
