/* traffic: the distribution of traffic over queries, against plain sums over all queries. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "trainer/kernels/tail/traffic.h"

enum { QUERIES = 5000 };

/* As traffic is: the k-th query has 3000 / k. */
static void zipf(uint64_t *out)
{
    for (size_t i = 0; i < QUERIES; i++)
        out[i] = 3000 / (i + 1);
}

static void fill(struct traffic *t, const uint64_t *queries, size_t count)
{
    traffic_init(t);
    for (size_t i = 0; i < count; i++)
        traffic_add(t, queries[(i * 7919) % count], 1);
    traffic_sort(t);
}

Test(traffic, head_and_tail_are_found_at_the_means)
{
    struct traffic t;
    uint64_t q[QUERIES], total = 0, rest = 0, rest_queries = 0;
    zipf(q);
    fill(&t, q, QUERIES);
    for (size_t i = 0; i < QUERIES; i++)
        total += q[i];
    double mean = (double)total / QUERIES;
    for (size_t i = 0; i < QUERIES; i++)
        if ((double)q[i] <= mean) {
            rest += q[i];
            rest_queries++;
        }
    struct traffic_cuts cuts = traffic_cut(&t, -1, -1);
    cr_assert(gt(dbl, (double)cuts.head, mean));
    cr_assert(le(dbl, (double)cuts.head - 1, mean));
    cr_assert(eq(u64, cuts.tail, rest / rest_queries));
    cr_assert(eq(u64, t.total, total));
    traffic_release(&t);
}

Test(traffic, head_and_tail_can_be_given)
{
    struct traffic t;
    uint64_t q[] = { 100, 50, 50, 10, 5, 5, 5, 1, 1, 1 };
    fill(&t, q, 10);
    cr_assert(eq(u64, traffic_cut(&t, 2, 2).head, 50), "equal ones are together");
    cr_assert(eq(u64, traffic_cut(&t, 0.1, 0.3).head, 100));
    cr_assert(eq(u64, traffic_cut(&t, 0.1, 0.3).tail, 1));
    cr_assert(eq(u64, traffic_cut(&t, 0.1, 0.4).tail, 5));
    cr_assert(eq(u64, traffic_cut(&t, 3, 100).tail, 10), "the tail ends before the head");
    cr_assert(eq(u64, traffic_cut(&t, 0, -1).head, UINT64_MAX));
    traffic_release(&t);
}

Test(traffic, figures_are_those_of_a_sorted_list)
{
    struct traffic t;
    uint64_t q[QUERIES], sum = 0;
    zipf(q);
    fill(&t, q, QUERIES);
    for (size_t i = 0; i < QUERIES; i++) {
        sum += q[i];
        cr_assert(eq(u64, traffic_of_first(&t, i + 1), sum));
        if (q[i])
            cr_assert(eq(u64, traffic_queries_for(&t, (double)sum), i + 1));
    }
    cr_assert(eq(u64, traffic_of_first(&t, 10 * QUERIES), sum));
    cr_assert(eq(u64, traffic_queries_below(&t, 5), QUERIES - 600), "3000 / k is at least 5 up to k = 600");
    traffic_release(&t);
}

Test(traffic, parts_add_up_to_the_whole)
{
    struct traffic whole, a, b, sum;
    uint64_t q[QUERIES];
    struct buf bytes;
    struct err err;
    zipf(q);
    fill(&whole, q, QUERIES);
    fill(&a, q, 1234);
    fill(&b, q + 1234, QUERIES - 1234);
    traffic_init(&sum);
    const struct traffic *parts[] = { &b, &a };
    for (size_t i = 0; i < 2; i++) {
        buf_init(&bytes, 1 << 20);
        traffic_write(parts[i], &bytes);
        cr_assert(traffic_read(&sum, buf_str(&bytes), &err));
        cr_assert(not(traffic_read(&sum, (struct str){ bytes.p, bytes.n - 1 }, &err)));
        buf_release(&bytes);
    }
    traffic_sort(&sum);
    cr_assert(eq(sz, sum.count, whole.count));
    cr_assert(memcmp(sum.steps, whole.steps, whole.count * sizeof *whole.steps) == 0);
    cr_assert(sum.queries == whole.queries && sum.total == whole.total);
    traffic_release(&whole);
    traffic_release(&a);
    traffic_release(&b);
    traffic_release(&sum);
}

Test(traffic, of_nothing_is_nothing)
{
    struct traffic t;
    traffic_init(&t);
    traffic_sort(&t);
    struct traffic_cuts cuts = traffic_cut(&t, -1, -1);
    cr_assert(eq(u64, cuts.head, UINT64_MAX));
    cr_assert(eq(u64, traffic_of_first(&t, 5), 0));
    cr_assert(eq(u64, traffic_queries_for(&t, 5), 0));
    traffic_release(&t);
}
