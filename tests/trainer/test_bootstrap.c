/* Units drawn anew: weights are Poisson's, parts add up to the whole, quantiles are those of the values repeated. */
#include "trainer/kernels/bootstrap.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "stats/ranks/quantile.h"
#include "stats/ranks/sketch.h"

enum { UNITS = 3000, REPLICATES = 60 };

static uint64_t unit(int i)
{
    char name[24];
    (void)snprintf(name, sizeof name, "unit-%d", i);
    return hash64(str_of(name));
}

/* 180000 draws: four standard deviations of each figure. */
Test(bootstrap, weights_are_poisson_and_those_of_two_replicates_have_nothing_in_common)
{
    const double n = UNITS * (double)REPLICATES, expected[] = { 0.36787944, 0.36787944, 0.18393972, 0.06131324 };
    double sum = 0, squares = 0, products = 0, seen[4] = { 0 };
    for (int i = 0; i < UNITS; i++)
        for (uint32_t r = 1; r <= REPLICATES; r++) {
            unsigned w = bootstrap_weight(unit(i), r), next = bootstrap_weight(unit(i), r + 1),
                     other = bootstrap_weight(unit(i + 1), r);
            sum += w;
            squares += (w - 1.0) * (w - 1.0);
            products += (w - 1.0) * (next - 1.0) + (w - 1.0) * (other - 1.0);
            if (w < 4)
                seen[w]++;
        }
    cr_assert(lt(dbl, fabs(sum / n - 1), 4 / sqrt(n)));
    cr_assert(lt(dbl, fabs(squares / n - 1), 4 * sqrt(3 / n))); /* Var (W - 1)² = 1 + 3 - 1 */
    cr_assert(lt(dbl, fabs(products / n), 8 / sqrt(n)));
    for (int k = 0; k < 4; k++)
        cr_assert(lt(dbl, fabs(seen[k] / n - expected[k]), 4 * sqrt(expected[k] / n)), "P(W = %d)", k);
    cr_assert(eq(uint, bootstrap_weight(unit(1), 0), 1), "the data");
    cr_assert(eq(uint, bootstrap_weight(unit(1), 7), bootstrap_weight(unit(1), 7)));
}

Test(bootstrap, another_seed_draws_other_weights_and_none_those_without_one)
{
    int same = 0;
    for (int i = 0; i < UNITS; i++)
        same += bootstrap_weight(unit(i), 1) == bootstrap_weight(unit(i) ^ bootstrap_seed(1), 1);
    cr_assert(eq(u64, bootstrap_seed(0), 0));
    cr_assert(ne(u64, bootstrap_seed(1), bootstrap_seed(2)));
    /* two that have nothing in common are the same with Σ P(W = k)² = 0.3085; four standard deviations */
    cr_assert(lt(dbl, fabs(same / (double)UNITS - 0.3085), 4 * sqrt(0.3085 * 0.6915 / UNITS)), "%d of %d", same, UNITS);
}

static double value_of(int i, int k)
{
    return (i * 37 + k * 101) % 90 - 10;
}

static void add(struct bootstrap_arm *a, int i)
{
    unsigned weights[REPLICATES];
    for (uint32_t r = 0; r < REPLICATES; r++) {
        weights[r] = bootstrap_weight(unit(i), r);
        bootstrap_add(a, r, weights[r], i % 7, 1 + i % 3);
    }
    for (int k = 0; k < i % 4; k++)
        cr_assert(bootstrap_add_value(a, weights, value_of(i, k), NULL));
}

Test(bootstrap, parts_add_up_to_all_units_by_way_of_bytes)
{
    struct bootstrap_arm all, part, merged;
    struct err err;
    bootstrap_init(&all, REPLICATES);
    bootstrap_init(&merged, REPLICATES);
    for (int p = 0; p < 3; p++) {
        AUTO(buf_release) struct buf b;
        struct str bytes, variant;
        buf_init(&b, 1 << 24);
        bootstrap_init(&part, REPLICATES);
        for (int i = p; i < UNITS; i += 3)
            add(&part, i);
        bootstrap_write(&b, STR("a"), &part);
        bytes = buf_str(&b);
        cr_assert(bootstrap_read_variant(&bytes, &variant) && str_eq_c(variant, "a"));
        cr_assert(bootstrap_merge(&merged, &bytes, &err), "%s", err.text);
        cr_assert(eq(sz, bytes.n, 0));
        bootstrap_release(&part);
    }
    for (int i = 0; i < UNITS; i++)
        add(&all, i);
    cr_assert(eq(sz, merged.used, all.used));
    for (size_t r = 0; r < REPLICATES; r++) {
        cr_assert(eq(dbl, merged.units[r], all.units[r]));
        cr_assert(eq(dbl, merged.x[r], all.x[r]));
        cr_assert(eq(dbl, merged.y[r], all.y[r]));
        for (size_t i = 0; i < all.used; i++)
            cr_assert(eq(u32, merged.buckets[i].counts[r], all.buckets[i].counts[r]));
    }
    bootstrap_release(&all);
    bootstrap_release(&merged);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Test(bootstrap, a_quantile_is_that_of_the_values_as_often_as_they_were_drawn)
{
    struct bootstrap_arm a;
    double *values = malloc(UNITS * 40 * sizeof *values);
    bootstrap_init(&a, REPLICATES);
    for (int i = 0; i < UNITS; i++)
        add(&a, i);
    for (uint32_t r = 0; r < REPLICATES; r += 7) {
        size_t n = 0;
        for (int i = 0; i < UNITS; i++)
            for (unsigned w = bootstrap_weight(unit(i), r); w > 0; w--)
                for (int k = 0; k < i % 4; k++)
                    values[n++] = value_of(i, k);
        qsort(values, n, sizeof *values, by_value);
        for (double q = 0.05; q < 1; q += 0.15) {
            double want = sketch_key_middle(sketch_key(values[quantile_rank((int64_t)n, q) - 1]));
            cr_assert(eq(dbl, bootstrap_quantile(&a, r, q), want));
        }
    }
    bootstrap_release(&a);
    bootstrap_init(&a, 2);
    cr_assert(isnan(bootstrap_quantile(&a, 1, 0.5)), "no value at all");
    bootstrap_release(&a);
    free(values);
}

Test(bootstrap, damage_and_what_does_not_fit_is_refused)
{
    struct bootstrap_arm a, into;
    struct err err;
    unsigned weights[REPLICATES] = { 1 };
    AUTO(buf_release) struct buf b;
    buf_init(&b, 1 << 24);
    bootstrap_init(&a, REPLICATES);
    add(&a, 3);
    bootstrap_write(&b, STR("a"), &a);
    for (size_t cut = 0; cut < b.n; cut += 1 + b.n / 40) {
        struct str bytes = { b.p, cut }, variant;
        bootstrap_init(&into, REPLICATES);
        bool ok = bootstrap_read_variant(&bytes, &variant) && bootstrap_merge(&into, &bytes, &err);
        cr_assert(not(ok), "%zu of %zu bytes", cut, b.n);
        bootstrap_release(&into);
    }
    cr_assert(not(bootstrap_add_value(&a, weights, (double)NAN, &err)));
    for (int i = 1; i <= BOOTSTRAP_BUCKETS - 3; i++) /* the unit had three values */
        cr_assert(bootstrap_add_value(&a, weights, ldexp(1 + (i % 256) / 256.0, 10 + i / 256), &err), "%d", i);
    cr_assert(not(bootstrap_add_value(&a, weights, -1e300, &err)));
    bootstrap_release(&a);
}
