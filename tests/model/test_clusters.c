/* Clusters in an artifact: where a text belongs, and what is damaged is refused. */
#include "model/clusters.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

enum { TERMS = 4 };
static const char *const words[TERMS] = { "lamp", "brass", "rug", "wool" };
static struct buf space, sections[CLUSTERS_SECTION_COUNT], file;
static struct artifact artifact;
static struct clusters clusters;
static struct arena arena;
static struct err err;
static char digest[ARTIFACT_DIGEST];
static uint64_t keys[TERMS];
static uint32_t place[TERMS]; /* of a word, by key */

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void add_lists(struct artifact_out *o, enum clusters_section which)
{
    const float value = 1;
    const char *const columns[] = { "distance" };
    struct lists_out l;
    lists_begin(&l, columns, 1);
    lists_key(&l, STR("0"));
    lists_add(&l, STR("doc"), &value);
    buf_init(&sections[which], 1 << 12);
    cr_assert(lists_end(&l, &sections[which], &err), "%s", err.text);
    artifact_add(o, clusters_section_names[which], buf_str(&sections[which]));
}

/* Two centres: lamp and brass, rug and wool; over terms, or over vectors of two numbers. */
static void make(bool vectors, bool cut)
{
    static const struct str names[] = { { "0", 1 }, { "outlier_group0", 14 } };
    static const double idf[TERMS] = { 1, 1, 1, 1 };
    struct clusters_entry entries[TERMS];
    uint64_t ends[TERMS];
    float rows[TERMS * 2] = { 0 };
    const float middles[] = { 1, 0, 0, 1 };
    struct artifact_out o;
    arena_init(&arena, 1 << 12);
    for (uint32_t i = 0; i < TERMS; i++)
        keys[i] = text_term_key(str_of(words[i]));
    qsort(keys, TERMS, sizeof *keys, by_key);
    for (uint32_t i = 0; i < TERMS; i++)
        for (uint32_t k = 0; k < TERMS; k++)
            if (keys[k] == text_term_key(str_of(words[i])))
                place[i] = k;
    for (uint32_t i = 0; i < TERMS; i++) {
        entries[place[i]] = (struct clusters_entry){ i / 2, (float)sqrt(0.5) };
        ends[i] = i + 1;
        rows[place[i] * 2 + i / 2] = 3;
    }
    const struct clusters_space s = { .language = 1,
                                      .ngrams = 1,
                                      .max_terms = 10,
                                      .terms = TERMS,
                                      .centres = 2,
                                      .outliers = 1,
                                      .dims = vectors ? 2 : 0,
                                      .keys = keys,
                                      .idf = idf,
                                      .ends = ends,
                                      .entries = entries,
                                      .rows = rows,
                                      .middles = middles,
                                      .fields = STR("title=1"),
                                      .stop_words = STR("sale"),
                                      .names = names };
    buf_init(&space, 1 << 12);
    buf_init(&file, 1 << 14);
    cr_assert(clusters_space_write(&s, &space, &err), "%s", err.text);
    artifact_begin(&o, CLUSTERS_KIND);
    for (int i = 0; i < CLUSTERS_SECTION_COUNT; i++)
        add_lists(&o, (enum clusters_section)i);
    artifact_add(&o, "space", (struct str){ space.p, space.n - cut });
    cr_assert(artifact_end(&o, &file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&file), &artifact, &err), "%s", err.text);
}

static void end(void)
{
    buf_release(&space);
    buf_release(&file);
    for (int i = 0; i < CLUSTERS_SECTION_COUNT; i++)
        buf_release(&sections[i]);
    arena_release(&arena);
}

TestSuite(clusters, .fini = end);

static bool near(const char *text, struct clusters_near *out)
{
    struct clusters_text *t = clusters_text_new(&clusters, &arena);
    clusters_text_add(t, str_of(text), 1);
    return clusters_text_near(t, out);
}

Test(clusters, a_text_belongs_to_the_nearest_centre)
{
    struct clusters_near n;
    make(false, false);
    cr_assert(clusters_open(&artifact, &arena, &clusters, &err), "%s", err.text);
    cr_assert(near("Sale: the LAMP", &n));
    cr_assert(eq(u32, n.centre, 0));
    cr_assert(eq(u32, n.terms, 1));
    cr_assert(epsilon_eq(dbl, n.cosine, sqrt(0.5), 1e-6));
    cr_assert(near("wool, rug, lamp", &n));
    cr_assert(eq(u32, n.centre, 1));
    cr_assert(epsilon_eq(dbl, n.cosine, sqrt(2.0 / 3), 1e-6));
    cr_assert(epsilon_eq(dbl, n.second_cosine, sqrt(1.0 / 6), 1e-6));
    cr_assert(not(near("nothing of this", &n)));
    cr_assert(clusters_is_outlier(&clusters, clusters.names[1]));
    cr_assert(not(clusters_is_outlier(&clusters, clusters.names[0])));
}

Test(clusters, a_text_as_the_sum_of_its_words)
{
    struct clusters_near n;
    make(true, false);
    cr_assert(clusters_open(&artifact, &arena, &clusters, &err), "%s", err.text);
    cr_assert(near("lamp lamp lamp lamp rug", &n)); /* 2 : 1 */
    cr_assert(eq(u32, n.centre, 0));
    cr_assert(epsilon_eq(dbl, n.cosine, 2 / sqrt(5), 1e-6));
}

Test(clusters, silhouettes)
{
    cr_assert(epsilon_eq(dbl, clusters_silhouette(0.8, 0.5), 0.6, 1e-12));
    cr_assert(epsilon_eq(dbl, clusters_silhouette(0.5, 0.8), -0.6, 1e-12));
    cr_assert(epsilon_eq(dbl, clusters_silhouette(1, 1), 0, 1e-12));
}

Test(clusters, what_is_damaged_is_refused)
{
    make(false, true);
    cr_assert(not(clusters_open(&artifact, &arena, &clusters, &err)));
    cr_assert(str_starts(str_of(err.text), STR("section \"space\"")));
}
