/* frame.h - what coordinator and worker say to each other over pipes: a 24-byte head and a payload, checksummed.
 *
 *   u32 "XPF1" | u8 type | 3 zero bytes | u32 split | u32 attempt | u32 payload bytes | u32 CRC-32C of type … payload bytes + payload
 *
 * Little-endian. Payloads are at most FRAME_PAYLOAD_MAX; a RESULT is the whole of a split's collected bytes. */
#pragma once
#include "base/buf.h"

enum { FRAME_HEAD_BYTES = 24, FRAME_PAYLOAD_MAX = 256 << 20 };
enum frame_type {
    FRAME_NONE,
    FRAME_TASK,
    FRAME_BYE,
    FRAME_HELLO = 16,
    FRAME_PROGRESS,
    FRAME_RESULT,
    FRAME_DONE,
    FRAME_ERROR
};

struct frame {
    enum frame_type type;
    uint32_t split, attempt;
    struct str payload; /* borrowed */
};

void frame_write(struct buf *b, const struct frame *f);
/* WHOLE: *out points into bytes and *out_size bytes are used; SHORT: more is needed; BAD: this is no frame, give the peer up. */
enum frame_state { FRAME_WHOLE, FRAME_SHORT, FRAME_BAD };
enum frame_state frame_read(struct str bytes, struct frame *out, size_t *out_size);
