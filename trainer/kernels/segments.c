#include "trainer/kernels/segments.h"

#include <stdlib.h>

struct value {
    struct str line; /* "DIM=VALUE" */
    int64_t units;
    size_t dimension;
    uint32_t number; /* of its segment */
};

struct finding {
    struct str dimensions[SEGMENTS_DIMENSIONS_MAX];
    size_t dimensions_count;
    struct value *values;
    size_t values_count;
};

struct str segment_dimension(struct str name)
{
    struct str rest = name, dimension = name;
    (void)str_split(&rest, '=', &dimension);
    return dimension;
}

/* SEGMENTS_DIMENSIONS_MAX when there are too many. */
static size_t dimension_of(struct finding *f, struct str name)
{
    size_t i = 0;
    while (i < f->dimensions_count && !str_eq(f->dimensions[i], name))
        i++;
    if (i == f->dimensions_count && i < SEGMENTS_DIMENSIONS_MAX)
        f->dimensions[f->dimensions_count++] = name;
    return i;
}

static int by_bytes(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_line(const void *a, const void *b)
{
    return by_bytes(((const struct value *)a)->line, ((const struct value *)b)->line);
}

static int by_dimension_and_units(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->dimension != y->dimension)
        return x->dimension < y->dimension ? -1 : 1;
    return x->units != y->units ? (x->units > y->units ? -1 : 1) : by_line(a, b);
}

static size_t count_lines(const struct str *texts, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < texts[i].n; k++)
            n += k == 0 || texts[i].p[k] == '\n';
    return n;
}

/* Every line of every text, then those that are alike as one. */
static void collect(struct finding *f, const struct str *texts, const int64_t *units, size_t count, struct arena *arena)
{
    f->values = arena_alloc(arena, (count_lines(texts, count) + 1) * sizeof *f->values);
    for (size_t i = 0; i < count; i++) {
        struct str rest = texts[i], line;
        while (str_split(&rest, '\n', &line))
            if (line.n)
                f->values[f->values_count++] = (struct value){ .line = line, .units = units[i] };
    }
    if (f->values_count == 0)
        return;
    qsort(f->values, f->values_count, sizeof *f->values, by_line);
    size_t used = 0;
    for (size_t i = 1; i < f->values_count; i++)
        if (str_eq(f->values[i].line, f->values[used].line))
            f->values[used].units += f->values[i].units;
        else
            f->values[++used] = f->values[i];
    f->values_count = used + 1;
    for (size_t i = 0; i < f->values_count; i++)
        f->values[i].dimension = dimension_of(f, segment_dimension(f->values[i].line));
}

static uint32_t name_new(struct segments *s, struct str name)
{
    s->names[s->count] = name;
    return (uint32_t)s->count++;
}

/* In the order of dimensions: those of its values, that of the others, that of none. *out_none: of each dimension. */
static void number(struct finding *f, struct segments *s, uint32_t *out_none, struct arena *arena)
{
    if (f->values_count)
        qsort(f->values, f->values_count, sizeof *f->values, by_dimension_and_units);
    size_t at = 0;
    for (size_t d = 0; d < f->dimensions_count; d++) {
        size_t rank = 0;
        uint32_t other = 0;
        for (; at < f->values_count && f->values[at].dimension == d; at++, rank++) {
            if (rank == SEGMENTS_VALUES_MAX)
                other = name_new(s, arena_printf(arena, STR_FMT "=" SEGMENT_OTHER, STR_ARG(f->dimensions[d])));
            f->values[at].number = rank < SEGMENTS_VALUES_MAX ? name_new(s, f->values[at].line) : other;
        }
        out_none[d] = name_new(s, arena_printf(arena, STR_FMT "=" SEGMENT_NONE, STR_ARG(f->dimensions[d])));
    }
}

void segments_find(const struct str *texts, const int64_t *units, size_t count, struct arena *arena,
                   struct segments *out)
{
    struct finding f = { .dimensions_count = 0 };
    uint32_t none[SEGMENTS_DIMENSIONS_MAX];
    collect(&f, texts, units, count, arena);
    *out = (struct segments){ .dimensions = f.dimensions_count };
    out->names = arena_alloc(arena, (f.values_count + 2 * f.dimensions_count + 1) * sizeof *out->names);
    out->of = arena_alloc(arena, (count * f.dimensions_count + 1) * sizeof *out->of);
    number(&f, out, none, arena);
    if (f.values_count)
        qsort(f.values, f.values_count, sizeof *f.values, by_line);
    for (size_t i = 0; i < count; i++) {
        struct str rest = texts[i], line;
        uint32_t *of = out->of + i * out->dimensions;
        memcpy(of, none, out->dimensions * sizeof *of);
        while (str_split(&rest, '\n', &line)) {
            struct value key = { .line = line };
            const struct value *v = bsearch(&key, f.values, f.values_count, sizeof key, by_line);
            if (v && v->dimension < out->dimensions)
                of[v->dimension] = v->number;
        }
    }
}
