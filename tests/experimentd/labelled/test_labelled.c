/* Texts with labels as people have them: two formats, what is wrong where, and back. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/hash.h"
#include "experimentd/labelled/labelled.h"

static struct arena arena;
static struct labelled_upload u;
static struct err err;

static void open_arena(void)
{
    arena_init(&arena, 4096);
}

static void close_arena(void)
{
    buf_release(&u.rows);
    arena_release(&arena);
}
TestSuite(labelled, .init = open_arena, .fini = close_arena);

static bool read_as(enum labelled_format format, const char *text)
{
    buf_release(&u.rows);
    return labelled_read(str_of(text), format, &arena, &u, &err);
}

#define ROWS                                                                                                           \
    "[{\"text\":\"red lamp\",\"label\":\"lamps\",\"weight\":1},{\"text\":\"say \\\"hi\\\", you\",\"label\":\"cards\"," \
    "\"weight\":2.5}]"

Test(labelled, formats_say_the_same)
{
    cr_assert(read_as(LABELLED_CSV,
                      "\xEF\xBB\xBFlabel,query,weight\r\nlamps, red lamp ,\r\n\r\ncards,\"say \"\"hi\"\", you\",2.5\n"),
              "%s", err.text);
    cr_assert(eq(str, u.rows.p, ROWS));
    cr_assert(read_as(LABELLED_JSONL, "{\"text\":\" red lamp\",\"label\":\"lamps\"}\n"
                                      "{\"text\":\"say \\\"hi\\\", you\",\"label\":\"cards\",\"weight\":2.5}\n"),
              "%s", err.text);
    cr_assert(eq(str, u.rows.p, ROWS));
    cr_assert(eq(u32, u.count, 2));
}

Test(labelled, what_is_written_is_read)
{
    static const struct labelled_row row = { { "a,\"b\"\nc", 7 }, { "x", 1 }, 0.25 };
    for (int f = 0; f < LABELLED_FORMAT_COUNT; f++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        labelled_write_head((enum labelled_format)f, &b);
        labelled_write_row((enum labelled_format)f, &row, STR("manual"), &b);
        cr_assert(read_as((enum labelled_format)f, b.p), "%s", err.text);
        cr_assert(eq(str, u.rows.p, "[{\"text\":\"a,\\\"b\\\"\\nc\",\"label\":\"x\",\"weight\":0.25}]"));
        buf_release(&b);
    }
}

Test(labelled, tells_which_lines_are_wrong)
{
    cr_assert(not(read_as(LABELLED_CSV, "text,label,weight\nlamp,x\nlamp\n,x\n\"a\nb\",x,0\nlamp,x,many\n")));
    cr_assert(eq(sz, u.bad.count, 4));
    const size_t lines[] = { 3, 4, 5, 7 };
    const char *const texts[] = { "the line has only 1 columns", "field \"text\" is empty",
                                  "field \"weight\" is 0, not above 0 and up to 1e+09", "field \"weight\": " };
    for (size_t i = 0; i < 4; i++) {
        cr_assert(eq(sz, u.bad.first[i].line, lines[i]));
        cr_assert(str_starts(str_of(u.bad.first[i].err.text), str_of(texts[i])), "%s", u.bad.first[i].err.text);
    }
    cr_assert(not(read_as(LABELLED_JSONL, "{\"text\":\"a\",\"label\":\"b\"}\n\n{\"text\":\"a\",\"labl\":\"b\"}\n")));
    cr_assert(eq(sz, u.bad.first[0].line, 3));
    cr_assert(eq(str, u.bad.first[0].err.text, "row: field \"label\" is missing"));
    cr_assert(not(
        read_as(LABELLED_JSONL, "{\"text\":\"a\\u0000\",\"label\":\"b\"}\n{\"text\":\"\\u0001\",\"label\":\"b\"}")));
    cr_assert(eq(sz, u.bad.count, 2));
}

Test(labelled, has_bounds)
{
    char text[LABELLED_TEXT_MAX + 40] = "text,label\n";
    memset(text + 11, 'x', LABELLED_TEXT_MAX + 1);
    memcpy(text + 11 + LABELLED_TEXT_MAX, ",b", 3);
    cr_assert(read_as(LABELLED_CSV, text), "%s", err.text);
    memcpy(text + 11 + LABELLED_TEXT_MAX, "x,b", 4);
    cr_assert(not(read_as(LABELLED_CSV, text)));
    cr_assert(eq(str, u.bad.first[0].err.text, "field \"text\" has 2001 bytes, more than 2000"));
    cr_assert(not(read_as(LABELLED_CSV, "text,label\n")));
    cr_assert(eq(str, err.text, "there is no row"));
    cr_assert(not(read_as(LABELLED_CSV, "")));
    cr_assert(not(read_as(LABELLED_JSONL, "")));
    cr_assert(not(read_as(LABELLED_CSV, "words,label\nlamp,x\n")));
    cr_assert(eq(str, err.text, "the first line names no column \"text\""));
}

Test(labelled, takes_any_bytes)
{
    char text[128] = "text,label\n";
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = round % 2 ? 11 : 0; i < sizeof text; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = (char)(state >> 56);
            if (round % 3)
                text[i] = "ab,\"\n{}[]:\\0 "[(unsigned char)text[i] % 13];
        }
        buf_release(&u.rows);
        if (labelled_read((struct str){ text, sizeof text }, (enum labelled_format)(round % 5 == 0), &arena, &u, &err))
            cr_assert(gt(u32, u.count, 0));
        arena_reset(&arena);
    }
}
