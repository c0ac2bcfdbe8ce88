#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "model/factors.h"

enum { ITEMS = 300, RANK = 12 };

static float vectors[ITEMS * RANK];
static struct str texts[ITEMS];

/* Numbers without a pattern, the same each time. */
static double noise(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0 - 0.5;
}

static struct str section(struct arena *arena, struct buf *out, enum factors_fold fold, const float *biases)
{
    struct err err;
    uint64_t state = 7;
    for (uint32_t i = 0; i < ITEMS; i++)
        texts[i] = arena_printf(arena, "item %u", i * 7);
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        vectors[i] = (float)noise(&state);
    struct factors_out f = { .fold = fold,
                             .rank = RANK,
                             .items = ITEMS,
                             .texts = texts,
                             .vectors = vectors,
                             .biases = biases,
                             .alpha = 40,
                             .lambda = 0.1 };
    buf_init(out, 1 << 20);
    cr_assert(factors_write(&f, out, &err), "%s", err.text);
    return buf_str(out);
}

Test(factors, items_are_found_with_their_vectors)
{
    struct arena arena;
    struct buf b;
    struct factors f;
    struct err err;
    arena_init(&arena, 4096);
    struct str s = section(&arena, &b, FOLD_SOLVE, NULL);
    cr_assert(factors_read(s, &f, &arena, &err), "%s", err.text);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t number = UINT32_MAX;
        float v[RANK];
        cr_assert(factors_find(&f, texts[i], &number));
        cr_assert(eq(u32, number, i));
        cr_assert(str_eq(factors_text(&f, i), texts[i]));
        factors_vector(&f, i, v);
        cr_assert(eq(int, memcmp(v, vectors + (size_t)i * RANK, sizeof v), 0));
    }
    uint32_t number;
    cr_assert_not(factors_find(&f, STR("item 1"), &number));
    cr_assert_not(factors_find(&f, STR(""), &number));
    buf_release(&b);
    arena_release(&arena);
}

/* Gauss' elimination of (Y'Y + lambda I + alpha sum w y y') x = sum (1 + alpha w) y, as the formula stands. */
static void by_hand(const struct factors_event *e, size_t n, double *x)
{
    static double a[RANK][RANK + 1];
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < ITEMS + n; i++) {
        const float *y = vectors + (size_t)(i < ITEMS ? i : e[i - ITEMS].item) * RANK;
        double w = i < ITEMS ? 1 : 40 * e[i - ITEMS].weight, right = i < ITEMS ? 0 : 1 + w;
        for (int r = 0; r < RANK; r++) {
            for (int c = 0; c < RANK; c++)
                a[r][c] += w * (double)y[r] * (double)y[c];
            a[r][RANK] += right * (double)y[r];
        }
    }
    for (int r = 0; r < RANK; r++)
        a[r][r] += 0.1;
    for (int p = 0; p < RANK; p++)
        for (int r = 0; r < RANK; r++)
            for (int c = RANK; r != p && c >= p; c--)
                a[r][c] -= a[p][c] * a[r][p] / a[p][p];
    for (int r = 0; r < RANK; r++)
        x[r] = a[r][RANK] / a[r][r];
}

Test(factors, a_history_of_any_length_gets_the_vector_that_training_would_give)
{
    struct arena arena;
    struct buf b;
    struct factors f;
    struct err err;
    struct factors_event e[40];
    static const size_t lengths[] = { 1, 2, 5, RANK - 1, RANK, RANK + 1, 40 };
    arena_init(&arena, 4096);
    struct str s = section(&arena, &b, FOLD_SOLVE, NULL);
    cr_assert(factors_read(s, &f, &arena, &err), "%s", err.text);
    for (uint32_t i = 0; i < 40; i++)
        e[i] = (struct factors_event){ .item = (i * 37) % ITEMS, .weight = 0.25 + i % 5 };
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        float got[RANK], scores[ITEMS];
        double want[RANK];
        by_hand(e, lengths[l], want);
        cr_assert(factors_fold_in(&f, e, lengths[l], &arena, got));
        for (int c = 0; c < RANK; c++)
            cr_assert(epsilon_eq(dbl, (double)got[c], want[c], 1e-6), "%zu events, place %d", lengths[l], c);
        factors_scores(&f, got, 0, ITEMS, scores);
        for (uint32_t i = 0; i < ITEMS; i++) {
            double score = 0;
            for (int c = 0; c < RANK; c++)
                score += want[c] * (double)vectors[(size_t)i * RANK + (size_t)c];
            cr_assert(epsilon_eq(dbl, (double)scores[i], score, 1e-5));
        }
    }
    buf_release(&b);
    arena_release(&arena);
}

Test(factors, a_history_without_weight_gives_no_vector)
{
    struct arena arena;
    struct buf b;
    struct factors f;
    struct err err;
    float got[RANK];
    struct factors_event e[] = { { 3, 0 }, { 4, (double)NAN }, { 5, -1 } };
    arena_init(&arena, 4096);
    struct str s = section(&arena, &b, FOLD_SOLVE, NULL);
    cr_assert(factors_read(s, &f, &arena, &err), "%s", err.text);
    cr_assert_not(factors_fold_in(&f, e, 3, &arena, got));
    cr_assert_not(factors_fold_in(&f, e, 0, &arena, got));
    buf_release(&b);
    arena_release(&arena);
}

Test(factors, a_mean_is_weighted_and_biases_are_added)
{
    struct arena arena;
    struct buf b;
    struct factors f;
    struct err err;
    float biases[ITEMS], got[RANK], score;
    struct factors_event e[] = { { 3, 1 }, { 9, 3 } };
    for (uint32_t i = 0; i < ITEMS; i++)
        biases[i] = (float)i;
    arena_init(&arena, 4096);
    struct str s = section(&arena, &b, FOLD_MEAN, biases);
    cr_assert(factors_read(s, &f, &arena, &err), "%s", err.text);
    cr_assert(factors_fold_in(&f, e, 2, &arena, got));
    double product = 0;
    for (int c = 0; c < RANK; c++) {
        double want = ((double)vectors[3 * RANK + c] + 3 * (double)vectors[9 * RANK + c]) / 4;
        cr_assert(epsilon_eq(dbl, (double)got[c], want, 1e-6));
        product += want * (double)vectors[100 * RANK + c];
    }
    factors_scores(&f, got, 100, 1, &score);
    cr_assert(epsilon_eq(dbl, (double)score, product + 100, 1e-4));
    buf_release(&b);
    arena_release(&arena);
}

Test(factors, a_damaged_section_is_refused_or_harmless)
{
    struct arena arena;
    struct buf b;
    struct err err;
    size_t refused = 0;
    arena_init(&arena, 4096);
    struct str s = section(&arena, &b, FOLD_SOLVE, NULL);
    char *copy = arena_alloc(&arena, s.n);
    for (size_t at = 0; at < s.n; at += at < 64 ? 1 : 13) {
        struct factors f;
        uint32_t number;
        memcpy(copy, s.p, s.n);
        copy[at] = (char)(copy[at] ^ 0xff);
        if (!factors_read((struct str){ copy, s.n }, &f, &arena, &err)) {
            refused++;
            continue;
        }
        for (uint32_t i = 0; i < f.items; i++) /* the sanitizers look at what is touched */
            (void)factors_find(&f, factors_text(&f, i), &number);
    }
    for (size_t n = 0; n < s.n; n += 97) {
        struct factors f;
        cr_assert_not(factors_read((struct str){ s.p, n }, &f, &arena, &err), "cut to %zu bytes", n);
    }
    cr_assert(gt(sz, refused, 100));
    buf_release(&b);
    arena_release(&arena);
}

Test(factors, what_cannot_be_is_not_written)
{
    struct buf b;
    struct err err;
    struct str two[] = { STR("a"), STR("a") };
    float v[2] = { 1, 2 };
    struct factors_out f = { .rank = 1, .items = 2, .texts = two, .vectors = v, .alpha = 1, .lambda = 1 };
    buf_init(&b, 1 << 16);
    cr_assert_not(factors_write(&f, &b, &err));
    cr_assert_not_null(strstr(err.text, "\"a\" is there twice"));
    two[1] = STR("b");
    v[1] = NAN;
    cr_assert_not(factors_write(&f, &b, &err));
    cr_assert_not_null(strstr(err.text, "not finite"));
    f.rank = 0;
    cr_assert_not(factors_write(&f, &b, &err));
    buf_release(&b);
}
