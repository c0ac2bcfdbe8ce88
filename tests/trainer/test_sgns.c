/* Skip-grams with negative sampling: a step goes down the gradient, as differences of the loss have it; tables against σ in full. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "trainer/kernels/word2vec/sentences.h"
#include "trainer/kernels/word2vec/sgns.h"
#include "trainer/kernels/word2vec/w2v_model.h"

enum { DIMS = 13, STRIDE = 16, TARGETS = 4 };

static struct sgns_tables tables;

static void fill(float *row, unsigned seed)
{
    for (unsigned k = 0; k < STRIDE; k++)
        row[k] = k < DIMS ? (float)(((k * 7 + seed * 13) % 19) / 19.0 - 0.5) : 0;
}

static double loss(const double *u, double v[TARGETS][STRIDE])
{
    double sum = 0;
    for (int j = 0; j < TARGETS; j++) {
        double x = 0;
        for (int k = 0; k < DIMS; k++)
            x += u[k] * v[j][k];
        sum += sgns_exact_loss(j == 0 ? x : -x);
    }
    return sum;
}

Test(sgns, tables_are_near_the_curves)
{
    sgns_tables_init(&tables);
    for (double x = -15; x < 15; x += 0.00917) {
        const double wanted = 1 / (1 + exp(-x));
        cr_assert(epsilon_eq(dbl, (double)sgns_sigmoid(&tables, (float)x), wanted, 7e-6), "x %g", x);
        cr_assert(epsilon_eq(dbl, (double)sgns_loss(&tables, (float)x), sgns_exact_loss(x), 7e-6), "x %g", x);
    }
    cr_assert(not(isnan((double)sgns_sigmoid(&tables, NAN))));
}

/* A step at rate r changes each number by -r · ∂loss, up to r² and rounding. */
Test(sgns, a_step_goes_down_the_gradient)
{
    const double h = 1e-5, rate = 1e-3;
    float u[STRIDE], rows[TARGETS][STRIDE], *targets[TARGETS], scratch[STRIDE], before[STRIDE];
    double du[STRIDE], dv[TARGETS][STRIDE];
    sgns_tables_init(&tables);
    fill(u, 1);
    memcpy(before, u, sizeof u);
    for (int k = 0; k < STRIDE; k++)
        du[k] = (double)u[k];
    for (int j = 0; j < TARGETS; j++) {
        fill(rows[j], (unsigned)j + 2);
        targets[j] = rows[j];
        for (int k = 0; k < STRIDE; k++)
            dv[j][k] = (double)rows[j][k];
    }
    const float got = sgns_step(&tables, STRIDE, u, targets, TARGETS, (float)rate, scratch);
    cr_assert(epsilon_eq(dbl, (double)got, loss(du, dv), 1e-4));
    for (int k = 0; k < DIMS; k++) {
        const double at = du[k];
        du[k] = at + h;
        const double above = loss(du, dv);
        du[k] = at - h;
        const double slope = (above - loss(du, dv)) / (2 * h);
        du[k] = at;
        cr_assert(epsilon_eq(dbl, ((double)u[k] - (double)before[k]) / rate, -slope, 1e-3), "u %d", k);
    }
    for (int j = 0; j < TARGETS; j++)
        for (int k = 0; k < DIMS; k++) {
            const double at = dv[j][k];
            dv[j][k] = at + h;
            const double above = loss(du, dv);
            dv[j][k] = at - h;
            const double slope = (above - loss(du, dv)) / (2 * h);
            dv[j][k] = at;
            cr_assert(epsilon_eq(dbl, ((double)rows[j][k] - at) / rate, -slope, 1e-3), "v %d %d", j, k);
        }
    for (int k = DIMS; k < STRIDE; k++)
        cr_assert(u[k] == 0 && rows[0][k] == 0);
}

Test(sgns, draws_follow_the_table)
{
    /* Word 0 a half of its column, the rest word 1's; word 1 its whole column: 1/4 and 3/4. */
    const uint32_t blob[] = { 2, 0, 1, 0x80000000U, 1, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    struct w2v_tables t;
    struct err err;
    uint32_t counts[2] = { 0, 0 };
    cr_assert(w2v_tables_read((struct str){ (const char *)blob, sizeof blob }, &t, &err), "%s", err.text);
    uint64_t v = 1;
    for (int i = 0; i < 40000; i++) {
        v = v * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t x = v ^ (v >> 33);
        counts[w2v_draw(&t, x * UINT64_C(0xff51afd7ed558ccd))]++;
    }
    cr_assert(epsilon_eq(dbl, counts[0] / 40000.0, 0.25, 0.01));
    cr_assert(not(w2v_tables_read((struct str){ (const char *)blob, sizeof blob - 4 }, &t, &err)));
}

Test(sentences, come_back_and_unknown_words_are_refused)
{
    const uint64_t ends[] = { 2, 5 };
    const uint32_t words[] = { 0, 1, 2, 1, 0 };
    const struct sentences s = { 2, ends, words };
    struct sentences back;
    struct err err;
    struct buf b;
    buf_init(&b, 1 << 10);
    sentences_write(&b, &s);
    cr_assert(sentences_read(buf_str(&b), 3, &back, &err), "%s", err.text);
    cr_assert(eq(u64, sentences_begin(&back, 1), 2));
    cr_assert(eq(u32, back.words[4], 0));
    cr_assert(not(sentences_read(buf_str(&b), 2, &back, &err)));
    cr_assert(not(sentences_read((struct str){ b.p, b.n - 1 }, 3, &back, &err)));
    buf_release(&b);
}
