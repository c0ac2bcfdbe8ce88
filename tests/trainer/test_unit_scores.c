#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/mem.h"
#include "trainer/kernels/gate/unit_scores.h"

enum { ITEMS = 40, UNITS = 64 };
static uint32_t item_units[ITEMS];

/* By the definitions, one loop each. */
static void plain(const struct unit_list *l, const bool *relevant, size_t count, double out[SCORE_COUNT])
{
    double dcg = 0, ideal = 0, hits = 0, precisions = 0, novelty = 0;
    for (int s = 0; s < SCORE_COUNT; s++)
        out[s] = 0;
    for (size_t i = 0; i < l->count; i++) {
        bool hit = l->items[i] != UNIT_SCORES_OUTSIDE && relevant[l->items[i]];
        uint32_t had = l->items[i] == UNIT_SCORES_OUTSIDE || item_units[l->items[i]] == 0 ? 1 : item_units[l->items[i]];
        novelty -= log((double)had / UNITS) / log(2);
        if (!hit)
            continue;
        hits++;
        dcg += log(2) / log((double)i + 2);
        precisions += hits / (double)(i + 1);
        if (out[SCORE_MRR] == 0)
            out[SCORE_MRR] = 1 / (double)(i + 1);
    }
    for (size_t i = 0; i < count && i < 10; i++)
        ideal += log(2) / log((double)i + 2);
    out[SCORE_NDCG] = dcg / ideal;
    out[SCORE_RECALL] = hits / (double)count;
    out[SCORE_PRECISION] = hits / 10;
    out[SCORE_MAP] = precisions / (double)count;
    out[SCORE_HIT_RATE] = hits > 0;
    out[SCORE_NOVELTY] = l->count ? novelty / (double)l->count : 0;
}

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

Test(unit_scores, every_value_is_that_of_its_definition)
{
    uint64_t state = 7;
    for (int i = 0; i < ITEMS; i++)
        item_units[i] = (uint32_t)(draw(&state) % (UNITS + 1));
    for (int round = 0; round < 2000; round++) {
        struct unit_list l = { .count = draw(&state) % (UNIT_SCORES_K + 1) };
        bool is_relevant[ITEMS] = { false };
        uint32_t relevant[ITEMS];
        size_t count = 0;
        double seen[SCORE_COUNT], expected[SCORE_COUNT];
        for (size_t i = 0; i < l.count; i++) /* each once */
            l.items[i] = draw(&state) % 9 == 0 ? UNIT_SCORES_OUTSIDE : (uint32_t)((draw(&state) % 4) * 10 + i);
        for (uint32_t i = 0; i < ITEMS; i++)
            if ((is_relevant[i] = draw(&state) % (uint64_t)(1 + round % 9) == 0))
                relevant[count++] = i;
        if (count == 0)
            relevant[count++] = 3, is_relevant[3] = true;
        cr_assert(unit_scores_of(&l, relevant, count, item_units, UNITS, seen, NULL));
        plain(&l, is_relevant, count, expected);
        for (int s = 0; s < SCORE_COUNT; s++)
            cr_assert(epsilon_eq(dbl, seen[s], expected[s], 1e-12), "%s in round %d", unit_score_names[s], round);
    }
}

Test(unit_scores, by_hand)
{
    const struct unit_list l = { .items = { 5, 9, 7 }, .count = 3 };
    const uint32_t relevant[] = { 1, 7, 9, 20 };
    double s[SCORE_COUNT];
    for (int i = 0; i < ITEMS; i++)
        item_units[i] = UNITS / 4;
    cr_assert(unit_scores_of(&l, relevant, 4, item_units, UNITS, s, NULL));
    cr_assert(epsilon_eq(dbl, s[SCORE_NDCG], (1 / log2(3) + 0.5) / (1 + 1 / log2(3) + 0.5 + 1 / log2(5)), 1e-12));
    cr_assert(eq(dbl, s[SCORE_RECALL], 0.5));
    cr_assert(eq(dbl, s[SCORE_PRECISION], 0.2));
    cr_assert(epsilon_eq(dbl, s[SCORE_MAP], (1.0 / 2 + 2.0 / 3) / 4, 1e-12));
    cr_assert(eq(dbl, s[SCORE_MRR], 0.5));
    cr_assert(eq(dbl, s[SCORE_HIT_RATE], 1));
    cr_assert(eq(dbl, s[SCORE_NOVELTY], 2));
}
