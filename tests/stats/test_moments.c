#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/moments.h"

enum { N = 500 };

struct columns {
    double x[N], y[N];
};

static struct columns drawn(double offset)
{
    struct draw d = { 1 };
    struct columns c;
    for (int i = 0; i < N; i++) {
        c.x[i] = offset + draw_normal(&d) * 3;
        c.y[i] = 0.5 * (c.x[i] - offset) + draw_exponential(&d);
    }
    return c;
}

static struct moments2 sum(const struct columns *c, int from, int to)
{
    struct moments2 m = { 0 };
    for (int i = from; i < to; i++)
        moments2_add(&m, c->x[i], c->y[i]);
    return m;
}

static void same(const struct moments2 *a, const struct moments2 *b, double relative)
{
    cr_assert(eq(i64, a->n, b->n));
    cr_assert(epsilon_eq(dbl, a->mean_x, b->mean_x, relative * fabs(b->mean_x)));
    cr_assert(epsilon_eq(dbl, a->mean_y, b->mean_y, relative * fabs(b->mean_y)));
    cr_assert(epsilon_eq(dbl, a->m2_x, b->m2_x, relative * b->m2_x));
    cr_assert(epsilon_eq(dbl, a->m2_y, b->m2_y, relative * b->m2_y));
    cr_assert(epsilon_eq(dbl, a->cxy, b->cxy, relative * sqrt(b->m2_x) * sqrt(b->m2_y)));
}

Test(moments, adding_equals_the_two_pass_sums)
{
    struct columns c = drawn(0);
    struct moments2 m = sum(&c, 0, N), two_pass = { .n = N };
    for (int i = 0; i < N; i++) {
        two_pass.mean_x += c.x[i] / N;
        two_pass.mean_y += c.y[i] / N;
    }
    for (int i = 0; i < N; i++) {
        double dx = c.x[i] - two_pass.mean_x, dy = c.y[i] - two_pass.mean_y;
        two_pass.m2_x += dx * dx;
        two_pass.m2_y += dy * dy;
        two_pass.cxy += dx * dy;
    }
    same(&m, &two_pass, 1e-12);
}

Test(moments, merge_equals_adding_all)
{
    struct columns c = drawn(2);
    struct moments2 all = sum(&c, 0, N);
    for (int cut = 0; cut <= N; cut += 125) {
        struct moments2 a = sum(&c, 0, cut), b = sum(&c, cut, N);
        moments2_merge(&a, &b);
        same(&a, &all, 1e-12);
    }
}

Test(moments, merging_nothing_changes_nothing)
{
    struct columns c = drawn(2);
    struct moments2 a = sum(&c, 0, N), before = a, empty = { 0 };
    moments2_merge(&a, &empty);
    cr_assert(eq(dbl, a.m2_x, before.m2_x));
    moments2_merge(&empty, &before);
    cr_assert(eq(dbl, empty.cxy, before.cxy));
    cr_assert(eq(i64, empty.n, before.n));
}

Test(moments, the_tree_gives_the_sum_of_any_number_of_parts)
{
    struct columns c = drawn(1);
    struct moments2 all = sum(&c, 0, N), parts[20], none = moments2_tree(NULL, 0);
    cr_assert(eq(i64, none.n, 0));
    for (int count = 1; count <= 20; count++) {
        for (int p = 0; p < count; p++)
            parts[p] = sum(&c, N * p / count, N * (p + 1) / count);
        struct moments2 got = moments2_tree(parts, (size_t)count);
        same(&got, &all, 1e-12);
    }
}

Test(moments, the_tree_has_one_fixed_shape)
{
    struct columns c = drawn(1);
    struct moments2 parts[5], by_hand[5];
    for (int p = 0; p < 5; p++)
        parts[p] = by_hand[p] = sum(&c, 100 * p, 100 * (p + 1));
    moments2_merge(&by_hand[0], &by_hand[1]); /* ((0 1) (2 3)) 4 */
    moments2_merge(&by_hand[2], &by_hand[3]);
    moments2_merge(&by_hand[0], &by_hand[2]);
    moments2_merge(&by_hand[0], &by_hand[4]);
    struct moments2 got = moments2_tree(parts, 5);
    cr_assert(eq(dbl, got.mean_x, by_hand[0].mean_x));
    cr_assert(eq(dbl, got.m2_x, by_hand[0].m2_x));
    cr_assert(eq(dbl, got.cxy, by_hand[0].cxy));
}

Test(moments, a_shift_moves_the_mean_alone)
{
    struct columns c = drawn(0), shifted = drawn(1e6);
    struct moments2 a = sum(&c, 0, N), b = sum(&shifted, 0, N);
    cr_assert(epsilon_eq(dbl, b.mean_x, a.mean_x + 1e6, 1e-8));
    cr_assert(epsilon_eq(dbl, b.m2_x, a.m2_x, 1e-8 * a.m2_x));
    cr_assert(epsilon_eq(dbl, b.cxy, a.cxy, 1e-8 * a.m2_x));
}

Test(moments, a_scale_scales_the_squares)
{
    struct columns c = drawn(3), scaled = c;
    for (int i = 0; i < N; i++)
        scaled.x[i] *= 1024; /* a power of two: not one bit of rounding */
    struct moments2 a = sum(&c, 0, N), b = sum(&scaled, 0, N);
    cr_assert(eq(dbl, b.mean_x, a.mean_x * 1024));
    cr_assert(eq(dbl, b.m2_x, a.m2_x * 1024 * 1024));
    cr_assert(eq(dbl, b.cxy, a.cxy * 1024));
}

Test(moments, values_near_1e8_keep_their_variance)
{
    struct moments m = { 0 };
    for (int i = 0; i < 1000000; i++)
        moments_add(&m, 1e8 + (i % 2 ? 1 : -1));
    cr_assert(epsilon_eq(dbl, moments_variance(&m), 1, 2e-6)); /* n/(n-1); sums of squares gave 4098 */
}

Test(moments, one_variable_agrees_with_two)
{
    struct columns c = drawn(5);
    struct moments2 two = sum(&c, 0, N);
    struct moments a = { 0 }, b = { 0 };
    for (int i = 0; i < N; i++)
        moments_add(i < 200 ? &a : &b, c.x[i]);
    moments_merge(&a, &b);
    cr_assert(epsilon_eq(dbl, a.m2, two.m2_x, 1e-12 * two.m2_x));
    cr_assert(epsilon_eq(dbl, moments_variance(&a), two.m2_x / (N - 1), 1e-12 * two.m2_x));
    struct moments one = { 0 };
    moments_add(&one, 7);
    cr_assert(eq(dbl, moments_variance(&one), 0));
}
