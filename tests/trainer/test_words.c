/* words and near: what belongs to a word, how far texts are apart, and that the index finds what a look at every text finds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "trainer/kernels/near.h"
#include "trainer/kernels/words.h"

enum { TEXTS = 600, TEXT_MAX = 24, FOUND_MAX = TEXTS };

static void check_words(const char *query, const char *want)
{
    struct words w;
    char got[256] = "";
    size_t n = 0;
    words_split(str_of(query), &w);
    for (uint32_t i = 0; i < w.count; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", i ? "|" : "", STR_ARG(w.texts[i]));
    cr_assert_str_eq(got, want);
}

Test(words, are_runs_of_letters_and_digits)
{
    check_words("red lamp", "red|lamp");
    check_words("c++ c# r&b 50%", "c++|c#|r&b|50%");
    check_words("usb-c/hdmi, 1.5 m.", "usb|c|hdmi|1.5|m");
    check_words("büro стол 3,5", "büro|стол|3,5");
    check_words("", "");
    check_words(" - ", "");
}

Test(words, that_are_too_many_are_left_out)
{
    char query[4 * WORDS_MAX + 1];
    for (size_t i = 0; i < 2 * WORDS_MAX; i++)
        memcpy(query + 2 * i, "a ", 2);
    struct words w;
    words_split((struct str){ query, 4 * WORDS_MAX }, &w);
    cr_assert(eq(u32, w.count, WORDS_MAX));
}

static bool measure(const char *query, uint32_t i)
{
    struct words w;
    words_split(str_of(query), &w);
    return words_measure(&w, i);
}

Test(words, that_measure)
{
    cr_assert(measure("iphone 64gb", 1));
    cr_assert(measure("cable 2 m", 2), "a unit beside a number");
    cr_assert(not(measure("m size", 0)), "a unit without one");
    cr_assert(not(measure("iphone 64gb", 0)));
}

Test(words, are_squashed)
{
    struct words w;
    char out[QUERY_TEXT_MAX];
    words_split(STR("i phone-case"), &w);
    cr_assert(str_eq_c(words_squash(&w, out), "iphonecase"));
}

static void check_distance(const char *a, const char *b, unsigned limit, unsigned want)
{
    cr_assert(eq(uint, words_distance(str_of(a), str_of(b), limit), want), "%s %s", a, b);
    cr_assert(eq(uint, words_distance(str_of(b), str_of(a), limit), want), "%s %s", b, a);
}

Test(words, distance_counts_edits)
{
    check_distance("lamp", "lamp", 2, 0);
    check_distance("lamp", "lmap", 2, 1);
    check_distance("lamp", "lamps", 2, 1);
    check_distance("büro", "buro", 2, 1);
    check_distance("kitten", "sitting", 5, 3);
    check_distance("kitten", "sitting", 2, 3);
    check_distance("ca", "abc", 3, 3);
    check_distance("", "ab", 2, 2);
}

Test(words, edits_grow_with_length_and_numbers_have_none)
{
    cr_assert(eq(uint, words_edits(STR("desk"), 5), 0));
    cr_assert(eq(uint, words_edits(STR("chair"), 5), 1));
    cr_assert(eq(uint, words_edits(STR("bookshelves"), 5), 2));
    cr_assert(eq(uint, words_edits(STR("bookshelves of oak and ash"), 5), 2));
    cr_assert(eq(uint, words_edits(STR("iphone11"), 5), 0));
    cr_assert(eq(uint, words_edits(STR("chair"), 0), 0));
}

/* Texts of few letters, so that many are near each other, some longer than the prefix. */
static struct str make_text(uint32_t *seed, char *out)
{
    static const char *const letters[] = { "a", "b", "ü", "c" };
    size_t n = 0, chars;
    *seed = *seed * 1664525U + 1013904223U;
    chars = 1 + (*seed >> 24) % 11;
    for (size_t i = 0; i < chars; i++) {
        *seed = *seed * 1664525U + 1013904223U;
        const char *letter = letters[(*seed >> 28) % 4];
        memcpy(out + n, letter, strlen(letter));
        n += strlen(letter);
    }
    return (struct str){ out, n };
}

static void check_index(unsigned edits, size_t prefix)
{
    static char bytes[TEXTS][TEXT_MAX];
    struct str texts[TEXTS];
    uint32_t seed = 7, total = 0;
    AUTO(near_free) struct near_index *n = near_new(edits, prefix);
    for (size_t i = 0; i < TEXTS; i++) {
        texts[i] = make_text(&seed, bytes[i]);
        near_add(n, texts[i]);
    }
    near_end(n);
    for (size_t i = 0; i < TEXTS; i++)
        for (unsigned limit = 0; limit <= edits; limit++) {
            uint32_t found[FOUND_MAX];
            size_t count = near_find(n, texts[i], limit, found, FOUND_MAX), at = 0;
            for (uint32_t j = 0; j < TEXTS; j++)
                if (words_distance(texts[i], texts[j], limit) <= limit)
                    cr_assert(at < count && found[at++] == j, "text %zu, limit %u: %u is not found", i, limit, j);
            cr_assert(eq(sz, at, count));
            total += (uint32_t)count;
        }
    cr_assert(gt(u32, total, 2 * TEXTS));
}

Test(near, finds_what_a_look_at_all_finds)
{
    check_index(2, 8);
    check_index(2, 4);
    check_index(1, 16);
    check_index(1, 3);
    check_index(0, 8);
}

Test(near, gives_the_first_ones_where_there_are_too_many)
{
    AUTO(near_free) struct near_index *n = near_new(2, 8);
    uint32_t found[3];
    for (int i = 0; i < 10; i++)
        near_add(n, STR("lamps"));
    near_end(n);
    cr_assert(eq(sz, near_find(n, STR("lamp"), 1, found, 3), 3));
    cr_assert(found[0] == 0 && found[1] == 1 && found[2] == 2);
    cr_assert(eq(sz, near_find(n, STR("lamp"), 0, found, 3), 0));
}

Test(near, has_nothing_when_it_is_empty)
{
    AUTO(near_free) struct near_index *n = near_new(2, 8);
    uint32_t found[1];
    near_end(n);
    cr_assert(eq(sz, near_find(n, STR("lamp"), 2, found, 1), 0));
}
