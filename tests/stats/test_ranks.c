/* Ranks: the sketch merges to the same bits in any order and keeps its stated error; U, its exact distribution and the shift against
 * trivially right models. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "stats/ranks/rank_sum.h"
#include "stats/ranks/sketch_bytes.h"
#include "stats/ranks/sorted.h"
#include "stats/ratio.h"

enum { USERS = 300, EVENTS_MAX = 12 };

/* ---- sketch ---- */

static double latency(struct draw *d, double of_user)
{
    return of_user * exp(0.5 * draw_normal(d));
}

static double any_double(struct draw *d, double of_user)
{
    double size = exp(600 * (draw_uniform(d) - 0.5)) * of_user;
    return draw_uniform(d) < 0.1 ? 0 : draw_uniform(d) < 0.3 ? -size : size;
}

typedef double (*value_fn)(struct draw *d, double of_user);

/* The events of user `i`, the same whenever asked. */
static size_t events_of(value_fn value, uint64_t i, double *out)
{
    struct draw d = { 1000 + i };
    double of_user = 100 * exp(draw_normal(&d));
    size_t n = (size_t)(draw_uniform(&d) * EVENTS_MAX);
    for (size_t k = 0; k < n; k++)
        out[k] = value(&d, of_user);
    return n;
}

static void add_users(struct sketch *s, value_fn value, uint64_t from, uint64_t to, uint64_t step)
{
    double events[EVENTS_MAX];
    for (uint64_t i = from; i < to; i += step)
        cr_assert(sketch_add_unit(s, events, events_of(value, i, events), NULL));
}

static bool same(const struct sketch *a, const struct sketch *b)
{
    return a->bits == b->bits && a->used == b->used && a->units == b->units && a->events == b->events &&
           a->squares == b->squares && memcmp(a->buckets, b->buckets, a->used * sizeof a->buckets[0]) == 0;
}

static void merges(value_fn value, uint64_t users)
{
    static struct sketch all, parts[3], turned;
    sketch_init(&all);
    sketch_init(&turned);
    add_users(&all, value, 0, users, 1);
    for (uint64_t p = 0; p < 3; p++) {
        sketch_init(&parts[p]);
        add_users(&parts[p], value, p, users, 3);
    }
    for (int p = 2; p >= 0; p--)
        cr_assert(sketch_merge(&turned, &parts[p], NULL));
    cr_assert(sketch_merge(&parts[1], &parts[2], NULL));
    cr_assert(sketch_merge(&parts[0], &parts[1], NULL));
    cr_assert(same(&parts[0], &all));
    cr_assert(same(&turned, &all));
}

Test(sketch, merging_equals_adding_all_in_every_bit)
{
    merges(latency, USERS);
    merges(any_double, USERS);
    merges(any_double, 10 * USERS);
}

Test(sketch, only_values_that_need_more_buckets_cost_bits)
{
    static struct sketch narrow, wide;
    sketch_init(&narrow);
    sketch_init(&wide);
    add_users(&narrow, latency, 0, USERS, 1);
    add_users(&wide, any_double, 0, 10 * USERS, 1);
    cr_assert(eq(int, narrow.bits, SKETCH_BITS));
    cr_assert(lt(int, wide.bits, SKETCH_BITS));
    cr_assert(gt(sz, wide.used, SKETCH_ROOM / 2 - 1));
    cr_assert(eq(dbl, sketch_error(&narrow), 0x1p-9));
}

static size_t all_events(value_fn value, uint64_t users, double *out)
{
    size_t n = 0;
    for (uint64_t i = 0; i < users; i++)
        n += events_of(value, i, out + n);
    cr_assert(sorted_make(out, n, NULL));
    return n;
}

static void keeps_its_error(value_fn value, uint64_t users)
{
    static struct sketch s;
    double *events = malloc(users * EVENTS_MAX * sizeof *events);
    struct quantile q;
    sketch_init(&s);
    add_users(&s, value, 0, users, 1);
    size_t n = all_events(value, users, events);
    for (double level = 0.005; level < 1; level += 0.01) {
        double truth = events[quantile_rank((int64_t)n, level) - 1];
        cr_assert(sketch_quantile(&s, level, 1.96, &q, NULL));
        cr_assert(eq(i64, q.events, (int64_t)n));
        cr_assert(le(dbl, fabs(q.value - truth), sketch_error(&s) * fabs(truth)));
        cr_assert(le(dbl, q.outer.lo, events[q.outer.rank_lo - 1]));
        cr_assert(ge(dbl, q.outer.hi, events[q.outer.rank_hi - 1]));
    }
    free(events);
}

Test(sketch, quantiles_keep_the_stated_error)
{
    keeps_its_error(latency, USERS);
    keeps_its_error(any_double, USERS);
    keeps_its_error(any_double, 10 * USERS);
}

static void goes_and_comes_back(value_fn value, uint64_t users)
{
    static struct sketch s, back;
    static unsigned char bytes[SKETCH_BYTES_MAX];
    struct err err;
    sketch_init(&s);
    add_users(&s, value, 0, users, 1);
    size_t n = sketch_bytes_write(&s, bytes);
    cr_assert(sketch_bytes_read(bytes, n, &back, &err), "%s", err.text);
    cr_assert(same(&s, &back));
    for (size_t cut = 0; cut < n; cut += 1 + n / 50)
        cr_assert(not(sketch_bytes_read(bytes, cut, &back, &err)), "%zu of %zu bytes", cut, n);
    bytes[n - 1] ^= 1; /* the last bucket's products */
    cr_assert(not(sketch_bytes_read(bytes, n, &back, &err)));
}

Test(sketch, its_bytes_read_back_and_damaged_ones_are_refused)
{
    goes_and_comes_back(latency, 0);
    goes_and_comes_back(latency, USERS);
    goes_and_comes_back(any_double, 10 * USERS);
}

/* Of the share of events in buckets up to the quantile's: as if the bucket's upper edge were the quantile. */
Test(sketch, the_clustered_variance_is_that_of_the_units)
{
    static struct sketch s;
    double events[EVENTS_MAX];
    struct quantile q;
    struct moments2 m = { 0 };
    struct estimate share;
    sketch_init(&s);
    add_users(&s, latency, 0, USERS, 1);
    cr_assert(sketch_quantile(&s, 0.9, 1.96, &q, NULL));
    double edge = q.value * (1 + 0x1p-9 + 0x1p-17); /* just above the bucket, far below the next value but one */
    for (uint64_t i = 0; i < USERS; i++) {
        size_t n = events_of(latency, i, events), below = 0;
        for (size_t k = 0; k < n; k++)
            below += events[k] < edge;
        moments2_add(&m, (double)below, (double)n);
    }
    cr_assert(ratio_estimate(&m, &share, NULL));
    cr_assert(epsilon_eq(dbl, q.share, share.value, 1e-12));
    cr_assert(epsilon_eq(dbl, q.var_clustered, share.variance, 1e-11 * share.variance));
    cr_assert(gt(dbl, q.var_clustered, 1.5 * q.var_iid)); /* events of a user resemble each other */
}

Test(sketch, a_refused_unit_leaves_it_as_it_was)
{
    static struct sketch s, before;
    struct err err;
    sketch_init(&s);
    add_users(&s, latency, 0, 10, 1);
    before = s;
    cr_assert(eq(int, sketch_add_unit(&s, (double[]){ 1, NAN }, 2, &err), 0));
    cr_assert(eq(str, err.text, "value 2 is not a finite number"));
    cr_assert(same(&s, &before));
    before.squares = INT64_MAX - s.squares + 1;
    cr_assert(eq(int, sketch_merge(&s, &before, &err), 0));
    cr_assert(eq(str, err.text, "there are more events than the sketch can count"));
}

Test(sketch, of_whole_values_gives_rank_sums_groups)
{
    static struct sketch c, t;
    static struct rank_sum_group groups[2 * SKETCH_ROOM];
    double x_c[200], x_t[100];
    struct rank_sum_group exact[300];
    struct rank_sum a, b;
    struct draw d = { 5 };
    sketch_init(&c);
    sketch_init(&t);
    for (size_t i = 0; i < 300; i++) {
        double v = floor(20 * draw_uniform(&d)), *to = i < 200 ? &x_c[i] : &x_t[i - 200];
        *to = v;
        cr_assert(sketch_add_unit(i < 200 ? &c : &t, &v, 1, NULL));
    }
    cr_assert(sorted_make(x_c, 200, NULL) && sorted_make(x_t, 100, NULL));
    cr_assert(rank_sum_test(groups, sketch_groups(&c, &t, groups), &a, NULL));
    cr_assert(rank_sum_test(exact, rank_sum_groups(x_c, 200, x_t, 100, exact), &b, NULL));
    cr_assert(eq(dbl, a.u_t, b.u_t));
    cr_assert(eq(dbl, a.bm, b.bm));
}

/* ---- quantile ---- */

Test(quantile, ranks_are_right_where_n_q_is_a_whole_number)
{
    cr_assert(eq(i64, quantile_rank(10, 0.5), 5));
    cr_assert(eq(i64, quantile_rank(10, 0.1), 2)); /* the double 0.1 is above 1/10 */
    cr_assert(eq(i64, quantile_rank(10, 0.3), 3)); /* the double 0.3 is below 3/10 */
    cr_assert(eq(i64, quantile_rank(3, 1e-9), 1));
    cr_assert(eq(i64, quantile_rank(3, 1 - 1e-9), 3));
}

/* 1000 events are enough for a 90th percentile, unless they are those of a few users. */
Test(quantile, is_reliable_when_its_ranks_lie_inside_the_events)
{
    struct moments2 spread = { 0 }, lumped = { 0 };
    struct quantile q;
    for (int i = 0; i < 1000; i++)
        moments2_add(&spread, i % 10 != 0, 1);
    for (int i = 0; i < 20; i++)
        moments2_add(&lumped, i % 10 != 0 ? 50 : 0, 50);
    cr_assert(quantile_plan(&spread, 1000, 0.9, 1.96, &q, NULL));
    cr_assert(q.reliable);
    cr_assert(quantile_plan(&lumped, 1000, 0.9, 1.96, &q, NULL));
    cr_assert(not(q.reliable));
    cr_assert(quantile_plan(&spread, 1000, 0.999, 1.96, &q, NULL));
    cr_assert(not(q.reliable));
}

Test(quantile, refusals_name_the_field)
{
    struct moments2 m = { 0 };
    struct quantile q;
    struct err err;
    moments2_add(&m, 1, 2);
    cr_assert(eq(int, quantile_plan(&m, 2, 1, 1.96, &q, &err), 0));
    cr_assert(eq(str, err.text, "q 1 is not between 0 and 1"));
    cr_assert(eq(int, quantile_plan(&m, 0, 0.5, 1.96, &q, &err), 0));
    cr_assert(eq(str, err.text, "there are no events"));
    cr_assert(eq(int, quantile_plan(&m, 2, 0.5, 1.96, &q, &err), 0));
    cr_assert(eq(str, err.text, "the variant has 1 unit, at least 2 are needed"));
}

/* ---- rank sums ---- */

enum { SMALL_C = 5, SMALL_T = 4, SMALL = SMALL_C + SMALL_T };

static size_t small_groups(uint64_t seed, double levels, double *x, struct rank_sum_group *out)
{
    struct draw d = { seed };
    for (size_t i = 0; i < SMALL; i++)
        x[i] = floor(levels * draw_uniform(&d)) - levels / 3;
    cr_assert(sorted_make(x, SMALL_C, NULL) && sorted_make(x + SMALL_C, SMALL_T, NULL));
    return rank_sum_groups(x, SMALL_C, x + SMALL_C, SMALL_T, out);
}

static double pairwise_u(const double *x, unsigned treatment)
{
    double u = 0;
    for (unsigned i = 0; i < SMALL; i++)
        for (unsigned j = 0; j < SMALL; j++)
            if ((treatment >> i & 1) && !(treatment >> j & 1))
                u += x[i] > x[j] ? 1 : x[i] == x[j] ? 0.5 : 0;
    return u;
}

Test(rank_sum, exact_p_counts_all_ways_to_choose_with_and_without_ties)
{
    static double scratch[1 << 12];
    cr_assert(le(sz, rank_sum_exact_room(SMALL_C, SMALL_T), sizeof scratch / sizeof *scratch));
    for (uint64_t seed = 0; seed < 60; seed++) {
        double x[SMALL], ways = 0, up = 0, down = 0;
        struct rank_sum_group groups[SMALL];
        struct rank_sum r;
        size_t n = small_groups(seed, seed % 2 ? 4 : 1e6, x, groups);
        cr_assert(rank_sum_test(groups, n, &r, NULL));
        for (unsigned set = 0; set < 1u << SMALL; set++) {
            if (__builtin_popcount(set) != SMALL_T)
                continue;
            double u = pairwise_u(x, set);
            ways++;
            up += u >= r.u_t;
            down += u <= r.u_t;
        }
        struct rank_sum_exact e = rank_sum_exact(groups, n, scratch);
        cr_assert(eq(dbl, r.u_t, pairwise_u(x, ((1u << SMALL_T) - 1) << SMALL_C)));
        cr_assert(epsilon_eq(dbl, e.p_greater, up / ways, 1e-14));
        cr_assert(epsilon_eq(dbl, e.p, fmin(1, 2 * fmin(up, down) / ways), 1e-14));
    }
}

Test(rank_sum, the_shift_is_the_median_of_all_differences)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        double x[SMALL], differences[SMALL_C * SMALL_T];
        struct rank_sum_group groups[SMALL];
        size_t n = small_groups(seed, seed % 2 ? 4 : 1e6, x, groups), pairs = 0;
        for (size_t c = 0; c < SMALL_C; c++)
            for (size_t t = SMALL_C; t < SMALL; t++)
                differences[pairs++] = x[t] - x[c];
        cr_assert(sorted_make(differences, pairs, NULL));
        cr_assert(eq(dbl, rank_sum_shift(groups, n), (differences[pairs / 2 - 1] + differences[pairs / 2]) / 2));
    }
}

Test(rank_sum, exchanging_the_arms_mirrors_everything)
{
    double x[SMALL];
    struct rank_sum_group groups[SMALL], mirrored[SMALL];
    struct rank_sum a, b;
    size_t n = small_groups(3, 6, x, groups);
    for (size_t k = 0; k < n; k++)
        mirrored[k] = (struct rank_sum_group){ groups[k].value, groups[k].treatment, groups[k].control };
    cr_assert(rank_sum_test(groups, n, &a, NULL));
    cr_assert(rank_sum_test(mirrored, n, &b, NULL));
    cr_assert(eq(dbl, a.u_t, b.u_c));
    cr_assert(epsilon_eq(dbl, a.z, -b.z, 1e-15));
    cr_assert(epsilon_eq(dbl, a.bm, -b.bm, 1e-14));
    cr_assert(epsilon_eq(dbl, a.bm_df, b.bm_df, 1e-12));
    cr_assert(eq(dbl, rank_sum_shift(groups, n), -rank_sum_shift(mirrored, n)));
}

/* z grows with the root of the counts, up to N/(N - 1) in the variance. */
Test(rank_sum, counts_of_1e12_keep_their_digits)
{
    const double times = 1e12;
    double x[SMALL];
    struct rank_sum_group groups[SMALL];
    struct rank_sum a, b;
    size_t n = small_groups(4, 6, x, groups);
    cr_assert(rank_sum_test(groups, n, &a, NULL));
    double shift = rank_sum_shift(groups, n);
    for (size_t k = 0; k < n; k++) {
        groups[k].control *= (int64_t)times;
        groups[k].treatment *= (int64_t)times;
    }
    cr_assert(rank_sum_test(groups, n, &b, NULL));
    double ratio = sqrt(times * (times * SMALL - 1) / (times * (SMALL - 1)));
    cr_assert(epsilon_eq(dbl, b.auc, a.auc, 1e-15));
    cr_assert(epsilon_eq(dbl, b.z, a.z * ratio, 1e-14 * fabs(b.z)));
    cr_assert(eq(dbl, rank_sum_shift(groups, n), shift));
}

Test(rank_sum, one_value_alone_says_nothing_and_separation_has_no_brunner_munzel)
{
    struct rank_sum r;
    cr_assert(rank_sum_test((struct rank_sum_group[]){ { 3, 5, 7 } }, 1, &r, NULL));
    cr_assert(not(r.varies));
    cr_assert(not(r.has_bm));
    cr_assert(eq(dbl, r.auc, 0.5));
    cr_assert(rank_sum_test((struct rank_sum_group[]){ { 3, 5, 0 }, { 4, 0, 5 } }, 2, &r, NULL));
    cr_assert(r.varies);
    cr_assert(not(r.has_bm));
    cr_assert(eq(dbl, r.auc, 1));
}

Test(rank_sum, refusals_name_the_value)
{
    struct rank_sum r;
    struct err err;
    const struct {
        struct rank_sum_group groups[2];
        char *text;
    } cases[] = {
        { { { 1, 1, 1 }, { NAN, 1, 1 } }, "value 2 is not a finite number" },
        { { { 1, 1, 1 }, { 1, 1, 1 } }, "value 2 is not larger than the one before it" },
        { { { 1, 1, 1 }, { 2, 1, -1 } }, "a count of value 2 is negative" },
        { { { 1, 1, 0 }, { 2, 1, 0 } }, "the treatment has no values" },
        { { { 1, INT64_C(1) << 53, 1 }, { 2, 1, 1 } }, "there are more than 2^53 values" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert(eq(int, rank_sum_test(cases[i].groups, 2, &r, &err), 0));
        cr_assert(eq(str, err.text, cases[i].text));
    }
}
