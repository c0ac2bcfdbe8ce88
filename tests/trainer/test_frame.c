#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "trainer/engine/frame.h"

static void make(struct buf *b)
{
    struct frame f = { .type = FRAME_RESULT, .a = 7, .b = 3, .payload = STR("some payload") };
    buf_init(b, 1 << 16);
    frame_write(b, &f);
}

Test(frame, what_is_written_is_read)
{
    AUTO(buf_release) struct buf b;
    struct frame f;
    size_t size;
    make(&b);
    cr_assert(eq(int, frame_read(buf_str(&b), &f, &size), FRAME_WHOLE));
    cr_assert(eq(sz, size, b.n));
    cr_assert(eq(int, f.type, FRAME_RESULT));
    cr_assert(eq(u32, f.a, 7));
    cr_assert(eq(u32, f.b, 3));
    cr_assert(str_eq(f.payload, STR("some payload")));
}

Test(frame, every_truncation_asks_for_more)
{
    AUTO(buf_release) struct buf b;
    struct frame f;
    size_t size;
    make(&b);
    for (size_t n = 0; n < b.n; n++)
        cr_assert(eq(int, frame_read((struct str){ b.p, n }, &f, &size), FRAME_SHORT), "%zu bytes", n);
}

Test(frame, every_flipped_bit_is_found)
{
    AUTO(buf_release) struct buf b;
    struct frame f;
    size_t size;
    make(&b);
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
        /* A longer length only asks for more, up to the limit; everything else is refused. */
        enum frame_state state = frame_read(buf_str(&b), &f, &size);
        cr_assert(state == FRAME_BAD || (state == FRAME_SHORT && bit / 8 >= 16 && bit / 8 < 20), "bit %zu", bit);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
    }
}
