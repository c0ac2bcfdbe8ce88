/* slot: where two queries differ, and what is no synonym; synonym_pairs: overlap, inside and the test, against figures made by hand. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/record.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { WORDS = 3 };

/* ---- slots ---- */

static bool slot(const char *x, const char *y, const struct intern *phrases, struct slot *out)
{
    static struct words a, b;
    slot_words(str_of(x), phrases, &a);
    slot_words(str_of(y), phrases, &b);
    return slot_of(&a, &b, WORDS, out);
}

static void check_slot(const char *x, const char *y, const char *a, const char *b, const char *context)
{
    struct slot s;
    cr_assert(slot(x, y, NULL, &s), "%s | %s", x, y);
    cr_assert(str_eq_c(s.a, a), "%s | %s: a is %.*s", x, y, STR_ARG(s.a));
    cr_assert(str_eq_c(s.b, b), "%s | %s: b is %.*s", x, y, STR_ARG(s.b));
    cr_assert(str_eq_c((struct str){ s.context, s.context_n }, context));
}

static void check_no_slot(const char *x, const char *y)
{
    struct slot s;
    cr_assert(not(slot(x, y, NULL, &s)), "%s | %s", x, y);
}

Test(slot, is_where_two_queries_differ)
{
    check_slot("leather sofa", "leather couch", "couch", "sofa", "leather");
    check_slot("sofa leather", "leather couch", "couch", "sofa", "leather");
    check_slot("big red sofa bed", "big couch bed", "couch", "red sofa", "bed big");
    check_slot("tv", "television", "television", "tv", "");
    check_slot("a a b", "a a c", "b", "c", "a a");
}

Test(slot, is_one_place)
{
    check_no_slot("leather sofa", "leather sofa");
    check_no_slot("leather sofa", "sofa leather");
    check_no_slot("leather sofa", "leather");
    check_no_slot("red sofa new", "blue sofa old");
    check_no_slot("a b c d", "e");
    check_no_slot("", "sofa");
}

Test(slot, does_not_cut_phrases)
{
    struct intern phrases;
    struct slot s;
    intern_init(&phrases);
    (void)intern_add(&phrases, STR("ipad case"));
    cr_assert(slot("red ipad case", "red ipad sleeve", &phrases, &s));
    cr_assert(str_eq_c(s.a, "ipad case"));
    cr_assert(str_eq_c(s.b, "ipad sleeve"));
    cr_assert(slot("red ipad cover", "red ipad sleeve", &phrases, &s));
    cr_assert(str_eq_c(s.a, "cover"));
    intern_release(&phrases);
}

static bool variant(const char *a, const char *b)
{
    struct slot s = { .a = str_of(a), .b = str_of(b) };
    return slot_is_variant(&s, 5);
}

Test(slot, of_variants_holds_no_synonyms)
{
    cr_assert(variant("sofa bed", "sofabed"), "spaces");
    cr_assert(variant("leather", "lether"), "an edit");
    cr_assert(variant("sofa", "sofa bed"), "words of the other");
    cr_assert(variant("iphone 5", "iphone 6"), "other numbers");
    cr_assert(not(variant("ps 4", "playstation 4")));
    cr_assert(not(variant("couch", "sofa")));
    cr_assert(not(variant("tv", "pc")), "short words may not differ at all");
}

static bool beginning(const char *a, const char *b)
{
    struct slot s = { .a = str_of(a), .b = str_of(b) };
    return slot_is_beginning(&s);
}

Test(slot, of_which_one_begins_the_other)
{
    cr_assert(beginning("tele", "television"));
    cr_assert(beginning("manchester united", "man"));
    cr_assert(beginning("play station", "playstation 4"));
    cr_assert(not(beginning("couch", "sofa")));
}

/* ---- scores ---- */

static const struct synonym_rules rules = {
    .min_overlap = 0.5, .min_inside = 0.8, .min_g = 10, .min_contexts = 1, .z = 1.96
};

struct found {
    struct synonym list[8];
    char texts[8][2][16];
    size_t count;
};

static bool keep(void *arg, const struct synonym *s, struct err *err)
{
    struct found *f = arg;
    (void)err;
    f->list[f->count] = *s;
    memcpy(f->texts[f->count][0], s->input.p, s->input.n);
    memcpy(f->texts[f->count][1], s->output.p, s->output.n);
    f->count++;
    return true;
}

static struct found score(const struct synonym_evidence *e, size_t count, const struct synonym_rules *r, uint64_t all)
{
    AUTO(synonym_pairs_free) struct synonym_pairs *p = synonym_pairs_new();
    struct found f = { .count = 0 };
    struct err err;
    for (size_t i = 0; i < count; i++)
        synonym_pairs_add(p, &e[i]);
    cr_assert(synonym_pairs_finish(p, r, all, keep, &f, &err));
    return f;
}

#define PAIR(ctx, qa, qb, ca, cb, aa, ab, ra, rb)                                                           \
    {                                                                                                       \
        .a = STR("couch"), .b = STR("sofa"), .context = STR(ctx), .query_a = STR(qa), .query_b = STR(qb),   \
        .clicks_a = (ca), .clicks_b = (cb), .all_a = (aa), .all_b = (ab), .reach_a = (ra), .reach_b = (rb), \
        .searches_a = 50, .searches_b = 70                                                                  \
    }

/* G of a 2 x 2 table, by its definition. */
static double g(double on, double all, double others_on, double others)
{
    double p = (on + others_on) / (all + others);
    double cells[] = { on, all - on, others_on, others - others_on },
           expect[] = { all * p, all * (1 - p), others * p, others * (1 - p) };
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += cells[i] > 0 ? 2 * cells[i] * log(cells[i] / expect[i]) : 0;
    return sum;
}

Test(synonym_pairs, overlap_over_documents_and_contexts)
{
    const struct synonym_evidence e[] = {
        PAIR("leather", "leather couch", "leather sofa", 6, 10, 10, 20, 40, 50),
        PAIR("leather", "leather couch", "leather sofa", 4, 10, 10, 20, 40, 50),
        PAIR("", "couch", "sofa", 30, 60, 40, 80, 200, 220),
    };
    struct found f = score(e, 3, &rules, 1000);
    cr_assert(eq(sz, f.count, 1));
    cr_assert_str_eq(f.texts[0][0], "couch");
    cr_assert(f.list[0].bidirectional);
    cr_assert(epsilon_eq(dbl, f.list[0].overlap, (10 * (0.5 + 0.4) + 40 * 0.75) / 50, 1e-12));
    cr_assert(eq(u64, f.list[0].contexts, 2));
    cr_assert(eq(u64, f.list[0].searches, 240));
    double of_a = g(10 + 30, 50, (50 - 10 - 20) + (220 - 30 - 80), (1000 - 30) + (1000 - 120));
    double of_b = g(20 + 60, 100, (40 - 20 - 10) + (200 - 60 - 40), (1000 - 30) + (1000 - 120));
    cr_assert(epsilon_eq(dbl, f.list[0].g, fmin(of_a, of_b), 1e-9));
    cr_assert(lt(dbl, f.list[0].confidence, f.list[0].overlap));
}

Test(synonym_pairs, the_narrow_is_served_by_the_wide)
{
    const struct synonym_evidence e[] = {
        PAIR("", "couch", "sofa", 40, 30, 40, 100, 60, 150), /* all of couch, 0.3 of sofa */
    };
    struct found f = score(e, 1, &rules, 1000);
    cr_assert(eq(sz, f.count, 1));
    cr_assert(not(f.list[0].bidirectional));
    cr_assert_str_eq(f.texts[0][0], "couch");
    cr_assert(epsilon_eq(dbl, f.list[0].inside, 1, 1e-12));
    cr_assert(epsilon_eq(dbl, f.list[0].inside_back, 0.3, 1e-12));
    cr_assert(eq(u64, f.list[0].searches, 50));
    const struct synonym_evidence back[] = { PAIR("", "couch", "sofa", 30, 40, 100, 40, 150, 60) };
    f = score(back, 1, &rules, 1000);
    cr_assert(eq(sz, f.count, 1));
    cr_assert_str_eq(f.texts[0][0], "sofa");
    const struct synonym_evidence minor[] = { PAIR("", "couch", "sofa", 40, 10, 40, 100, 60, 150) };
    cr_assert(eq(sz, score(minor, 1, &rules, 1000).count, 0), "a document that few of sofa's clicks are on");
}

Test(synonym_pairs, what_everybody_clicks_says_nothing)
{
    const struct synonym_evidence e[] = { PAIR("", "couch", "sofa", 40, 40, 50, 50, 800, 800) };
    cr_assert(eq(sz, score(e, 1, &rules, 1000).count, 0), "80 of 100 clicks of all queries are on it, too");
    struct synonym_rules any = rules;
    any.min_g = 0;
    cr_assert(eq(sz, score(e, 1, &any, 1000).count, 1));
    any.min_contexts = 2;
    cr_assert(eq(sz, score(e, 1, &any, 1000).count, 0));
}

/* ---- bytes ---- */

Test(synonyms, bytes_are_read_as_they_were_written)
{
    struct buf b;
    buf_init(&b, 4096);
    const struct synonym_evidence e = PAIR("leather", "leather couch", "leather sofa", 6, 10, 10, 20, 40, 50);
    struct synonym_evidence back;
    synonym_evidence_write(&b, &e);
    for (size_t n = 0; n < b.n; n++) {
        struct str cut = { b.p, n };
        cr_assert(not(synonym_evidence_read(&cut, &back)), "%zu bytes of %zu", n, b.n);
    }
    struct str whole = buf_str(&b);
    cr_assert(synonym_evidence_read(&whole, &back));
    cr_assert(str_eq(back.query_b, e.query_b) && back.searches_b == 70 && back.reach_b == 50);
    buf_release(&b);
}

Test(synonyms, known_words_are_looked_up_both_ways)
{
    struct synonyms_known k;
    struct buf b;
    struct err err;
    const uint32_t phrases = 1;
    buf_init(&b, 4096);
    record_put(&b, &phrases, sizeof phrases);
    record_put_text(&b, STR("ipad case"));
    record_put_text(&b, STR("lether"));
    record_put_text(&b, STR("leather"));
    cr_assert(synonyms_known_read(&k, buf_str(&b), &err));
    cr_assert(ne(u32, intern_find(&k.phrases, STR("ipad case")), UINT32_MAX));
    cr_assert(synonyms_known_misspelled(&k, STR("leather"), STR("lether")));
    cr_assert(synonyms_known_misspelled(&k, STR("lether"), STR("leather")));
    cr_assert(not(synonyms_known_misspelled(&k, STR("leather"), STR("sofa"))));
    cr_assert(synonyms_known_wrong(&k, STR("red lether sofa")));
    cr_assert(not(synonyms_known_wrong(&k, STR("red leather sofa"))));
    synonyms_known_release(&k);
    cr_assert(not(synonyms_known_read(&k, (struct str){ b.p, b.n - 1 }, &err)));
    buf_release(&b);
}
