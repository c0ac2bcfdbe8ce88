#include <stdlib.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_pairs.h"
#include "trainer/kernels/words.h"

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted, each once. */
static void words_set(struct str s, struct words *out)
{
    uint32_t n = 0;
    words_split(s, out);
    qsort(out->texts, out->count, sizeof *out->texts, by_text);
    for (uint32_t i = 0; i < out->count; i++)
        if (!n || !str_eq(out->texts[n - 1], out->texts[i]))
            out->texts[n++] = out->texts[i];
    out->count = n;
}

static uint32_t words_both(const struct words *x, const struct words *y)
{
    uint32_t both = 0;
    for (uint32_t i = 0, k = 0; i < x->count && k < y->count;) {
        int d = pair_text_compare(x->texts[i], y->texts[k]);
        both += d == 0;
        i += d <= 0;
        k += d >= 0;
    }
    return both;
}

double query_token_overlap(struct str a, struct str b)
{
    struct words x, y;
    words_set(a, &x);
    words_set(b, &y);
    uint32_t both = words_both(&x, &y), all = x.count + y.count - both;
    return all ? (double)both / all : 0;
}

bool query_same_words(struct str a, struct str b)
{
    struct words x, y;
    words_set(a, &x);
    words_set(b, &y);
    return x.count && x.count == y.count && words_both(&x, &y) == x.count;
}
