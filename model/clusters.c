#include "model/clusters.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { HEADER_BYTES = 64, TERMS_MAX = 1 << 28, STRING_MAX = 1 << 20 };
static const char magic[8] = { 'X', 'P', 'S', 'P', 'A', 'C', '0', '1' };
const char *const clusters_languages[] = { "none", "english", "german", NULL };
enum { LANGUAGES = COUNT_OF(clusters_languages) - 1 };
const char *const clusters_section_names[] = { "sizes", "labels", "frequent_terms", "documents", "cluster_of" };
static_assert(COUNT_OF(clusters_section_names) == CLUSTERS_SECTION_COUNT, "one name each");

struct header {
    char magic[8];
    uint32_t language, ngrams, max_terms, terms, centres, outliers, dims, reserved;
    uint64_t entries;
    char rest[16];
};
static_assert(sizeof(struct header) == HEADER_BYTES, "the header is part of the format");

/* ---- writing ---- */

static void put_text(struct buf *out, struct str s)
{
    const uint32_t n = (uint32_t)s.n;
    buf_add(out, &n, sizeof n);
    buf_add_str(out, s);
}

static bool check_space(const struct clusters_space *s, struct err *err)
{
    if (s->language >= LANGUAGES || s->ngrams < 1 || s->ngrams > TEXT_NGRAMS_MAX || s->max_terms < 1 ||
        s->terms > TERMS_MAX || s->centres < 1 || s->centres > CLUSTERS_CENTRES_MAX || s->outliers > s->centres ||
        s->dims > CLUSTERS_DIMS_MAX)
        return err_set(err, ERR_INVALID, "space of clusters: %u terms, %u centres, %u dimensions cannot be", s->terms,
                       s->centres, s->dims);
    return true;
}

bool clusters_space_write(const struct clusters_space *s, struct buf *out, struct err *err)
{
    struct header h = { .language = s->language,
                        .ngrams = s->ngrams,
                        .max_terms = s->max_terms,
                        .terms = s->terms,
                        .centres = s->centres,
                        .outliers = s->outliers,
                        .dims = s->dims,
                        .entries = s->dims || !s->terms ? 0 : s->ends[s->terms - 1] };
    if (!check_space(s, err))
        return false;
    memcpy(h.magic, magic, sizeof magic);
    buf_add(out, &h, sizeof h);
    buf_add(out, s->keys, s->terms * sizeof *s->keys);
    buf_add(out, s->idf, s->terms * sizeof *s->idf);
    if (s->dims) {
        buf_add(out, s->rows, (size_t)s->terms * s->dims * sizeof *s->rows);
        buf_add(out, s->middles, (size_t)s->centres * s->dims * sizeof *s->middles);
    } else {
        buf_add(out, s->ends, s->terms * sizeof *s->ends);
        buf_add(out, s->entries, h.entries * sizeof *s->entries);
    }
    put_text(out, s->fields);
    put_text(out, s->stop_words);
    for (uint32_t i = 0; i < s->centres; i++)
        put_text(out, s->names[i]);
    return buf_ok(out, "the space of clusters", err);
}

/* ---- reading ---- */

static uint32_t u32_at(const char *p, size_t i)
{
    uint32_t v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return v;
}

static uint64_t u64_at(const char *p, size_t i)
{
    uint64_t v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return v;
}

static double f32_at(const char *p, size_t i)
{
    float v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return (double)v;
}

static double f64_at(const char *p, size_t i)
{
    double v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return v;
}

static bool damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "section \"space\": %s", what);
}

static bool take(struct str *in, size_t bytes, const char **out)
{
    if (in->n < bytes)
        return false;
    *out = in->p;
    in->p += bytes;
    in->n -= bytes;
    return true;
}

static bool take_text(struct str *in, struct str *out)
{
    const char *p;
    if (!take(in, sizeof(uint32_t), &p) || u32_at(p, 0) > STRING_MAX)
        return false;
    out->n = u32_at(p, 0);
    return take(in, out->n, &out->p) && (out->n == 0 || str_is_utf8(*out));
}

static bool read_header(struct str *in, struct header *h, struct err *err)
{
    const char *p;
    if (!take(in, sizeof *h, &p))
        return damaged(err, "it is truncated");
    memcpy(h, p, sizeof *h);
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return damaged(err, "it does not begin as one");
    const struct clusters_space s = { .language = h->language,
                                      .ngrams = h->ngrams,
                                      .max_terms = h->max_terms,
                                      .terms = h->terms,
                                      .centres = h->centres,
                                      .outliers = h->outliers,
                                      .dims = h->dims };
    return check_space(&s, err) && (h->entries <= (uint64_t)1 << 40 || damaged(err, "it has too many entries"));
}

static bool all_finite(const char *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(f32_at(p, i)))
            return false;
    return true;
}

static bool check_terms(const struct clusters *c, struct err *err)
{
    for (uint32_t i = 0; i < c->terms; i++)
        if ((i && u64_at(c->keys, i) <= u64_at(c->keys, i - 1)) || !isfinite(f64_at(c->idf, i)) ||
            !(f64_at(c->idf, i) > 0))
            return damaged(err, "its terms are not in order");
    return true;
}

static bool check_entries(const struct clusters *c, uint64_t entries, struct err *err)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < c->terms; i++) {
        const uint64_t end = u64_at(c->ends, i);
        if (end < before || end > entries)
            return damaged(err, "the entries of a term end before they begin");
        before = end;
    }
    for (uint64_t i = 0; i < entries; i++)
        if (u32_at(c->entries + 8 * i, 0) >= c->centres || !isfinite(f32_at(c->entries + 8 * i + 4, 0)))
            return damaged(err, "an entry names no centre");
    return before == entries || damaged(err, "entries belong to no term");
}

static bool take_numbers(struct clusters *c, struct str *in, uint64_t entries, struct err *err)
{
    const size_t terms = c->terms, dims = c->dims;
    if (!take(in, terms * sizeof(uint64_t), &c->keys) || !take(in, terms * sizeof(double), &c->idf))
        return damaged(err, "it is truncated");
    if (!check_terms(c, err))
        return false;
    if (!dims)
        return (take(in, terms * sizeof(uint64_t), &c->ends) && take(in, entries * 8, &c->entries) &&
                check_entries(c, entries, err)) ||
               damaged(err, "its entries are damaged");
    return (take(in, terms * dims * sizeof(float), &c->rows) &&
            take(in, c->centres * dims * sizeof(float), &c->middles) && all_finite(c->rows, terms * dims) &&
            all_finite(c->middles, c->centres * dims)) ||
           damaged(err, "its vectors are damaged");
}

static bool read_space(struct clusters *c, struct str section, struct arena *arena, struct err *err)
{
    struct header h;
    struct str in = section, stop;
    if (!read_header(&in, &h, err))
        return false;
    c->ngrams = h.ngrams;
    c->max_terms = h.max_terms;
    c->terms = h.terms;
    c->centres = h.centres;
    c->outliers = h.outliers;
    c->dims = h.dims;
    if (!take_numbers(c, &in, h.entries, err))
        return false;
    c->names = arena_alloc(arena, c->centres * sizeof *c->names);
    bool ok = take_text(&in, &c->fields) && take_text(&in, &stop);
    for (uint32_t i = 0; ok && i < c->centres; i++)
        ok = take_text(&in, &c->names[i]);
    if (!ok || in.n)
        return damaged(err, "its texts are damaged");
    stop_words_make(clusters_languages[h.language], stop.n ? stop : (struct str){ NULL, 0 }, arena, &c->stop);
    return true;
}

bool clusters_open(const struct artifact *a, struct arena *arena, struct clusters *out, struct err *err)
{
    *out = (struct clusters){ .has_space = false };
    for (int i = 0; i < CLUSTERS_SECTION_COUNT; i++) {
        const struct str section = artifact_section(a, clusters_section_names[i]);
        if (!section.p)
            return err_set(err, ERR_INVALID, "there is no section \"%s\"", clusters_section_names[i]);
        if (!lists_read(section, &out->lists[i], err))
            return err_prefix(err, "section \"%s\": ", clusters_section_names[i]);
    }
    const struct str space = artifact_section(a, "space");
    out->has_space = space.p != NULL;
    return !space.p || read_space(out, space, arena, err);
}

bool clusters_is_outlier(const struct clusters *c, struct str name)
{
    (void)c;
    return str_starts(name, STR("outlier_"));
}

/* ---- a text ---- */

struct seen {
    uint32_t number, order;
    double weight;
};
struct clusters_text {
    const struct clusters *c;
    struct arena *arena;
    struct seen *seen;
    uint32_t count, room;
    double weight; /* of the text under way */
    double *cosines, *sum;
};

struct clusters_text *clusters_text_new(const struct clusters *c, struct arena *arena)
{
    assert(c->has_space);
    struct clusters_text *t = arena_zalloc(arena, sizeof *t);
    t->c = c;
    t->arena = arena;
    t->cosines = arena_alloc(arena, c->centres * sizeof *t->cosines);
    t->sum = arena_alloc(arena, (c->dims + 1) * sizeof *t->sum);
    return t;
}

void clusters_text_clear(struct clusters_text *t)
{
    t->count = 0;
}

static bool find_term(const struct clusters *c, uint64_t key, uint32_t *out)
{
    uint32_t from = 0, to = c->terms;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (u64_at(c->keys, middle) < key)
            from = middle + 1;
        else
            to = middle;
    }
    *out = from;
    return from < c->terms && u64_at(c->keys, from) == key;
}

static void add_term(void *arg, struct str term)
{
    struct clusters_text *t = arg;
    uint32_t number;
    if (!find_term(t->c, text_term_key(term), &number))
        return;
    if (t->count == t->room) {
        struct seen *more = arena_alloc(t->arena, (2 * (size_t)t->room + 64) * sizeof *more);
        if (t->count)
            memcpy(more, t->seen, t->count * sizeof *more);
        t->seen = more;
        t->room = 2 * t->room + 64;
    }
    t->seen[t->count] = (struct seen){ number, t->count, t->weight };
    t->count++;
}

void clusters_text_add(struct clusters_text *t, struct str text, double weight)
{
    t->weight = weight;
    text_terms(text, &t->c->stop, t->c->ngrams, add_term, t);
}

static int by_number(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static int heaviest(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

/* As the kernels weigh (content.h): √Σ weight · idf, the max_terms heaviest, by number. */
static uint32_t weigh(struct clusters_text *t)
{
    uint32_t n = 0;
    if (!t->count)
        return 0;
    qsort(t->seen, t->count, sizeof *t->seen, by_number);
    for (uint32_t i = 0; i < t->count; i++)
        if (n && t->seen[n - 1].number == t->seen[i].number)
            t->seen[n - 1].weight += t->seen[i].weight;
        else
            t->seen[n++] = t->seen[i];
    for (uint32_t i = 0; i < n; i++)
        t->seen[i].weight = sqrt(t->seen[i].weight) * f64_at(t->c->idf, t->seen[i].number);
    if (n > t->c->max_terms) {
        qsort(t->seen, n, sizeof *t->seen, heaviest);
        n = t->c->max_terms;
        qsort(t->seen, n, sizeof *t->seen, by_number);
    }
    return n;
}

static void cosines_of_terms(struct clusters_text *t, uint32_t n)
{
    const struct clusters *c = t->c;
    double squares = 0;
    for (uint32_t i = 0; i < n; i++)
        squares += t->seen[i].weight * t->seen[i].weight;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t term = t->seen[i].number;
        const double weight = (double)(float)(t->seen[i].weight / sqrt(squares));
        for (uint64_t e = term ? u64_at(c->ends, term - 1) : 0; e < u64_at(c->ends, term); e++)
            t->cosines[u32_at(c->entries + 8 * e, 0)] += weight * f32_at(c->entries + 8 * e + 4, 0);
    }
}

static void cosines_of_sum(struct clusters_text *t, uint32_t n)
{
    const struct clusters *c = t->c;
    const uint32_t dims = c->dims;
    double squares = 0;
    memset(t->sum, 0, dims * sizeof *t->sum);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < dims; k++)
            t->sum[k] += t->seen[i].weight * f32_at(c->rows, (size_t)t->seen[i].number * dims + k);
    for (uint32_t k = 0; k < dims; k++)
        squares += t->sum[k] * t->sum[k];
    for (uint32_t i = 0; squares > 0 && i < c->centres; i++)
        for (uint32_t k = 0; k < dims; k++)
            t->cosines[i] += t->sum[k] / sqrt(squares) * f32_at(c->middles, (size_t)i * dims + k);
}

bool clusters_text_near(struct clusters_text *t, struct clusters_near *out)
{
    const uint32_t n = weigh(t);
    memset(t->cosines, 0, t->c->centres * sizeof *t->cosines);
    if (t->c->dims)
        cosines_of_sum(t, n);
    else
        cosines_of_terms(t, n);
    *out = (struct clusters_near){ .cosine = -2, .second_cosine = -2, .terms = n };
    for (uint32_t i = 0; i < t->c->centres; i++) {
        const double x = t->cosines[i];
        if (x > out->cosine) {
            out->second = out->centre;
            out->second_cosine = out->cosine;
            out->centre = i;
            out->cosine = x;
        } else if (x > out->second_cosine) {
            out->second = i;
            out->second_cosine = x;
        }
    }
    if (t->c->centres == 1)
        out->second_cosine = out->cosine;
    t->count = 0; /* what it held was put together: it begins anew */
    return n > 0 && out->cosine > 0;
}

double clusters_silhouette(double cosine, double second_cosine)
{
    const double a = 1 - cosine, b = 1 - second_cosine, most = a > b ? a : b;
    return most > 0 ? (b - a) / most : 0;
}
