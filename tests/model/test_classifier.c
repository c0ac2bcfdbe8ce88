/* Classifiers: exponentials of our own, n-grams, what is written is read, damage is found, the words that weigh add up to the score. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "model/classifier.h"
#include "model/softmax.h"

Test(softmax, is_as_exact_as_the_library)
{
    for (double x = -690; x < 690; x += 0.37)
        cr_assert(lt(dbl, fabs(softmax_exp(x) / exp(x) - 1), 4e-16), "exp(%g)", x);
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        cr_assert(le(dbl, fabs(softmax_log(x) - log(x)), 4e-16 * fmax(1, fabs(log(x)))), "log(%g)", x);
    cr_assert(eq(dbl, softmax_exp(-1000), 0));
    double z[] = { 1000, 1001, -1000 };
    cr_assert(epsilon_eq(dbl, softmax(z, 3), 1001 + log1p(exp(-1)), 1e-12));
    cr_assert(epsilon_eq(dbl, z[0] + z[1], 1, 1e-15));
    cr_assert(epsilon_eq(dbl, z[1] / z[0], exp(1), 1e-14));
}

static const struct classifier_rules rules = { .bits = 10, .chars_min = 2, .chars_max = 3, .words_max = 2 };

static bool has(const struct classifier_text *t, const char *gram, bool word)
{
    for (uint32_t i = 0; i < t->grams_count; i++)
        if (t->grams[i].word == word && str_eq_c((struct str){ t->text + t->grams[i].at, t->grams[i].n }, gram))
            return true;
    return false;
}

Test(classifier_text, has_the_n_grams_of_its_words)
{
    static struct classifier_text t;
    classifier_read(&rules, STR(" Red,  ÖL (x)"), &t);
    cr_assert(eq(u32, t.grams_count, 4 + 3 + 3 + 2 + 2 + 1 + 5));
    const char *const chars[] = { " r",      "re",      "ed",       "d ", " re", "red", "ed ",
                                  " \u00f6", "\u00f6l", "\u00f6l ", " x", "x ",  " x " };
    for (size_t i = 0; i < COUNT_OF(chars); i++)
        cr_assert(has(&t, chars[i], false), "\"%s\"", chars[i]);
    const char *const words[] = { "red", "\u00f6l", "x", "red \u00f6l", "\u00f6l x" };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        cr_assert(has(&t, words[i], true), "\"%s\"", words[i]);
    classifier_read(&rules, STR(" ,, "), &t);
    cr_assert(eq(u32, t.grams_count, 0));
}

Test(classifier_text, takes_any_text)
{
    static struct classifier_text t;
    static struct classifier_feature features[CLASSIFIER_GRAMS_MAX];
    static const struct classifier_rules most = { 22, 1, CLASSIFIER_CHARS_MAX, CLASSIFIER_WORDS_MAX };
    char text[2000];
    uint64_t state = 3;
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = round % 2 ? (char)(state >> 56) : "ab c"[state >> 62];
        }
        classifier_read(&most, (struct str){ text, (size_t)(state >> 32) % sizeof text }, &t);
        uint32_t all = 0, n = classifier_buckets(&t, features);
        for (uint32_t i = 0; i < n; all += features[i++].count)
            cr_assert(i == 0 || features[i - 1].id < features[i].id);
        cr_assert(eq(u32, all, t.grams_count));
    }
}

/* Two classes; "red" speaks for the first, "blue" for the second. */
static struct buf file;
static struct artifact artifact;
static struct classifier c;
static struct classifier_work work;

static void make(double temperature)
{
    static uint32_t slots[1 << 10];
    static const float idf[] = { 1, 2 };
    static const double weights[] = { 2, -1, -1, 3 }, bias[] = { 0.25, 0 };
    static const struct str labels[] = { { "warm", 4 }, { "k\xc3\xbchl", 5 } };
    struct classifier_parts p = { { 10, 0, 0, 2 }, temperature, labels, 2, 2, bias, slots, idf, weights };
    struct classifier_text t;
    struct artifact_out o;
    struct buf section;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    classifier_read(&p.rules, STR("red"), &t);
    slots[t.grams[0].bucket] = 1;
    classifier_read(&p.rules, STR("blue"), &t);
    slots[t.grams[0].bucket] = 2;
    buf_init(&section, 1 << 20);
    buf_init(&file, 1 << 20);
    cr_assert(classifier_write(&p, &section, &err), "%s", err.text);
    artifact_begin(&o, CLASSIFIER_KIND);
    artifact_add(&o, "classifier", buf_str(&section));
    cr_assert(artifact_end(&o, &file, digest, &err) && artifact_read(buf_str(&file), &artifact, &err), "%s", err.text);
    buf_release(&section);
}

Test(classifier, what_is_written_is_read)
{
    struct err err;
    make(2);
    cr_assert(classifier_open(&artifact, &c, &err), "%s", err.text);
    cr_assert(str_eq_c(classifier_label(&c, 0), "warm") && str_eq_c(classifier_label(&c, 1), "k\xc3\xbchl"));
    classifier_predict(&c, STR("Red"), &work);
    cr_assert(epsilon_eq(dbl, work.p[0], 1 / (1 + exp(-(0.25 + 2 + 1) / 2)), 1e-14));
    classifier_predict(&c, STR("red blue, red"), &work);
    const double length = sqrt(2 * 2 + 2 * 2), z0 = 0.25 + (2 * 2 - 2) / length, z1 = (-2 + 3 * 2) / length;
    cr_assert(epsilon_eq(dbl, work.p[0], 1 / (1 + exp((z1 - z0) / 2)), 1e-14));
    classifier_predict(&c, STR("green"), &work);
    cr_assert(eq(u32, work.features_count, 0));
    cr_assert(epsilon_eq(dbl, work.p[0], 1 / (1 + exp(-0.125)), 1e-14));
    buf_release(&file);
}

Test(classifier, best_and_why)
{
    struct classifier_best best[3];
    struct classifier_why why[4];
    struct err err;
    make(1);
    cr_assert(classifier_open(&artifact, &c, &err));
    classifier_predict(&c, STR("a blue thing"), &work);
    cr_assert(eq(u32, classifier_best(&c, &work, 3, best), 2));
    cr_assert(best[0].class == 1 && best[0].p > best[1].p);
    cr_assert(eq(u32, classifier_explain(&c, &work, 1, 4, why), 1));
    cr_assert(str_eq_c(why[0].gram, "blue") && why[0].word);
    cr_assert(epsilon_eq(dbl, why[0].weight, 3 - (3 - 1) / 2.0, 1e-12));
    cr_assert(eq(u32, classifier_best(&c, &work, 1, best), 1));
    buf_release(&file);
}

Test(classifier, damage_is_found)
{
    struct err err;
    make(1);
    const struct str section = artifact_section(&artifact, "classifier");
    char *at = file.p + (section.p - file.p);
    unsigned found = 0;
    for (size_t i = 0; i < 40 + 16; i++) { /* head, ends of labels, biases: no byte of the head may be another one */
        at[i] = (char)(at[i] ^ 0x80);
        const bool ok = classifier_open(&artifact, &c, &err);
        found += !ok;
        if (ok)
            classifier_predict(&c, STR("red blue"), &work);
        at[i] = (char)(at[i] ^ 0x80);
    }
    cr_assert(ge(u32, found, 32));
    static const double wrong[] = { NAN, -1, 0, 1e-300, 1e300, INFINITY };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        buf_release(&file);
        make(wrong[i]);
        cr_assert(not(classifier_open(&artifact, &c, &err)), "%g", wrong[i]);
    }
    buf_release(&file);
}

/* Of the greatest weights and the coldest temperature the scores are still finite: softmax() takes no others. */
Test(classifier, the_greatest_weights_are_answered)
{
    struct err err;
    make(1e-6);
    const struct str section = artifact_section(&artifact, "classifier");
    float *weights = (float *)(void *)(file.p + (section.p - file.p) + 40 + 8 + 8 + 4096 + 8);
    for (int i = 0; i < 4; i++)
        weights[i] = i % 2 ? -3e38f : 3e38f;
    cr_assert(classifier_open(&artifact, &c, &err), "%s", err.text);
    classifier_predict(&c, STR("red blue"), &work);
    cr_assert(epsilon_eq(dbl, work.p[0], 1, 1e-12));
    buf_release(&file);
}
