/* Words and phrases of queries: counts, what stands beside them, what the next search had instead; and the test of phrases. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/kernels/spelling/phrase.h"
#include "trainer/kernels/spelling/spelling.h"

enum { TEXTS = 64 };

static struct query_record query(const char *text, uint64_t searches, const struct query_entry *next, uint32_t count)
{
    struct query_record q = { .text = str_of(text), .searches = searches, .clicks = searches / 2, .zero_results = 1 };
    q.lists[QUERY_NEXT] = (struct query_list){ next, count };
    return q;
}

/* Text of all records, one a line: "lamp 30: before desk 10, behind x 3, next y 2". */
static bool tell(void *arg, const struct term_record *r, struct err *err)
{
    static const char *const names[] = { "before", "behind", "next" };
    struct buf *b = arg;
    (void)err;
    buf_addf(b, STR_FMT " %llu", STR_ARG(r->text), (unsigned long long)r->counts.searches);
    for (int k = 0; k < TERM_LIST_KIND_COUNT; k++)
        for (uint32_t i = 0; i < r->lists[k].count; i++)
            buf_addf(b, ", %s " STR_FMT " %llu", names[k], STR_ARG(r->lists[k].entries[i].text),
                     (unsigned long long)r->lists[k].entries[i].count);
    buf_add_c(b, "\n");
    return true;
}

static void check(struct terms *t, const char *want)
{
    struct buf b;
    struct err err;
    buf_init(&b, 1 << 20);
    cr_assert(terms_finish(t, 16, tell, &b, &err));
    cr_assert(eq(str, b.p, (char *)(uintptr_t)want));
    buf_release(&b);
    terms_free(t);
}

static void add(struct terms *t, const char *text, uint64_t searches)
{
    struct query_record q = query(text, searches, NULL, 0);
    terms_add_query(t, &q);
}

Test(terms, are_counted_once_a_query)
{
    struct terms *t = terms_new(2, false);
    add(t, "red lamp red lamp", 10);
    add(t, "red", 1);
    check(t, "lamp 10\nlamp red 10\nred 11\nred lamp 10\n");
}

Test(terms, have_neighbours)
{
    struct terms *t = terms_new(1, true);
    add(t, "desk lamp", 10);
    add(t, "table lamp", 12);
    add(t, "lamp shade", 3);
    check(t, "desk 10, behind lamp 10\nlamp 25, before table 12, before desk 10, behind shade 3\n"
             "shade 3, before lamp 3\ntable 12, behind lamp 12\n");
}

Test(terms, are_broken_by_what_is_no_word)
{
    struct terms *t = terms_new(2, true);
    add(t, "lamp - desk", 5);
    check(t, "desk 5\nlamp 5\n");
}

Test(terms, know_what_the_next_search_had_instead)
{
    const struct query_entry next[] = { { STR("desk lamp"), 6 }, { STR("desk lap"), 2 }, { STR("blue sofa"), 4 } };
    const struct query_record q = query("desk lmap", 10, next, 3);
    struct terms *t = terms_new(2, true);
    terms_add_query(t, &q);
    check(t, "desk 10, behind lmap 10\ndesk lmap 10, next desk lamp 6, next desk lap 2\n"
             "lmap 10, before desk 10, next lamp 6, next lap 2\n");
}

Test(terms, know_words_that_were_split_and_joined)
{
    const struct query_entry next[] = { { STR("red notebook a4"), 3 } };
    const struct query_record q = query("red note book a4", 5, next, 1);
    struct terms *t = terms_new(2, false);
    terms_free(t);
    t = terms_new(2, true);
    terms_add_query(t, &q);
    check(t, "a4 5, before book 5\nbook 5, before note 5, behind a4 5\nbook a4 5\n"
             "note 5, before red 5, behind book 5\nnote book 5, next notebook 3\nred 5, behind note 5\nred note 5\n");
}

static void read_back(struct terms *t, struct str block)
{
    struct arena arena;
    arena_init(&arena, 1024);
    while (block.n) {
        struct term_record r;
        cr_assert(term_record_read(&block, &arena, &r));
        terms_add_record(t, &r);
    }
    arena_release(&arena);
}

static bool write_record(void *arg, const struct term_record *r, struct err *err)
{
    (void)err;
    term_record_write(arg, r);
    return true;
}

/* In one go, or in parts that go through their records. */
Test(terms, of_parts_are_those_of_all)
{
    const struct query_entry next[] = { { STR("desk lamp"), 6 } };
    struct terms *all = terms_new(3, true), *sum = terms_new(3, true);
    struct buf records, want;
    struct err err;
    buf_init(&records, 1 << 20);
    buf_init(&want, 1 << 20);
    srandom(3);
    for (int part = 0; part < 4; part++) {
        struct terms *t = terms_new(3, true);
        for (int i = 0; i < 200; i++) {
            static const char *const words[] = { "desk", "lmap", "büro", "red", "a4", "-" };
            char text[TEXTS];
            (void)snprintf(text, sizeof text, "%s %s %s", words[random() % 6], words[random() % 6],
                           words[random() % 6]);
            const struct query_record q = query(text, 1 + (uint64_t)(random() % 9), next, random() % 2);
            terms_add_query(t, &q);
            terms_add_query(all, &q);
        }
        buf_clear(&records);
        cr_assert(terms_finish(t, UINT32_MAX, write_record, &records, &err));
        read_back(sum, buf_str(&records));
        terms_free(t);
    }
    cr_assert(terms_finish(all, 16, tell, &want, &err));
    cr_assert(gt(sz, want.n, 1000));
    check(sum, want.p);
    terms_free(all);
    buf_release(&records);
    buf_release(&want);
}

Test(terms, damaged_records_are_refused)
{
    struct terms *t = terms_new(2, true);
    struct buf b;
    struct err err;
    struct arena arena;
    arena_init(&arena, 1024);
    buf_init(&b, 1 << 20);
    add(t, "desk lamp", 3);
    cr_assert(terms_finish(t, 16, write_record, &b, &err));
    for (size_t n = 1; n < 40; n++) {
        struct str cut = { b.p, n };
        struct term_record r;
        cr_assert(not(term_record_read(&cut, &arena, &r)));
    }
    srandom(4);
    for (int i = 0; i < 20000; i++) {
        struct str block = buf_str(&b);
        size_t at = (size_t)random() % b.n;
        char was = b.p[at];
        struct term_record r;
        b.p[at] = (char)random();
        arena_reset(&arena);
        while (block.n && term_record_read(&block, &arena, &r))
            ;
        b.p[at] = was;
    }
    arena_release(&arena);
    buf_release(&b);
    terms_free(t);
}

Test(spelling_params, are_what_was_written)
{
    struct arena arena;
    struct err err;
    struct spelling_params p = { .rules = spell_rules_default, .word_below = UINT64_MAX / 4, .phrase_below = 3 }, q;
    arena_init(&arena, 1024);
    p.rules.least_word = 17;
    p.rules.has_dictionary = true;
    cr_assert(spelling_params_read(spelling_params_write(&p, &arena), &q, &err), "%s", err.text);
    cr_assert(str_eq(spelling_params_write(&p, &arena), spelling_params_write(&q, &arena)));
    cr_assert(eq(u64, q.word_below, p.word_below));
    cr_assert(eq(u64, q.rules.least_word, 17));
    arena_release(&arena);
}

/* ---- phrases ---- */

Test(phrase, is_tested_as_a_table_of_four)
{
    const struct phrase_counts c = { .first = 100, .second = 80, .both = 60, .all = 10000 };
    struct phrase_test t = phrase_test(&c);
    cr_assert(epsilon_eq(dbl, t.lift, 75.0, 1e-9));
    /* scipy.stats.chi2_contingency([[60, 40], [20, 9880]], correction=False, lambda_="log-likelihood")[0] / 60 */
    cr_assert(epsilon_eq(dbl, t.likelihood, 509.14427181352323 / 60, 1e-9));
    cr_assert(lt(dbl, t.log_p, -100.0));
    cr_assert(epsilon_eq(dbl, t.strength, log(75.0) / -log(0.006), 1e-12));
}

Test(phrase, by_chance_is_none)
{
    struct phrase_test t = phrase_test(
        &(struct phrase_counts){ .first = 1000, .second = 1000, .both = 100, .all = 10000 });
    cr_assert(epsilon_eq(dbl, t.lift, 1.0, 1e-12));
    cr_assert(epsilon_eq(dbl, t.likelihood, 0.0, 1e-9));
    cr_assert(gt(dbl, t.log_p, -1.0));
    t = phrase_test(&(struct phrase_counts){ .first = 5, .second = 0, .both = 0, .all = 100 });
    cr_assert(eq(dbl, t.lift, 0.0));
}

Test(phrase, is_as_good_as_its_weaker_seam)
{
    struct phrase_test a = { 9, 2, -50, 0.8 }, b = { 3, 4, -20, 0.9 }, w = phrase_weaker(a, b);
    cr_assert(eq(dbl, w.lift, 3.0));
    cr_assert(eq(dbl, w.likelihood, 2.0));
    cr_assert(eq(dbl, w.log_p, -20.0));
    cr_assert(eq(dbl, w.strength, 0.8));
}
