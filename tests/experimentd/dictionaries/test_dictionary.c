/* Dictionaries as people have them: lines, counts, what is wrong where. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "experimentd/dictionaries/dictionary.h"

static struct arena arena;
static struct dictionary d;
static struct err err;

static void open_arena(void)
{
    arena_init(&arena, 4096);
}

static void close_arena(void)
{
    buf_release(&d.content);
    arena_release(&arena);
}

TestSuite(dictionary, .init = open_arena, .fini = close_arena);

static bool is_read(const char *text)
{
    return dictionary_read(str_of(text), &arena, &d, &err);
}

Test(dictionary, is_sorted_and_in_the_form_of_queries)
{
    cr_assert(is_read("\xEF\xBB\xBFLamp 12\r\n\n  desk\t3 \nTABLE  lamp 5\nélan\n"));
    cr_assert(eq(str, d.content.p, "desk 3\nlamp 12\ntable lamp 5\nélan 1\n"));
    cr_assert(eq(u32, d.words, 4));
    cr_assert(eq(u64, d.total, 21));
}

Test(dictionary, adds_up_what_is_the_same_word)
{
    cr_assert(is_read("Apple 3\napple 4\nAPPLE\n"));
    cr_assert(eq(str, d.content.p, "apple 8\n"));
}

Test(dictionary, tells_which_lines_are_wrong)
{
    cr_assert(not(is_read("lamp 1\nlamp x\na b c d 1\n\nlamp -1\nlamp 0\nbad\xff 1\nlamp 1000000000001\n")));
    cr_assert(eq(sz, d.bad.count, 6));
    const size_t lines[] = { 2, 3, 5, 6, 7, 8 };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        cr_assert(eq(sz, d.bad.first[i].line, lines[i]), "error %zu: %s", i, d.bad.first[i].err.text);
    cr_assert(eq(str, d.bad.first[0].err.text, "\"x\" is no count: a whole number from 1 to 1000000000000"));
    cr_assert(eq(str, d.bad.first[1].err.text, "the phrase has more than 3 words"));
    cr_assert(eq(str, d.bad.first[4].err.text, "is not UTF-8"));
}

Test(dictionary, has_bounds)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < BAD_LINES_MAX + 5; i++)
        buf_add_c(&b, "lamp none\n");
    cr_assert(not(is_read(b.p)));
    cr_assert(eq(sz, d.bad.count, BAD_LINES_MAX + 5));
    buf_release(&d.content);
    buf_clear(&b);
    for (int i = 0; i <= DICTIONARY_WORD_BYTES; i++)
        buf_add_byte(&b, 'a');
    cr_assert(not(is_read(b.p)));
    cr_assert(eq(str, d.bad.first[0].err.text, "the word has 129 bytes, more than 128"));
    buf_release(&b);
}

Test(dictionary, needs_a_word)
{
    cr_assert(not(is_read(" \n\n")));
    cr_assert(eq(str, err.text, "the dictionary has no word"));
}

Test(dictionary, takes_any_bytes)
{
    char text[256];
    srandom(7);
    for (int i = 0; i < 3000; i++) {
        size_t n = (size_t)(random() % 256);
        for (size_t k = 0; k < n; k++)
            text[k] = random() % 3 ? "ab 1\n\t\xc3\xa4"[random() % 8] : (char)random();
        if (dictionary_read((struct str){ text, n }, &arena, &d, &err))
            cr_assert(str_is_utf8(buf_str(&d.content)));
        buf_release(&d.content);
    }
}
