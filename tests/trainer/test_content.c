/* Documents that are alike by their texts: terms of a text, stop words; the index against cosines in full. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/buf.h"
#include "model/text_terms.h"
#include "trainer/kernels/content/content_index.h"
#include "trainer/kernels/items/best.h"

static struct arena arena;
static struct buf out;

static void open_all(void)
{
    arena_init(&arena, 1 << 14);
    buf_init(&out, 1 << 20);
}

static void close_all(void)
{
    arena_release(&arena);
    buf_release(&out);
}

TestSuite(text_terms, .init = open_all, .fini = close_all);
TestSuite(content_index, .init = open_all, .fini = close_all);

static void add(void *arg, struct str term)
{
    (void)arg;
    buf_addf(&out, STR_FMT "|", STR_ARG(term));
}

static char *terms(const char *text, const char *language, const char *more, unsigned ngrams)
{
    struct stop_words stop;
    buf_clear(&out);
    stop_words_make(language, str_of(more), &arena, &stop);
    text_terms(str_of(text), &stop, ngrams, add, NULL);
    return out.p ? out.p : (char *)(uintptr_t) "";
}

Test(text_terms, words_and_runs)
{
    cr_assert(eq(str, terms("Büro-Lamp,  BRASS", "none", NULL, 1), "büro|lamp|brass|"));
    cr_assert(eq(str, terms("a b c d", "none", NULL, 3), "a|b|a b|c|b c|a b c|d|c d|b c d|"));
    cr_assert(eq(str, terms("C++ 1.5 m", "none", NULL, 2), "c++|1.5|c++ 1.5|m|1.5 m|"));
    cr_assert(eq(str, terms("", "english", NULL, 3), ""));
}

Test(text_terms, stop_words_are_passed_over)
{
    cr_assert(eq(str, terms("The lamp of the desk", "english", NULL, 2), "lamp|desk|lamp desk|"));
    cr_assert(eq(str, terms("Die Lampe für über 5", "german", NULL, 1), "lampe|5|"));
    cr_assert(eq(str, terms("new lamp SALE", "none", "Sale, new", 1), "lamp|"));
}

Test(text_terms, a_word_that_is_too_long_is_none)
{
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cr_assert(eq(str, terms(text, "none", NULL, 1), ""));
}

enum { DOCS = 60, TERMS = 25, EACH = 5, TOP = 8 };

Test(content_index, the_best_are_those_of_all_cosines)
{
    static double dense[DOCS][TERMS];
    struct content_entry entries[DOCS * EACH];
    uint64_t ends[DOCS], n = 0;
    uint32_t state = 1;
    struct content_index index;
    struct content_scores scores;
    struct best best;
    struct err err;
    for (uint32_t d = 0; d < DOCS; d++) {
        for (uint32_t k = 0; k < EACH && d % 7; k++) { /* some have none */
            state = state * 1664525 + 1013904223;
            uint32_t term = k * (TERMS / EACH) + (state >> 16) % (TERMS / EACH);
            entries[n] = (struct content_entry){ term, (float)(1 + (state >> 24) % 5) / 8 };
            dense[d][term] = (double)entries[n++].weight;
        }
        ends[d] = n;
    }
    content_index_write(&out, DOCS, TERMS, ends, entries);
    cr_assert(content_index_read(buf_str(&out), &index, &err), "%s", err.text);
    content_scores_init(&scores, &index, &arena);
    best_init(&best, TOP, &arena);
    for (uint32_t d = 0; d < DOCS; d++) {
        uint32_t better = 0;
        content_scores_best(&scores, &index, d, 0.1, &best);
        for (uint32_t i = 0; i < best.count; i++) {
            double dot = 0;
            for (uint32_t t = 0; t < TERMS; t++)
                dot += dense[d][t] * dense[best.entries[i].number][t];
            cr_assert(epsilon_eq(dbl, best.entries[i].score, dot, 1e-12));
            cr_assert(ne(u32, best.entries[i].number, d));
        }
        for (uint32_t o = 0; o < DOCS; o++) {
            double dot = 0;
            for (uint32_t t = 0; t < TERMS; t++)
                dot += dense[d][t] * dense[o][t];
            better += o != d && dot >= 0.1 && (best.count < TOP || dot > best.entries[TOP - 1].score + 1e-9);
        }
        cr_assert(best.count < TOP ? better == best.count : better < TOP);
    }
    cr_assert(eq(int, content_index_read((struct str){ out.p, out.n - 8 }, &index, &err), 0));
}
