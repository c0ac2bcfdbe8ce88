/* Lists from vectors: the best of all products, against a plain sort of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "trainer/kernels/factors/top_rows.h"

enum { COUNT = 300, STRIDE = 16, ASKERS = 3, TOP = 20 };

static float rows[COUNT * STRIDE];
static double scores[COUNT];

/* Small whole numbers: many products are equal. */
static void make_rows(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < COUNT * STRIDE; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        rows[i] = i % STRIDE < 4 ? (float)(state >> 62) : 0;
    }
    memset(rows + 5 * STRIDE, 0, STRIDE * sizeof *rows);
    memset(rows + 250 * STRIDE, 0, STRIDE * sizeof *rows);
}

static int by_score(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    if (scores[*x] != scores[*y])
        return scores[*x] < scores[*y] ? 1 : -1;
    return (*x > *y) - (*x < *y);
}

/* Numbers of all that may be in the list, best first. */
static uint32_t plain(const float *asker, const uint32_t *left_out, uint32_t count, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        bool in = false;
        for (size_t k = 0; k < STRIDE; k++)
            in = in || rows[i * STRIDE + k] != 0;
        for (uint32_t j = 0; j < count; j++)
            in = in && left_out[j] != i;
        scores[i] = 0;
        for (size_t k = 0; k < STRIDE; k++)
            scores[i] += (double)asker[k] * (double)rows[i * STRIDE + k];
        if (in)
            out[n++] = i;
    }
    qsort(out, n, sizeof *out, by_score);
    return n;
}

static void check(uint32_t top, const uint32_t *left_out, uint32_t count)
{
    uint32_t want[COUNT];
    struct arena arena;
    struct top_rows r;
    arena_init(&arena, 1 << 12);
    top_rows_init(&r, rows, COUNT, STRIDE, top, &arena);
    cr_assert(ge(u32, r.block, ASKERS));
    memcpy(r.askers, rows + 17 * STRIDE, ASKERS * STRIDE * sizeof *rows);
    top_rows_score(&r, ASKERS);
    for (uint32_t a = 0; a < ASKERS; a++) {
        uint32_t n = plain(rows + (17 + a) * STRIDE, left_out, count, want);
        uint32_t got = top_rows_best(&r, a, left_out, count);
        cr_assert(eq(u32, got, n < top ? n : top));
        for (uint32_t i = 0; i < got; i++) {
            cr_assert(eq(u32, r.best[i].number, want[i]), "place %u", i);
            cr_assert(eq(dbl, (double)r.best[i].value, scores[want[i]]));
        }
    }
    arena_release(&arena);
}

Test(top_rows, gives_the_best_of_equal_ones_the_first)
{
    const uint32_t left_out[] = { 0, 17, 299 };
    make_rows();
    check(TOP, NULL, 0);
    check(TOP, left_out, COUNT_OF(left_out));
    check(1, left_out, COUNT_OF(left_out));
    check(0, NULL, 0);
    check(COUNT, left_out, COUNT_OF(left_out));
    check(COUNT + 10, NULL, 0);
}

Test(top_rows, of_nothing_is_nothing)
{
    struct arena arena;
    struct top_rows r;
    arena_init(&arena, 1 << 12);
    top_rows_init(&r, rows, 0, STRIDE, TOP, &arena);
    top_rows_score(&r, 1);
    cr_assert(eq(u32, top_rows_best(&r, 0, NULL, 0), 0));
    arena_release(&arena);
}
