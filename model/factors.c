/* Section "factors": writing, checking, finding an item, products, folding in.
 *
 * Folding in n items by the k × k system costs k^3/3; by Woodbury's identity, with (Y'Y + lambda I)^-1 = P kept, only n k^2 + n^3/3: with D the
 * diagonal of alpha w_i, c_i = 1 + alpha w_i and H the n × k matrix of the history's vectors,
 *   x = (P^-1 + H' D H)^-1 H' c = P H' z   where   (D^-1 + H P H') z = D^-1 c.
 * So few items, which is what is asked within a request, are cheap. */
#include "model/factors.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"

enum { HEADER_BYTES = 64, ALIGN = 64, TEXTS_MAX = 1 << 30 };

static const char magic[8] = { 'X', 'P', 'F', 'A', 'C', 'T', '0', '1' };

struct header {
    char magic[8];
    uint32_t fold, rank, items, slots;
    uint32_t has_biases, reserved;
    uint64_t texts_bytes;
    double alpha, lambda;
    char rest[8];
};
static_assert(sizeof(struct header) == HEADER_BYTES, "the header is part of the format");

/* Where the parts lie, from the header alone. */
struct layout {
    size_t index, offsets, texts, vectors, biases, gram, end;
};

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static struct layout layout_of(const struct header *h)
{
    struct layout l = { .index = HEADER_BYTES };
    l.offsets = aligned(l.index + (size_t)h->slots * sizeof(uint32_t));
    l.texts = l.offsets + ((size_t)h->items + 1) * sizeof(uint64_t);
    l.vectors = aligned(l.texts + (size_t)h->texts_bytes);
    l.biases = aligned(l.vectors + (size_t)h->items * h->rank * sizeof(float));
    l.gram = aligned(l.biases + (h->has_biases ? (size_t)h->items * sizeof(float) : 0));
    l.end = l.gram + (h->fold == FOLD_SOLVE ? (size_t)h->rank * h->rank * sizeof(double) : 0);
    return l;
}

static uint32_t slots_of(uint32_t items)
{
    uint32_t slots = 2;
    while (slots < 2 * items)
        slots *= 2;
    return slots;
}

/* ---- products: sums of eight lanes, so that compilers may use vector instructions and every CPU gets the same bits ---- */

typedef float float8 __attribute__((vector_size(32), aligned(1), may_alias));
typedef double double2 __attribute__((vector_size(16), aligned(1), may_alias));

static inline __attribute__((always_inline)) float product_inline(const char *a, const char *b, uint32_t rank)
{
    float8 lanes = { 0 };
    uint32_t i = 0;
    for (; i + 8 <= rank; i += 8)
        lanes += *(const float8 *)(const void *)(a + 4 * i) * *(const float8 *)(const void *)(b + 4 * i);
    float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
    for (; i < rank; i++) {
        float x, y;
        memcpy(&x, a + 4 * i, sizeof x);
        memcpy(&y, b + 4 * i, sizeof y);
        sum += x * y;
    }
    return sum;
}

static float product(const char *a, const char *b, uint32_t rank)
{
    return product_inline(a, b, rank);
}

static void products(const char *rows, const char *vector, uint32_t rank, uint32_t count, float *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = product_inline(rows + (size_t)i * rank * sizeof(float), vector, rank);
}

#if defined(__x86_64__)
/* The same sums, eight lanes at once. */
__attribute__((target("avx2"))) static void products_avx2(const char *rows, const char *vector, uint32_t rank,
                                                          uint32_t count, float *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = product_inline(rows + (size_t)i * rank * sizeof(float), vector, rank);
}
#endif

static void all_products(const char *rows, const char *vector, uint32_t rank, uint32_t count, float *out)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        products_avx2(rows, vector, rank, count, out);
        return;
    }
#endif
    products(rows, vector, rank, count, out);
}

static double product_d(const double *a, const double *b, uint32_t n)
{
    double2 sum0 = { 0 }, sum1 = { 0 };
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        sum0 += *(const double2 *)(const void *)(a + i) * *(const double2 *)(const void *)(b + i);
        sum1 += *(const double2 *)(const void *)(a + i + 2) * *(const double2 *)(const void *)(b + i + 2);
    }
    sum0 += sum1;
    double sum = sum0[0] + sum0[1];
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add_scaled(double *to, double scale, const double *from, uint32_t n)
{
    uint32_t i = 0;
    double2 scales = { scale, scale };
    for (; i + 2 <= n; i += 2)
        *(double2 *)(void *)(to + i) += scales * *(const double2 *)(const void *)(from + i);
    for (; i < n; i++)
        to[i] += scale * from[i];
}

/* ---- a symmetric positive definite system: Cholesky, in place, lower triangle by rows ---- */

static bool cholesky(double *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        double *row = a + (size_t)i * n;
        for (uint32_t j = 0; j < i; j++) {
            const double *other = a + (size_t)j * n;
            row[j] = (row[j] - product_d(row, other, j)) / other[j];
        }
        double pivot = row[i] - product_d(row, row, i);
        if (!(pivot > 0) || !isfinite(pivot))
            return false;
        row[i] = sqrt(pivot);
    }
    return true;
}

static void cholesky_solve(const double *l, uint32_t n, double *b)
{
    for (uint32_t i = 0; i < n; i++)
        b[i] = (b[i] - product_d(l + (size_t)i * n, b, i)) / l[(size_t)i * n + i];
    for (uint32_t i = n; i-- > 0;) {
        b[i] /= l[(size_t)i * n + i];
        add_scaled(b, -b[i], l + (size_t)i * n, i);
    }
}

/* ---- writing ---- */

static void pad_to(struct buf *out, size_t begin, size_t at)
{
    static const char zeros[ALIGN];
    assert(out->failed || at - (out->n - begin) < ALIGN);
    if (!out->failed)
        buf_add(out, zeros, at - (out->n - begin));
}

static bool write_index(const struct factors_out *f, uint32_t slots, struct buf *out, struct err *err)
{
    AUTO(mem_free) char *memory = mem_zalloc((size_t)slots * sizeof(uint32_t));
    uint32_t *index = (uint32_t *)(void *)memory;
    for (uint32_t i = 0; i < f->items; i++) {
        uint32_t at = (uint32_t)hash64(f->texts[i]) & (slots - 1);
        for (; index[at]; at = (at + 1) & (slots - 1))
            if (str_eq(f->texts[index[at] - 1], f->texts[i]))
                return err_set(err, ERR_INVALID, "factors: item \"" STR_FMT "\" is there twice",
                               STR_ARG(str_cut(f->texts[i], 100)));
        index[at] = i + 1;
    }
    buf_add(out, index, (size_t)slots * sizeof *index);
    return true;
}

static void write_texts(const struct factors_out *f, struct buf *out)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i <= f->items; i++) {
        buf_add(out, &offset, sizeof offset);
        offset += i < f->items ? f->texts[i].n : 0;
    }
    for (uint32_t i = 0; i < f->items; i++)
        buf_add_str(out, f->texts[i]);
}

static void write_gram(const struct factors_out *f, struct buf *out)
{
    uint32_t k = f->rank;
    AUTO(mem_free) char *memory = mem_zalloc(((size_t)k * k + k) * sizeof(double));
    double *gram = (double *)(void *)memory, *row = gram + (size_t)k * k;
    for (uint32_t i = 0; i < f->items; i++) {
        for (uint32_t c = 0; c < k; c++)
            row[c] = (double)f->vectors[(size_t)i * k + c];
        for (uint32_t c = 0; c < k; c++)
            add_scaled(gram + (size_t)c * k, row[c], row, k);
    }
    buf_add(out, gram, (size_t)k * k * sizeof *gram);
}

static bool check_out(const struct factors_out *f, uint64_t texts_bytes, struct err *err)
{
    if (f->fold >= FOLD_COUNT || f->rank < 1 || f->rank > FACTORS_RANK_MAX || f->items < 1 || f->items > 1u << 29)
        return err_set(err, ERR_INVALID, "factors: rank %u of %u items: ranks go from 1 to %d, items from 1", f->rank,
                       f->items, FACTORS_RANK_MAX);
    if (texts_bytes > TEXTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "factors: texts of items have more than %d bytes", TEXTS_MAX);
    for (uint32_t i = 0; i < f->items; i++)
        if (!str_is_utf8(f->texts[i]))
            return err_set(err, ERR_INVALID, "factors: the text of item %u is not UTF-8", i);
    for (size_t i = 0; i < (size_t)f->items * f->rank; i++)
        if (!isfinite(f->vectors[i]))
            return err_set(err, ERR_INVALID, "factors: a vector holds a number that is not finite");
    return true;
}

bool factors_write(const struct factors_out *f, struct buf *out, struct err *err)
{
    struct header h = { .fold = (uint32_t)f->fold,
                        .rank = f->rank,
                        .items = f->items,
                        .slots = slots_of(f->items),
                        .has_biases = f->biases != NULL,
                        .alpha = f->alpha,
                        .lambda = f->lambda };
    size_t begin = out->n;
    memcpy(h.magic, magic, sizeof magic);
    for (uint32_t i = 0; i < f->items; i++)
        h.texts_bytes += f->texts[i].n;
    if (!check_out(f, h.texts_bytes, err))
        return false;
    struct layout l = layout_of(&h);
    buf_add(out, &h, sizeof h);
    if (!write_index(f, h.slots, out, err))
        return false;
    pad_to(out, begin, l.offsets);
    write_texts(f, out);
    pad_to(out, begin, l.vectors);
    buf_add(out, f->vectors, (size_t)f->items * f->rank * sizeof(float));
    pad_to(out, begin, l.biases);
    if (f->biases)
        buf_add(out, f->biases, (size_t)f->items * sizeof(float));
    pad_to(out, begin, l.gram);
    if (f->fold == FOLD_SOLVE)
        write_gram(f, out);
    return buf_ok(out, "factors", err);
}

/* ---- reading ---- */

static uint32_t get_u32(const char *p, size_t i)
{
    uint32_t v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return v;
}

static uint64_t get_u64(const char *p, size_t i)
{
    uint64_t v;
    memcpy(&v, p + i * sizeof v, sizeof v);
    return v;
}

static bool read_header(struct str section, struct header *h, struct err *err)
{
    if (section.n < sizeof *h)
        return err_set(err, ERR_INVALID, "section \"factors\" is truncated: %zu bytes", section.n);
    memcpy(h, section.p, sizeof *h);
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return err_set(err, ERR_INVALID, "section \"factors\" does not begin as one");
    if (h->fold >= FOLD_COUNT || h->rank < 1 || h->rank > FACTORS_RANK_MAX || h->items < 1 || h->items > 1u << 29 ||
        h->slots != slots_of(h->items) || h->has_biases > 1 || h->texts_bytes > TEXTS_MAX)
        return err_set(err, ERR_INVALID, "section \"factors\": rank %u, %u items, %u slots cannot be", h->rank,
                       h->items, h->slots);
    if (h->fold == FOLD_SOLVE && (!(h->alpha > 0) || !isfinite(h->alpha) || !(h->lambda >= 0) || !isfinite(h->lambda)))
        return err_set(err, ERR_INVALID, "section \"factors\": alpha %g, lambda %g cannot be", h->alpha, h->lambda);
    if (layout_of(h).end != section.n)
        return err_set(err, ERR_INVALID, "section \"factors\" has %zu bytes instead of %zu", section.n,
                       layout_of(h).end);
    return true;
}

static bool all_finite(const char *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float v;
        memcpy(&v, p + i * sizeof v, sizeof v);
        if (!isfinite(v))
            return false;
    }
    return true;
}

struct str factors_text(const struct factors *f, uint32_t number)
{
    uint64_t from = get_u64(f->offsets, number);
    return (struct str){ f->texts + from, (size_t)(get_u64(f->offsets, (size_t)number + 1) - from) };
}

static bool check_parts(const struct factors *f, uint64_t texts_bytes, struct err *err)
{
    uint32_t free_slots = 0;
    for (uint32_t i = 0; i < f->items; i++)
        if (get_u64(f->offsets, i) > get_u64(f->offsets, i + 1))
            return err_set(err, ERR_INVALID, "section \"factors\": the text of item %u ends before it begins", i);
    if (get_u64(f->offsets, 0) != 0 || get_u64(f->offsets, f->items) != texts_bytes)
        return err_set(err, ERR_INVALID, "section \"factors\": texts do not fill their part");
    for (uint32_t i = 0; i < f->items; i++)
        if (!str_is_utf8(factors_text(f, i)))
            return err_set(err, ERR_INVALID, "section \"factors\": the text of item %u is not UTF-8", i);
    for (uint32_t i = 0; i < f->slots; i++) {
        uint32_t v = get_u32(f->index, i);
        free_slots += v == 0;
        if (v > f->items)
            return err_set(err, ERR_INVALID, "section \"factors\": slot %u names item %u of %u", i, v, f->items);
    }
    if (!free_slots)
        return err_set(err, ERR_INVALID, "section \"factors\": the index has no free slot");
    if (!all_finite(f->vectors, (size_t)f->items * f->rank) || (f->biases && !all_finite(f->biases, f->items)))
        return err_set(err, ERR_INVALID, "section \"factors\": a vector holds a number that is not finite");
    return true;
}

/* (Y'Y + lambda I)^-1, column by column. */
static bool invert(struct factors *f, struct arena *arena, struct err *err)
{
    uint32_t k = f->rank;
    size_t bytes = (size_t)k * k * sizeof(double);
    AUTO(mem_free) char *memory = mem_alloc(bytes);
    double *l = (double *)(void *)memory;
    memcpy(l, f->gram, bytes);
    for (uint32_t i = 0; i < k; i++)
        l[(size_t)i * k + i] += f->lambda;
    if (!cholesky(l, k))
        return err_set(err, ERR_INVALID, "section \"factors\": Gram matrix plus lambda is not positive definite");
    f->inverse = arena_zalloc(arena, bytes);
    for (uint32_t i = 0; i < k; i++) {
        f->inverse[(size_t)i * k + i] = 1;
        cholesky_solve(l, k, f->inverse + (size_t)i * k);
    }
    return true;
}

bool factors_read(struct str section, struct factors *out, struct arena *arena, struct err *err)
{
    struct header h;
    if (!read_header(section, &h, err))
        return false;
    struct layout l = layout_of(&h);
    struct factors f = { .fold = (enum factors_fold)h.fold,
                         .rank = h.rank,
                         .items = h.items,
                         .slots = h.slots,
                         .alpha = h.alpha,
                         .lambda = h.lambda,
                         .index = section.p + l.index,
                         .offsets = section.p + l.offsets,
                         .texts = section.p + l.texts,
                         .vectors = section.p + l.vectors,
                         .biases = h.has_biases ? section.p + l.biases : NULL,
                         .gram = h.fold == FOLD_SOLVE ? section.p + l.gram : NULL };
    if (!check_parts(&f, h.texts_bytes, err) || (f.gram && !invert(&f, arena, err)))
        return false;
    *out = f;
    return true;
}

bool factors_find(const struct factors *f, struct str item, uint32_t *out_number)
{
    uint32_t at = (uint32_t)hash64(item) & (f->slots - 1), v;
    for (; (v = get_u32(f->index, at)) != 0; at = (at + 1) & (f->slots - 1))
        if (str_eq(factors_text(f, v - 1), item)) {
            *out_number = v - 1;
            return true;
        }
    return false;
}

static const char *vector_at(const struct factors *f, uint32_t number)
{
    return f->vectors + (size_t)number * f->rank * sizeof(float);
}

void factors_vector(const struct factors *f, uint32_t number, float *out)
{
    memcpy(out, vector_at(f, number), f->rank * sizeof(float));
}

double factors_cosine(const struct factors *f, uint32_t a, uint32_t b)
{
    double aa = (double)product(vector_at(f, a), vector_at(f, a), f->rank);
    double bb = (double)product(vector_at(f, b), vector_at(f, b), f->rank);
    if (!(aa > 0) || !(bb > 0))
        return 0;
    return (double)product(vector_at(f, a), vector_at(f, b), f->rank) / sqrt(aa * bb);
}

void factors_scores(const struct factors *f, const float *vector, uint32_t first, uint32_t count, float *out)
{
    all_products(vector_at(f, first), (const char *)vector, f->rank, count, out);
    for (uint32_t i = 0; f->biases && i < count; i++) {
        float bias;
        memcpy(&bias, f->biases + (size_t)(first + i) * sizeof bias, sizeof bias);
        out[i] += bias;
    }
    for (uint32_t i = 0; i < count; i++)
        out[i] = isfinite(out[i]) ? out[i] : -FLT_MAX;
}

/* ---- folding in ---- */

/* The history's vectors as doubles, one a row, and their weights; those of weight 0 say nothing. */
struct history {
    double *rows, *weights;
    uint32_t count;
};

static struct history history_of(const struct factors *f, const struct factors_event *events, size_t count,
                                 struct arena *arena)
{
    count = count < FACTORS_HISTORY_MAX ? count : FACTORS_HISTORY_MAX;
    struct history h = { .rows = arena_alloc(arena, (count * f->rank + 1) * sizeof(double)),
                         .weights = arena_alloc(arena, (count + 1) * sizeof(double)) };
    for (size_t i = 0; i < count; i++) {
        if (!(events[i].weight > 0) || !isfinite(events[i].weight))
            continue;
        double *row = h.rows + (size_t)h.count * f->rank;
        for (uint32_t c = 0; c < f->rank; c++) {
            float v;
            memcpy(&v, vector_at(f, events[i].item) + c * sizeof v, sizeof v);
            row[c] = (double)v;
        }
        h.weights[h.count++] = events[i].weight;
    }
    return h;
}

static void mean(const struct factors *f, const struct history *h, double *x)
{
    double total = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        add_scaled(x, h->weights[i], h->rows + (size_t)i * f->rank, f->rank);
        total += h->weights[i];
    }
    for (uint32_t c = 0; c < f->rank; c++)
        x[c] /= total;
}

/* Few items: the small system of the head of this file. */
static bool solve_few(const struct factors *f, const struct history *h, struct arena *arena, double *x)
{
    uint32_t n = h->count, k = f->rank;
    double *through = arena_zalloc(arena, (size_t)n * k * sizeof(double)); /* H P */
    double *system = arena_alloc(arena, (size_t)n * n * sizeof(double));
    double *z = arena_alloc(arena, n * sizeof(double));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < k; c++)
            add_scaled(through + (size_t)i * k, h->rows[(size_t)i * k + c], f->inverse + (size_t)c * k, k);
    for (uint32_t i = 0; i < n; i++) {
        double d = f->alpha * h->weights[i];
        for (uint32_t j = 0; j <= i; j++)
            system[(size_t)i * n + j] = product_d(through + (size_t)i * k, h->rows + (size_t)j * k, k);
        system[(size_t)i * n + i] += 1 / d;
        z[i] = (1 + d) / d;
    }
    if (!cholesky(system, n))
        return false;
    cholesky_solve(system, n, z);
    for (uint32_t i = 0; i < n; i++)
        add_scaled(x, z[i], through + (size_t)i * k, k);
    return true;
}

/* Many: the system of the header, as training solves it. */
static bool solve_many(const struct factors *f, const struct history *h, struct arena *arena, double *x)
{
    uint32_t k = f->rank;
    double *a = arena_alloc(arena, (size_t)k * k * sizeof(double));
    memcpy(a, f->gram, (size_t)k * k * sizeof(double));
    for (uint32_t c = 0; c < k; c++)
        a[(size_t)c * k + c] += f->lambda;
    for (uint32_t i = 0; i < h->count; i++) {
        const double *row = h->rows + (size_t)i * k;
        double d = f->alpha * h->weights[i];
        for (uint32_t c = 0; c < k; c++)
            add_scaled(a + (size_t)c * k, d * row[c], row, c + 1);
        add_scaled(x, 1 + d, row, k);
    }
    if (!cholesky(a, k))
        return false;
    cholesky_solve(a, k, x);
    return true;
}

bool factors_fold_in(const struct factors *f, const struct factors_event *events, size_t count, struct arena *arena,
                     float *out_vector)
{
    struct history h = history_of(f, events, count, arena);
    double *x = arena_zalloc(arena, f->rank * sizeof(double));
    if (h.count == 0)
        return false;
    if (f->fold == FOLD_MEAN)
        mean(f, &h, x);
    else if (!(h.count < f->rank ? solve_few(f, &h, arena, x) : solve_many(f, &h, arena, x)))
        return false;
    for (uint32_t c = 0; c < f->rank; c++)
        out_vector[c] = (float)x[c];
    return true;
}
