/* Words as vectors in an artifact: the nearest of a word, a text, an analogy; what is damaged is refused. */
#include "model/vectors.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

enum { WORDS = 5, RANK = 2 };
static const struct str texts[WORDS] = { { "king", 4 }, { "man", 3 }, { "woman", 5 }, { "queen", 5 }, { "none", 4 } };
static const float rows[WORDS * RANK] = { 3, 3, 2, 0, -2, 0.2F, -1, 3, 0, 0 };
static struct buf words, nearest, settings, file;
static struct artifact artifact;
static struct vectors vectors;
static struct arena arena;
static struct err err;

static void make(const char *language, size_t contexts_bytes)
{
    static const char *const columns[] = { "cosine" };
    const struct factors_out f = { .fold = FOLD_MEAN, .rank = RANK, .items = WORDS, .texts = texts, .vectors = rows };
    char digest[ARTIFACT_DIGEST];
    struct artifact_out o;
    struct lists_out l;
    arena_init(&arena, 1 << 12);
    buf_init(&words, 1 << 12);
    buf_init(&nearest, 1 << 12);
    buf_init(&settings, 1 << 10);
    buf_init(&file, 1 << 14);
    lists_begin(&l, columns, 1);
    cr_assert(lists_end(&l, &nearest, &err) && factors_write(&f, &words, &err) &&
                  vectors_settings_write(str_of(language), STR("old"), &settings, &err),
              "%s", err.text);
    artifact_begin(&o, VECTORS_KIND);
    artifact_add(&o, "words", buf_str(&words));
    artifact_add(&o, "nearest_words", buf_str(&nearest));
    artifact_add(&o, "contexts", (struct str){ (const char *)rows, contexts_bytes });
    artifact_add(&o, "settings", buf_str(&settings));
    cr_assert(artifact_end(&o, &file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&file), &artifact, &err), "%s", err.text);
}

static void end(void)
{
    buf_release(&words);
    buf_release(&nearest);
    buf_release(&settings);
    buf_release(&file);
    arena_release(&arena);
}

TestSuite(vectors, .fini = end);

Test(vectors, nearest_of_sums)
{
    struct vectors_sum s;
    struct vectors_near *near;
    make("english", sizeof rows);
    cr_assert(vectors_open(&artifact, &arena, &vectors, &err), "%s", err.text);
    vectors_sum_init(&s, &vectors, &arena);
    vectors_sum_word(&s, &vectors, STR("king"), 1);
    vectors_sum_word(&s, &vectors, STR("man"), -1);
    vectors_sum_word(&s, &vectors, STR("woman"), 1);
    cr_assert(eq(sz, vectors_nearest(&vectors, &s, false, 5, &arena, &near),
                 1)); /* the others were asked for, or are nothing */
    cr_assert(eq(u32, near[0].number, 3));
    vectors_sum_init(&s, &vectors, &arena);
    vectors_sum_text(&s, &vectors, STR("The old MAN, unheard of"));
    cr_assert(eq(u32, s.known, 1));
    cr_assert(eq(u32, s.asked, 2)); /* the, of: stop words; old: ours */
    cr_assert(eq(sz, vectors_nearest(&vectors, &s, false, 2, &arena, &near), 2));
    cr_assert(eq(u32, near[0].number, 0));
    cr_assert(epsilon_eq(dbl, near[0].cosine, sqrt(0.5), 1e-6));
    cr_assert(eq(u32, near[1].number, 3));
}

Test(vectors, of_what_is_not_known_there_is_nothing)
{
    struct vectors_sum s;
    struct vectors_near *near;
    make("none", sizeof rows);
    cr_assert(vectors_open(&artifact, &arena, &vectors, &err), "%s", err.text);
    vectors_sum_init(&s, &vectors, &arena);
    vectors_sum_word(&s, &vectors, STR("prince"), 1);
    vectors_sum_word(&s, &vectors, STR("none"), 1); /* all zeros */
    cr_assert(eq(u32, s.known, 0));
    cr_assert(eq(sz, vectors_nearest(&vectors, &s, false, 5, &arena, &near), 0));
}

Test(vectors, a_section_of_the_wrong_size_is_refused)
{
    make("english", sizeof rows - 4);
    cr_assert(not(vectors_open(&artifact, &arena, &vectors, &err)));
    cr_assert(str_starts(str_of(err.text), STR("section \"contexts\"")));
}

Test(vectors, a_language_that_nobody_knows_is_refused)
{
    make("latin", sizeof rows);
    cr_assert(not(vectors_open(&artifact, &arena, &vectors, &err)));
    cr_assert(str_starts(str_of(err.text), STR("section \"settings\"")));
}
