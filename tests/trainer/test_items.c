/* Which items go together: sums of pairs, the best of many, similarities by hand, and what a unit would like against the plain way. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/items/best.h"
#include "trainer/kernels/items/item_lists.h"
#include "trainer/kernels/items/pair_sums.h"
#include "trainer/kernels/items/similar.h"

static uint64_t state;
static uint32_t draw(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

Test(pair_sums, adds_up_as_a_table_does)
{
    enum { N = 60, ADDS = 20000 };
    static uint64_t counts[N][N];
    static double totals[N][N];
    struct pair_sums p;
    state = 1;
    pair_sums_init(&p);
    for (int i = 0; i < ADDS; i++) {
        uint32_t a = draw(N), b = draw(N);
        double v = draw(1000) / 7.0;
        counts[a][b] += 1;
        totals[a][b] += v;
        pair_sums_add(&p, pair_key(a, b), 1, v);
    }
    pair_sums_sort(&p);
    uint32_t at = 0;
    for (uint32_t a = 0; a < N; a++)
        for (uint32_t b = 0; b < N; b++) {
            if (counts[a][b] == 0)
                continue;
            cr_assert(eq(u64, p.entries[at].key, pair_key(a, b)));
            cr_assert(eq(u64, p.entries[at].count, counts[a][b]));
            cr_assert(eq(dbl, p.entries[at++].sum, totals[a][b]));
        }
    cr_assert(eq(u32, at, p.count));
    pair_sums_release(&p);
}

Test(pair_sums, bytes_are_entries)
{
    struct pair_sums p, q;
    pair_sums_init(&p);
    pair_sums_init(&q);
    pair_sums_add(&p, 7, 2, 0.5);
    pair_sums_add(&p, 9, 1, 1.5);
    const struct str bytes = { (const char *)p.entries, p.count * sizeof *p.entries };
    cr_assert(pair_sums_add_bytes(&q, bytes));
    cr_assert(pair_sums_add_bytes(&q, bytes));
    cr_assert(eq(u64, q.entries[0].count, 4));
    cr_assert(eq(dbl, q.entries[1].sum, 3));
    cr_assert(eq(int, pair_sums_add_bytes(&q, (struct str){ bytes.p, bytes.n - 1 }), 0));
    pair_sums_release(&p);
    pair_sums_release(&q);
}

static int by_score(const void *a, const void *b)
{
    const struct best_entry *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

Test(best, is_the_head_of_all_sorted)
{
    enum { ALL = 500 };
    struct arena arena;
    arena_init(&arena, 1 << 12);
    state = 2;
    for (uint32_t max = 0; max < 40; max += 3) {
        struct best b;
        struct best_entry all[ALL];
        best_init(&b, max, &arena);
        for (uint32_t i = 0; i < ALL; i++) {
            all[i] = (struct best_entry){ draw(50), i, i * 2 };
            best_add(&b, all[i].score, all[i].number, all[i].extra);
        }
        best_sort(&b);
        qsort(all, ALL, sizeof *all, by_score);
        cr_assert(eq(u32, b.count, max));
        for (uint32_t i = 0; i < max; i++)
            cr_assert(eq(u32, b.entries[i].number, all[i].number));
    }
    arena_release(&arena);
}

Test(similar, cosine_and_its_shrinkage)
{
    struct similar_rules r = { SIMILAR_COSINE, 0, 100 };
    const struct similar_item a = { 4, 4 }, b = { 9, 9 };
    cr_assert(epsilon_eq(dbl, similar_score(&r, &a, &b, 3, 3), 0.5, 1e-15));
    r.shrink = 3;
    cr_assert(epsilon_eq(dbl, similar_score(&r, &a, &b, 3, 3), 0.25, 1e-15));
}

Test(similar, llr_is_the_g_of_the_table)
{
    /* The example of T. Dunning's "surprise and coincidence": 110 together, of 2442 and 111, of 31777 (scipy's chi2_contingency with lambda_ =
     * "log-likelihood" and no correction says 270.7217). */
    struct similar_rules r = { SIMILAR_LLR, 0, 31777 };
    const struct similar_item a = { 2552, 2552 }, b = { 221, 221 };
    cr_assert(epsilon_eq(dbl, similar_score(&r, &a, &b, 110, 110), 270.72, 0.01));
    const struct similar_item half = { 50, 50 };
    r.units = 100;
    cr_assert(eq(dbl, similar_score(&r, &half, &half, 25, 25), 0)); /* as by chance */
    cr_assert(eq(dbl, similar_score(&r, &half, &half, 10, 10), 0)); /* less */
    cr_assert(epsilon_eq(dbl, similar_score(&r, &half, &half, 50, 50), 200 * log(2), 1e-12));
}

Test(item_taste, as_the_plain_way_has_it)
{
    enum { ITEMS = 40, EACH = 6, HAD = 7, TOP = 10 };
    static double dense[ITEMS][ITEMS];
    struct item_score entries[ITEMS * EACH];
    uint64_t ends[ITEMS + 1] = { 0 };
    struct arena arena;
    struct item_lists lists;
    struct item_taste taste;
    struct best best;
    struct err err;
    struct buf blob;
    arena_init(&arena, 1 << 12);
    buf_init(&blob, 1 << 20);
    state = 3;
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = 0; k < EACH; k++) {
            uint32_t other = (i + 1 + k * 5) % ITEMS;
            entries[ends[i] + k] = (struct item_score){ other, (float)(1 + draw(9)) };
            dense[i][other] = (double)entries[ends[i] + k].score;
        }
        ends[i + 1] = ends[i] + EACH;
    }
    item_lists_write(&blob, ITEMS, ends, entries);
    cr_assert(item_lists_read(buf_str(&blob), &lists, &err), "%s", err.text);
    item_taste_init(&taste, ITEMS, &arena);
    best_init(&best, TOP, &arena);
    for (int turn = 0; turn < 20; turn++) {
        uint32_t had[HAD];
        float weights[HAD];
        double want[ITEMS] = { 0 };
        for (uint32_t i = 0; i < HAD; i++) {
            had[i] = i * 5 + draw(5);
            weights[i] = (float)(1 + draw(3));
            for (uint32_t j = 0; j < ITEMS; j++)
                want[j] += (double)weights[i] * dense[had[i]][j];
        }
        for (uint32_t i = 0; i < HAD; i++)
            want[had[i]] = 0;
        item_taste_best(&taste, &lists, had, weights, HAD, &best);
        double last = INFINITY;
        for (uint32_t i = 0; i < best.count; i++) {
            cr_assert(epsilon_eq(dbl, best.entries[i].score, want[best.entries[i].number], 1e-12));
            cr_assert(le(dbl, best.entries[i].score, last));
            last = best.entries[i].score;
            want[best.entries[i].number] = 0;
        }
        for (uint32_t j = 0; j < ITEMS; j++)
            cr_assert(best.count < TOP ? want[j] == 0 : want[j] <= last);
    }
    cr_assert(eq(int, item_lists_read((struct str){ blob.p, blob.n - 8 }, &lists, &err), 0));
    buf_release(&blob);
    arena_release(&arena);
}
