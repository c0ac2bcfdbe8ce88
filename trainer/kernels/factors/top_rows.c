#include "trainer/kernels/factors/top_rows.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/blas.h"

enum { SCORES = 2 << 20 /* at once, unless one asker has more */, BLOCK_MAX = 64 };

static bool is_there(const float *row, size_t stride)
{
    for (size_t k = 0; k < stride; k++)
        if (row[k] != 0)
            return true;
    return false;
}

void top_rows_init(struct top_rows *r, const float *rows, uint32_t count, size_t stride, uint32_t top,
                   struct arena *arena)
{
    uint32_t block = SCORES / (count + 1);
    block = block < 1 ? 1 : block > BLOCK_MAX ? BLOCK_MAX : block;
    *r = (struct top_rows){ .rows = rows, .count = count, .top = top, .stride = stride, .block = block };
    r->askers = arena_zalloc(arena, block * stride * sizeof *r->askers);
    r->scores = arena_alloc(arena, ((size_t)block * count + 1) * sizeof *r->scores);
    r->there = arena_alloc(arena, count + 1);
    r->best = arena_alloc(arena, ((size_t)top + 1) * sizeof *r->best);
    for (uint32_t i = 0; i < count; i++)
        r->there[i] = is_there(rows + i * stride, stride);
}

void top_rows_score(struct top_rows *r, uint32_t askers)
{
    if (askers && r->count)
        blas_products(r->askers, askers, r->rows, r->count, r->stride, r->scores);
}

static bool worse(const struct factors_entry *a, const struct factors_entry *b)
{
    return a->value != b->value ? a->value < b->value : a->number > b->number;
}

/* The root is the worst that is kept. */
static void sink(struct factors_entry *heap, uint32_t count, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &heap[at]))
            return;
        struct factors_entry e = heap[at];
        heap[at] = heap[child];
        heap[child] = e;
    }
}

static int by_score(const void *a, const void *b)
{
    return worse(a, b) ? 1 : -1;
}

uint32_t top_rows_best(struct top_rows *r, uint32_t asker, const uint32_t *left_out, uint32_t left_out_count)
{
    float *scores = r->scores + (size_t)asker * r->count;
    uint32_t n = 0;
    for (uint32_t i = 0; i < left_out_count; i++)
        scores[left_out[i]] = -INFINITY;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct factors_entry e = { i, scores[i] };
        if (!r->top || (n == r->top && !(e.value > r->best[0].value)) || !r->there[i] || !isfinite(e.value))
            continue;
        if (n < r->top) {
            r->best[n++] = e;
            if (n == r->top)
                for (uint32_t at = n / 2; at-- > 0;)
                    sink(r->best, n, at);
        } else {
            r->best[0] = e;
            sink(r->best, n, 0);
        }
    }
    if (n)
        qsort(r->best, n, sizeof *r->best, by_score);
    return n;
}
