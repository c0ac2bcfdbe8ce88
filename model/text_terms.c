#include "model/text_terms.h"

#include <stdlib.h>

#include "base/hash.h"
#include "model/query_text.h"
#include "model/text_words.h"

/* Lucene's list; and the most frequent German words that say nothing alone. */
static const char english[] = "a,an,and,are,as,at,be,but,by,for,if,in,into,is,it,no,not,of,on,or,such,that,the,their,"
                              "then,there,these,they,this,to,was,will,with";
static const char german[] = "aber,als,am,an,auch,auf,aus,bei,bis,da,das,dass,dem,den,der,des,die,du,durch,ein,eine,"
                             "einem,einen,einer,eines,er,es,für,hat,ich,ihr,im,in,ist,mit,nach,nicht,noch,nur,oder,"
                             "sich,sie,sind,so,über,um,und,uns,unter,vom,von,vor,war,was,wie,wir,wird,zu,zum,zur";

static int by_bytes(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    const int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static void add_words(struct stop_words *out, struct str list, struct arena *arena)
{
    char text[QUERY_TEXT_MAX];
    struct str word;
    while (list.p && str_split(&list, ',', &word)) {
        struct str normal = query_text(word, text);
        if (normal.n)
            out->words[out->count++] = arena_str(arena, normal);
    }
}

void stop_words_make(const char *language, struct str more, struct arena *arena, struct stop_words *out)
{
    struct str own = strcmp(language, "english") == 0  ? str_of(english)
                     : strcmp(language, "german") == 0 ? str_of(german)
                                                       : (struct str){ NULL, 0 };
    out->words = arena_alloc(arena, (own.n + more.n + 2) * sizeof *out->words);
    out->count = 0;
    add_words(out, own, arena);
    add_words(out, more, arena);
    if (out->count)
        qsort(out->words, out->count, sizeof *out->words, by_bytes);
}

bool stop_words_has(const struct stop_words *s, struct str word)
{
    return s->count && bsearch(&word, s->words, s->count, sizeof *s->words, by_bytes);
}

/* The last words, as bytes that stay until as many others have come. */
struct window {
    const struct stop_words *stop;
    unsigned ngrams, count;
    text_term_fn fn;
    void *arg;
    char words[TEXT_NGRAMS_MAX][TEXT_WORD_MAX];
    size_t lengths[TEXT_NGRAMS_MAX];
};

/* The newest word alone, then with the ones before it. */
static void tell(const struct window *w)
{
    char term[TEXT_NGRAMS_MAX * (TEXT_WORD_MAX + 1)];
    size_t at = sizeof term;
    for (unsigned n = 0; n < w->ngrams && n < w->count; n++) {
        const unsigned slot = (w->count - 1 - n) % TEXT_NGRAMS_MAX;
        if (n)
            term[--at] = ' ';
        at -= w->lengths[slot];
        memcpy(term + at, w->words[slot], w->lengths[slot]);
        w->fn(w->arg, (struct str){ term + at, sizeof term - at });
    }
}

static void add_word(struct window *w, struct str word)
{
    if (word.n > TEXT_WORD_MAX || stop_words_has(w->stop, word))
        return;
    const unsigned slot = w->count++ % TEXT_NGRAMS_MAX;
    memcpy(w->words[slot], word.p, word.n);
    w->lengths[slot] = word.n;
    tell(w);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void text_terms(struct str text, const struct stop_words *stop, unsigned ngrams, text_term_fn fn, void *arg)
{
    struct window w = { .stop = stop, .ngrams = ngrams, .fn = fn, .arg = arg };
    for (size_t i = 0; i < text.n; i++) {
        char normal[QUERY_TEXT_MAX];
        struct words words;
        size_t from = i;
        while (i < text.n && !is_blank(text.p[i]))
            i++;
        words_split(query_text((struct str){ text.p + from, i - from }, normal), &words);
        for (uint32_t k = 0; k < words.count; k++)
            add_word(&w, words.texts[k]);
    }
}

uint64_t text_term_key(struct str term)
{
    return hash64(term) >> 1;
}
