#include "trainer/kernels/synonyms/slot.h"

#include <stdlib.h>
#include <string.h>

#include "trainer/kernels/pair_table.h"

/* ---- words ---- */

/* The words i … i + n - 1 with what is between them: one space. */
static struct str span(const struct words *w, uint32_t i, uint32_t n)
{
    const char *from = w->texts[i].p, *to = w->texts[i + n - 1].p + w->texts[i + n - 1].n;
    return (struct str){ from, (size_t)(to - from) };
}

/* How many words from i on are a known phrase; 1: none is. */
static uint32_t phrase_at(const struct words *w, uint32_t i, const struct intern *phrases)
{
    for (uint32_t n = SLOT_PHRASE_WORDS; phrases && n > 1; n--)
        if (i + n <= w->count && intern_find(phrases, span(w, i, n)) != UINT32_MAX)
            return n;
    return 1;
}

void slot_words(struct str query, const struct intern *phrases, struct words *out)
{
    struct words w;
    words_split_spaces(query, &w);
    out->count = 0;
    for (uint32_t i = 0, n; i < w.count; i += n) {
        n = phrase_at(&w, i, phrases);
        out->texts[out->count++] = span(&w, i, n);
    }
}

/* ---- what differs ---- */

static uint32_t words_in(struct str s)
{
    uint32_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ' ';
    return n;
}

/* The words of w that are not `shared`, when they stand side by side. */
static bool rest_of(const struct words *w, const bool *shared, uint32_t max_words, struct str *out)
{
    uint32_t first = 0, count = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (shared[i])
            continue;
        if (count == 0)
            first = i;
        if (i != first + count)
            return false;
        count++;
    }
    if (count == 0)
        return false;
    *out = span(w, first, count);
    return words_in(*out) <= max_words;
}

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(*(const struct str *)a, *(const struct str *)b);
}

static void write_context(const struct words *w, const bool *shared, struct slot *out)
{
    struct str texts[WORDS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->count; i++)
        if (shared[i])
            texts[n++] = w->texts[i];
    if (n)
        qsort(texts, n, sizeof *texts, by_text);
    out->context_n = 0;
    for (uint32_t i = 0; i < n && out->context_n + 1 + texts[i].n <= sizeof out->context; i++) {
        if (i > 0)
            out->context[out->context_n++] = ' ';
        memcpy(out->context + out->context_n, texts[i].p, texts[i].n);
        out->context_n += texts[i].n;
    }
}

bool slot_of(const struct words *x, const struct words *y, uint32_t max_words, struct slot *out)
{
    bool of_x[WORDS_MAX] = { false }, of_y[WORDS_MAX] = { false };
    for (uint32_t i = 0; i < x->count; i++)
        for (uint32_t j = 0; j < y->count && !of_x[i]; j++)
            if (!of_y[j] && str_eq(x->texts[i], y->texts[j]))
                of_x[i] = of_y[j] = true;
    if (!rest_of(x, of_x, max_words, &out->a) || !rest_of(y, of_y, max_words, &out->b))
        return false;
    out->swapped = pair_text_compare(out->a, out->b) > 0;
    if (out->swapped) {
        struct str a = out->a;
        out->a = out->b;
        out->b = a;
    }
    write_context(x, of_x, out);
    return true;
}

/* ---- what is no synonym ---- */

static size_t digits_of(struct str s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= '0' && s.p[i] <= '9')
            out[n++] = s.p[i];
    return n;
}

static bool other_numbers(struct str a, struct str b)
{
    char x[QUERY_TEXT_MAX], y[QUERY_TEXT_MAX];
    size_t n = digits_of(a, x), m = digits_of(b, y);
    return n && m && (n != m || memcmp(x, y, n) != 0);
}

/* Every word of b is one of a's. */
static bool has_words(const struct words *a, const struct words *b)
{
    for (uint32_t j = 0; j < b->count; j++) {
        bool found = false;
        for (uint32_t i = 0; i < a->count && !found; i++)
            found = str_eq(a->texts[i], b->texts[j]);
        if (!found)
            return false;
    }
    return true;
}

bool slot_is_variant(const struct slot *s, double length_scale)
{
    struct words a, b;
    char x[QUERY_TEXT_MAX], y[QUERY_TEXT_MAX];
    words_split(s->a, &a);
    words_split(s->b, &b);
    struct str whole_a = words_squash(&a, x), whole_b = words_squash(&b, y);
    unsigned edits = words_edits(whole_a.n > whole_b.n ? whole_a : whole_b, length_scale);
    return words_distance(whole_a, whole_b, edits) <= edits || other_numbers(s->a, s->b) || has_words(&a, &b) ||
           has_words(&b, &a);
}

bool slot_is_beginning(const struct slot *s)
{
    struct words a, b;
    char x[QUERY_TEXT_MAX], y[QUERY_TEXT_MAX];
    words_split(s->a, &a);
    words_split(s->b, &b);
    struct str whole_a = words_squash(&a, x), whole_b = words_squash(&b, y);
    return str_starts(whole_a, whole_b) || str_starts(whole_b, whole_a);
}
