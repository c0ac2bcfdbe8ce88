/* Spherical k-means: the nearest centre against products in full, seeds, centres, what is done with empty clusters, silhouettes, all of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/clusters/kmeans.h"

enum { GROUPS = 3, EACH = 12, COUNT = GROUPS * EACH, OWN = 5, DIMS = GROUPS * OWN + 1, PER = 4 };

static struct arena arena;
static uint64_t ends[COUNT];
static struct content_entry entries[COUNT * PER];
static struct kdocs docs = { COUNT, DIMS, ends, entries };
static const struct kset all = { &docs, NULL, COUNT };

/* Document i is of group i % GROUPS: three of its five words by turns, and a word that all have. */
static void make(void)
{
    arena_init(&arena, 1 << 14);
    for (uint32_t i = 0; i < COUNT; i++) {
        double squares = 0;
        for (uint32_t k = 0; k < PER; k++) {
            const bool shared = k == PER - 1;
            const uint32_t word = shared ? DIMS - 1 : i % GROUPS * OWN + k + i / GROUPS % (OWN - 2);
            entries[i * PER + k] = (struct content_entry){ word, shared ? 0.3F : 1 + 0.1F * (float)(i % 5) };
            squares += (double)entries[i * PER + k].weight * (double)entries[i * PER + k].weight;
        }
        for (uint32_t k = 0; k < PER; k++)
            entries[i * PER + k].weight /= (float)sqrt(squares);
        ends[i] = (uint64_t)(i + 1) * PER;
    }
}

static void end(void)
{
    arena_release(&arena);
}

TestSuite(kmeans, .init = make, .fini = end);

static double product(uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t i = 0; i < PER; i++)
        for (uint32_t k = 0; k < PER; k++)
            if (entries[a * PER + i].number == entries[b * PER + k].number)
                sum += (double)entries[a * PER + i].weight * (double)entries[b * PER + k].weight;
    return sum;
}

Test(kmeans, nearest_is_that_of_the_greatest_product)
{
    const uint32_t places[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
    struct kcentres c;
    struct knear near;
    kcentres_alloc(&c, COUNT_OF(places), DIMS);
    cr_assert(eq(u32, c.room, 16));
    kmeans_centres_at(&all, places, &c);
    float *scratch = arena_alloc(&arena, c.room * sizeof *scratch);
    for (uint32_t d = 0; d < COUNT; d++) {
        uint32_t best = 0;
        kmeans_near(&docs, d, &c, scratch, &near);
        for (uint32_t k = 1; k < COUNT_OF(places); k++)
            if (product(d, k) > product(d, best) + 1e-6)
                best = k;
        cr_assert(epsilon_eq(dbl, (double)near.cosine, product(d, best), 1e-6));
        cr_assert(near.second != near.centre && near.second_cosine <= near.cosine);
    }
    kcentres_release(&c);
}

Test(kmeans, draws_are_spread_and_repeat)
{
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        const double u = kmeans_draw(7, 3, i);
        cr_assert(u >= 0 && u < 1);
        sum += u;
    }
    cr_assert(epsilon_eq(dbl, sum / 10000, 0.5, 0.02));
    cr_assert(ieee_ulp_eq(dbl, kmeans_draw(7, 3, 5), kmeans_draw(7, 3, 5), 0));
    cr_assert(kmeans_draw(7, 3, 5) != kmeans_draw(7, 4, 5) && kmeans_draw(7, 3, 5) != kmeans_draw(8, 3, 5));
}

Test(kmeans, seeds_differ_and_end_with_the_documents)
{
    uint32_t places[COUNT + 1];
    const uint32_t twins[] = { 4, 4, 4, 9 };
    const struct kset few = { &docs, twins, COUNT_OF(twins) };
    const uint32_t n = kmeans_seed(&all, 6, 1, 1, false, places);
    cr_assert(eq(u32, n, 6));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            cr_assert(product(places[i], places[k]) < 1 - 1e-6);
    cr_assert(eq(u32, kmeans_seed(&few, 4, 1, 1, false, places), 2));
    cr_assert(eq(u32, kmeans_seed(&all, GROUPS, 5, 0, true, places), GROUPS));
    cr_assert(places[0] % GROUPS != places[1] % GROUPS && places[2] % GROUPS != places[0] % GROUPS &&
              places[2] % GROUPS != places[1] % GROUPS);
}

Test(kmeans, centres_are_means_of_length_one)
{
    uint32_t cluster[COUNT], sizes[GROUPS];
    double lengths[GROUPS], squares = 0;
    struct kcentres c;
    for (uint32_t i = 0; i < COUNT; i++)
        cluster[i] = i % GROUPS;
    kcentres_alloc(&c, GROUPS, DIMS);
    kmeans_centres(&all, cluster, &c, lengths, sizes);
    for (uint32_t x = 0; x < DIMS; x++)
        squares += (double)c.numbers[x * c.room + 1] * (double)c.numbers[x * c.room + 1];
    cr_assert(epsilon_eq(dbl, squares, 1, 1e-6));
    cr_assert(eq(u32, sizes[1], EACH));
    /* |s|² = Σ over pairs of its members */
    double sum = 0;
    for (uint32_t a = 1; a < COUNT; a += GROUPS)
        for (uint32_t b = 1; b < COUNT; b += GROUPS)
            sum += product(a, b);
    cr_assert(epsilon_eq(dbl, lengths[1] * lengths[1], sum, 1e-4));
    kcentres_release(&c);
}

Test(kmeans, an_empty_cluster_gets_what_is_farthest)
{
    struct knear near[COUNT];
    uint32_t cluster[COUNT], sizes[2];
    double lengths[2];
    struct kcentres c;
    kcentres_alloc(&c, 2, DIMS);
    for (uint32_t i = 0; i < COUNT; i++) {
        near[i] = (struct knear){ 0, 1, i == 17 ? 0.1F : 0.9F, 0 };
        cluster[i] = UINT32_MAX;
    }
    cr_assert(eq(u32, kmeans_step(&all, near, cluster, &c, lengths, sizes), COUNT));
    cr_assert(eq(u32, cluster[17], 1));
    cr_assert(eq(u32, sizes[1], 1));
    kcentres_release(&c);
}

/* From the definition: the own centre without the document, in full. */
static double wanted_silhouette(const uint32_t *cluster, uint32_t d, const struct knear *near)
{
    double sum[DIMS] = { 0 }, dot = 0, squares = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint32_t k = 0; k < PER && i != d && cluster[i] == cluster[d]; k++)
            sum[entries[i * PER + k].number] += (double)entries[i * PER + k].weight;
    for (uint32_t x = 0; x < DIMS; x++)
        squares += sum[x] * sum[x];
    for (uint32_t k = 0; k < PER; k++)
        dot += (double)entries[d * PER + k].weight * sum[entries[d * PER + k].number];
    const double a = 1 - dot / sqrt(squares), b = 1 - (double)near->second_cosine;
    return (b - a) / fmax(a, b);
}

Test(kmeans, finds_groups_and_knows_how_good_they_are)
{
    const struct kmeans_rules rules = { .k = GROUPS, .starts = 4, .max_iterations = 20, .seed = 3 };
    uint32_t cluster[COUNT], k, sizes[GROUPS];
    double lengths[GROUPS], sum = 0;
    struct knear near[COUNT];
    struct kcentres c;
    cr_assert(kmeans_run(&all, &rules, NULL, NULL, cluster, &k));
    cr_assert(eq(u32, k, GROUPS));
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert(eq(u32, cluster[i], cluster[i % GROUPS]), "document %u", i);
    kcentres_alloc(&c, GROUPS, DIMS);
    kmeans_centres(&all, cluster, &c, lengths, sizes);
    float *scratch = arena_alloc(&arena, c.room * sizeof *scratch);
    for (uint32_t i = 0; i < COUNT; i++) {
        kmeans_near(&docs, i, &c, scratch, &near[i]);
        sum += wanted_silhouette(cluster, i, &near[i]);
    }
    cr_assert(epsilon_eq(dbl, kmeans_silhouette(&all, near, lengths, sizes), sum / COUNT, 1e-5));
    cr_assert(kmeans_silhouette(&all, near, lengths, sizes) > 0.5);
    const double left_out = kmeans_left_out(&all, near, lengths, sizes);
    cr_assert(left_out < kmeans_cohesion(near, COUNT) / COUNT && left_out > 0.5);
    kcentres_release(&c);
}

Test(kmeans, blobs_come_back_and_damaged_ones_are_refused)
{
    struct buf b;
    struct kdocs back;
    struct kcentres c, read;
    struct err err;
    buf_init(&b, 1 << 16);
    kdocs_write(&b, &docs);
    cr_assert(kdocs_read(buf_str(&b), &back, &err), "%s", err.text);
    cr_assert(eq(u64, back.ends[COUNT - 1], ends[COUNT - 1]));
    cr_assert(not(kdocs_read((struct str){ b.p, b.n - 1 }, &back, &err)));
    buf_clear(&b);
    kcentres_alloc(&c, 3, DIMS);
    kcentres_write(&b, &c);
    cr_assert(kcentres_read(buf_str(&b), &read, &err), "%s", err.text);
    cr_assert(eq(u32, read.room, 8));
    cr_assert(not(kcentres_read((struct str){ b.p, b.n - 4 }, &read, &err)));
    kcentres_release(&c);
    buf_release(&b);
}
