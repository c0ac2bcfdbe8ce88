/* wire.h - frames over this process' standard input and output, blocking. */
#pragma once
#include "trainer/engine/frame.h"

enum wire_state { WIRE_FRAME, WIRE_END, WIRE_BAD };

struct wire {
    struct buf in;
    size_t used; /* of `in`, by the frame that was given last */
};
void wire_open(struct wire *w);
void wire_close(struct wire *w);
/* The next frame, valid until the next call. END: the other side has gone. */
enum wire_state wire_read(struct wire *w, struct frame *out);
/* Whether a frame is there without waiting; WIRE_BAD: none is. */
enum wire_state wire_peek(struct wire *w, struct frame *out);
/* False: the other side has gone. Payloads beyond FRAME_PIECE_BYTES are the caller's to cut. */
bool wire_say(enum frame_type type, uint32_t a, uint32_t b, struct str payload);
