#include "model/vectors.h"

#include <math.h>
#include <stdlib.h>

static double length_of(const struct factors *f, uint32_t number, float *row)
{
    double sum = 0;
    factors_vector(f, number, row);
    for (uint32_t k = 0; k < f->rank; k++)
        sum += (double)row[k] * (double)row[k];
    return sqrt(sum);
}

static double *lengths_of(const struct factors *f, struct arena *arena)
{
    double *out = arena_alloc(arena, ((size_t)f->items + 1) * sizeof *out);
    float *row = arena_alloc(arena, f->rank * sizeof *row);
    for (uint32_t i = 0; i < f->items; i++)
        out[i] = length_of(f, i, row);
    return out;
}

/* ---- settings ---- */

bool vectors_settings_write(struct str language, struct str stop_words, struct buf *out, struct err *err)
{
    buf_add_str(out, language);
    buf_add_byte(out, '\n');
    buf_add_str(out, stop_words);
    return buf_ok(out, "the settings", err);
}

static bool read_settings(struct str section, struct arena *arena, struct stop_words *out, struct err *err)
{
    static const char *const languages[] = { "none", "english", "german" };
    struct str rest = section, language;
    if (section.p && section.n && str_is_utf8(section) && str_split(&rest, '\n', &language))
        for (size_t i = 0; i < COUNT_OF(languages); i++)
            if (str_eq_c(language, languages[i])) {
                stop_words_make(languages[i], rest.p && rest.n ? rest : (struct str){ NULL, 0 }, arena, out);
                return true;
            }
    return err_set(err, ERR_INVALID, "section \"settings\" names no language");
}

/* ---- opening ---- */

static bool read_lists(const struct artifact *a, struct vectors *out, struct err *err)
{
    const struct str section = artifact_section(a, "nearest_words");
    if (!section.p)
        return err_set(err, ERR_INVALID, "there is no section \"nearest_words\"");
    return lists_read(section, &out->nearest, err) || err_prefix(err, "section \"nearest_words\": ");
}

static bool read_contexts(const struct artifact *a, struct vectors *out, struct err *err)
{
    const size_t bytes = (size_t)out->words.items * out->words.rank * sizeof(float);
    out->contexts = artifact_section(a, "contexts");
    return !out->contexts.p || out->contexts.n == bytes ||
           err_set(err, ERR_INVALID, "section \"contexts\" has %zu bytes instead of %zu", out->contexts.n, bytes);
}

bool vectors_open(const struct artifact *a, struct arena *arena, struct vectors *out, struct err *err)
{
    const struct str words = artifact_section(a, "words"), documents = artifact_section(a, "documents");
    *out = (struct vectors){ .has_documents = documents.p != NULL };
    if (!words.p)
        return err_set(err, ERR_INVALID, "there is no section \"words\"");
    if (!factors_read(words, &out->words, arena, err) || !read_lists(a, out, err) || !read_contexts(a, out, err) ||
        !read_settings(artifact_section(a, "settings"), arena, &out->stop, err))
        return false;
    out->word_lengths = lengths_of(&out->words, arena);
    if (!documents.p)
        return true;
    if (!factors_read(documents, &out->documents, arena, err))
        return err_prefix(err, "documents: ");
    if (out->documents.rank != out->words.rank)
        return err_set(err, ERR_INVALID, "section \"documents\" has vectors of %u numbers, not %u", out->documents.rank,
                       out->words.rank);
    out->document_lengths = lengths_of(&out->documents, arena);
    return true;
}

/* ---- sums ---- */

void vectors_sum_init(struct vectors_sum *s, const struct vectors *v, struct arena *arena)
{
    *s = (struct vectors_sum){ .sum = arena_zalloc(arena, 2 * (size_t)v->words.rank * sizeof *s->sum),
                               .words = arena_alloc(arena, VECTORS_WORDS_MAX * sizeof *s->words) };
}

void vectors_sum_word(struct vectors_sum *s, const struct vectors *v, struct str word, float sign)
{
    const uint32_t rank = v->words.rank;
    float *row = s->sum + rank; /* behind it there is room for one */
    uint32_t number;
    s->asked++;
    if (s->words_count == VECTORS_WORDS_MAX || !factors_find(&v->words, word, &number) ||
        !(v->word_lengths[number] > 0))
        return;
    factors_vector(&v->words, number, row);
    for (uint32_t k = 0; k < rank; k++)
        s->sum[k] += sign * (float)((double)row[k] / v->word_lengths[number]);
    s->words[s->words_count++] = number;
    s->known++;
}

struct summing {
    struct vectors_sum *s;
    const struct vectors *v;
};

static void add_term(void *arg, struct str term)
{
    const struct summing *g = arg;
    vectors_sum_word(g->s, g->v, term, 1);
}

void vectors_sum_text(struct vectors_sum *s, const struct vectors *v, struct str text)
{
    struct summing g = { s, v };
    text_terms(text, &v->stop, 1, add_term, &g);
}

/* ---- the nearest ---- */

static int nearest_first(const void *a, const void *b)
{
    const struct vectors_near *x = a, *y = b;
    if (x->cosine != y->cosine)
        return x->cosine < y->cosine ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Keeps the n best at the front, sorted. */
static size_t keep(struct vectors_near *all, size_t count, size_t n)
{
    if (count)
        qsort(all, count, sizeof *all, nearest_first);
    return count < n ? count : n;
}

size_t vectors_nearest(const struct vectors *v, const struct vectors_sum *s, bool documents, size_t n,
                       struct arena *arena, struct vectors_near **out)
{
    const struct factors *f = documents ? &v->documents : &v->words;
    const double *lengths = documents ? v->document_lengths : v->word_lengths;
    double own = 0;
    for (uint32_t k = 0; k < f->rank; k++)
        own += (double)s->sum[k] * (double)s->sum[k];
    if (!(own > 0))
        return 0;
    float *scores = arena_alloc(arena, (size_t)f->items * sizeof *scores);
    bool *left_out = arena_zalloc(arena, f->items);
    factors_scores(f, s->sum, 0, f->items, scores);
    for (uint32_t i = 0; !documents && i < s->words_count; i++)
        left_out[s->words[i]] = true;
    struct vectors_near *all = arena_alloc(arena, (2 * n + 2) * sizeof *all);
    size_t count = 0;
    for (uint32_t i = 0; i < f->items; i++) {
        if (left_out[i] || !(lengths[i] > 0))
            continue;
        if (count == 2 * n + 1)
            count = keep(all, count, n);
        all[count++] = (struct vectors_near){ i, (double)scores[i] / (sqrt(own) * lengths[i]) };
    }
    *out = all;
    return keep(all, count, n);
}
