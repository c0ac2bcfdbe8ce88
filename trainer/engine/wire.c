#include "trainer/engine/wire.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10 };

void wire_open(struct wire *w)
{
    buf_init(&w->in, (size_t)2 * FRAME_PAYLOAD_MAX);
    w->used = 0;
}

void wire_close(struct wire *w)
{
    buf_release(&w->in);
}

/* False: the other side has gone. */
static bool read_more(struct wire *w)
{
    for (;;) {
        char *to = buf_reserve(&w->in, READ_BYTES);
        ssize_t n = to ? read(STDIN_FILENO, to, READ_BYTES) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        w->in.n += n > 0 ? (size_t)n : 0;
        return n > 0;
    }
}

static enum frame_state take(struct wire *w, struct frame *out)
{
    size_t size;
    enum frame_state s = frame_read((struct str){ buf_str(&w->in).p + w->used, w->in.n - w->used }, out, &size);
    if (s == FRAME_WHOLE)
        w->used += size;
    return s;
}

/* Frames that were used make room once they are many. */
static void forget_used(struct wire *w)
{
    if (w->used == w->in.n)
        buf_clear(&w->in);
    else if (w->used > READ_BYTES)
        buf_consume(&w->in, w->used);
    else
        return;
    w->used = 0;
}

enum wire_state wire_read(struct wire *w, struct frame *out)
{
    forget_used(w);
    for (;;) {
        enum frame_state s = take(w, out);
        if (s == FRAME_WHOLE)
            return WIRE_FRAME;
        if (s == FRAME_BAD)
            return WIRE_BAD;
        if (!read_more(w))
            return WIRE_END;
    }
}

enum wire_state wire_peek(struct wire *w, struct frame *out)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    forget_used(w);
    while (take(w, out) != FRAME_WHOLE) {
        if (poll(&p, 1, 0) != 1)
            return WIRE_BAD;
        if (!read_more(w))
            return WIRE_END;
    }
    return WIRE_FRAME;
}

bool wire_say(enum frame_type type, uint32_t a, uint32_t b, struct str payload)
{
    AUTO(buf_release) struct buf out;
    struct frame f = { .type = type, .a = a, .b = b, .payload = payload };
    buf_init(&out, FRAME_PAYLOAD_MAX + FRAME_HEAD_BYTES);
    frame_write(&out, &f);
    if (out.failed)
        return false;
    for (size_t at = 0; at < out.n;) {
        ssize_t n = write(STDOUT_FILENO, out.p + at, out.n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}
