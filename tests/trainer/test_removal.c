/* removal: whether queries do better without a word, by the formula, over cases made by hand; which rules are left. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/remove/removal.h"

enum { FOUND_MAX = 16, TEXT = 40 };

static const struct removal_rules rules = { .min_gain = 0.2, .z = 2.5758, .min_contexts = 3, .max_harm = 0.1 };

struct found {
    struct removal list[FOUND_MAX];
    char texts[FOUND_MAX][2][TEXT];
    size_t count;
};

static struct str copy(char *out, struct str s)
{
    memcpy(out, s.p, s.n);
    return (struct str){ out, s.n };
}

static bool keep(void *arg, const struct removal *r, struct err *err)
{
    struct found *f = arg;
    (void)err;
    cr_assert(lt(sz, f->count, FOUND_MAX));
    f->list[f->count] = *r;
    f->list[f->count].input = copy(f->texts[f->count][0], r->input);
    f->list[f->count].output = copy(f->texts[f->count][1], r->output);
    f->count++;
    return true;
}

#define CASE(q, r, n, f, c, n2, f2, c2) \
    {                                   \
        STR(q), STR(r), { n, f, c },    \
        {                               \
            n2, f2, c2                  \
        }                               \
    }

static void judge(const char *word, const struct removal_case *cases, size_t count, struct found *out)
{
    struct removal_case list[FOUND_MAX];
    struct err err;
    out->count = 0;
    memcpy(list, cases, count * sizeof *list);
    cr_assert(removal_judge(str_of(word), list, count, &rules, keep, out, &err));
}

Test(removal, of_a_word_that_finds_nothing_in_many_queries)
{
    struct found f;
    const struct removal_case cases[] = {
        CASE("cheap sofa", "sofa", 20, 0, 0, 100, 100, 50),
        CASE("cheap lamp", "lamp", 30, 3, 1, 200, 190, 80),
        CASE("cheap desk", "desk", 10, 0, 0, 50, 50, 10),
    };
    judge("cheap", cases, 3, &f);
    cr_assert(eq(sz, f.count, 1));
    cr_assert(str_eq_c(f.list[0].input, "cheap"));
    cr_assert(eq(sz, f.list[0].output.n, 0));
    cr_assert(eq(int, f.list[0].measure, REMOVAL_RESULTS));
    cr_assert(eq(u64, f.list[0].searches, 60));
    double n[] = { 20, 30, 10 }, p[] = { 1.0 / 22, 4.0 / 32, 1.0 / 12 }, q[] = { 101.0 / 102, 191.0 / 202, 51.0 / 52 },
           m[] = { 100, 200, 50 };
    double gain = 0, variance = 0;
    for (int i = 0; i < 3; i++) {
        gain += n[i] / 60 * (q[i] - p[i]);
        variance += pow(n[i] / 60, 2) * (p[i] * (1 - p[i]) / (n[i] + 2) + q[i] * (1 - q[i]) / (m[i] + 2));
    }
    cr_assert(epsilon_eq(dbl, f.list[0].gain, gain, 1e-12));
    cr_assert(epsilon_eq(dbl, f.list[0].low, gain - 1.959963984540054 * sqrt(variance), 1e-12));
    cr_assert(epsilon_eq(dbl, f.list[0].with, 0.5 * 0.1, 1e-12));
}

Test(removal, of_a_word_that_serves_other_queries_is_for_single_ones)
{
    struct found f;
    const struct removal_case cases[] = {
        CASE("cheap sofa", "sofa", 40, 0, 0, 100, 100, 50),
        CASE("cheap flights", "flights", 40, 40, 30, 100, 100, 20), /* does worse without */
        CASE("cheap desk", "desk", 30, 29, 10, 100, 98, 35),
    };
    judge("cheap", cases, 3, &f);
    cr_assert(eq(sz, f.count, 1));
    cr_assert(str_eq_c(f.list[0].input, "cheap sofa"));
    cr_assert(str_eq_c(f.list[0].output, "sofa"));
    cr_assert(eq(u64, f.list[0].contexts, 1));
}

Test(removal, of_few_searches_is_chance)
{
    struct found f;
    const struct removal_case cases[] = { CASE("blue sofa", "sofa", 2, 0, 0, 3, 3, 1) };
    judge("blue", cases, 1, &f);
    cr_assert(eq(sz, f.count, 0));
}

Test(removal, that_gains_results_and_loses_clicks_is_refused)
{
    struct found f;
    const struct removal_case cases[] = { CASE("blue sofa", "sofa", 100, 60, 55, 100, 100, 10) };
    judge("blue", cases, 1, &f);
    cr_assert(eq(sz, f.count, 0));
}

Test(removal, by_clicks)
{
    struct found f;
    const struct removal_case cases[] = { CASE("blue sofa", "sofa", 100, 100, 5, 100, 100, 60) };
    judge("blue", cases, 1, &f);
    cr_assert(eq(sz, f.count, 1));
    cr_assert(eq(int, f.list[0].measure, REMOVAL_CLICKS));
}

Test(removal, of_numbers_is_for_single_queries)
{
    struct found f;
    const struct removal_case cases[] = {
        CASE("sofa 2024", "sofa", 20, 0, 0, 100, 100, 50),
        CASE("lamp 2024", "lamp", 30, 0, 0, 200, 190, 80),
        CASE("desk 2024", "desk", 20, 0, 0, 50, 50, 10),
    };
    judge("2024", cases, 3, &f);
    cr_assert(eq(sz, f.count, 3));
}

Test(removal, counts_a_query_with_a_word_twice_once)
{
    struct found f;
    const struct removal_case cases[] = {
        CASE("big sofa big", "big sofa", 20, 0, 0, 100, 100, 50),
        CASE("big sofa big", "sofa big", 20, 0, 0, 100, 100, 50),
    };
    judge("big", cases, 2, &f);
    cr_assert(eq(sz, f.count, 1));
    cr_assert(eq(u64, f.list[0].searches, 20));
}

Test(removals, of_a_query_that_a_word_rules_are_left_out)
{
    struct removal list[] = {
        { .input = STR("cheap sofa blue"), .output = STR("sofa"), .searches = 20, .low = 0.9 },
        { .input = STR("old sofa blue"), .output = STR("sofa"), .searches = 9, .low = 0.9 },
        { .input = STR("old sofa blue"), .output = STR("old sofa"), .searches = 9, .low = 0.5 },
        { .input = STR("old sofa blue"), .output = STR("sofa blue"), .searches = 9, .low = 0.6 },
        { .input = STR("cheap"), .output = STR(""), .searches = 60, .low = 0.7 },
    };
    cr_assert(eq(sz, removals_choose(list, 5), 2));
    cr_assert(str_eq_c(list[0].input, "cheap"));
    cr_assert(str_eq_c(list[1].output, "sofa blue"));
}

Test(removal, bytes_are_read_as_they_were_written)
{
    struct buf b;
    const struct removal r = { .input = STR("cheap sofa"),
                               .output = STR("sofa"),
                               .measure = REMOVAL_CLICKS,
                               .gain = 0.5,
                               .low = 0.25,
                               .searches = 7,
                               .contexts = 1,
                               .example = STR("") };
    struct removal back;
    buf_init(&b, 4096);
    removal_write(&b, &r);
    for (size_t n = 0; n < b.n; n++) {
        struct str cut = { b.p, n };
        cr_assert(not(removal_read(&cut, &back)));
    }
    struct str whole = buf_str(&b);
    cr_assert(removal_read(&whole, &back));
    cr_assert(str_eq(back.output, r.output) && back.searches == 7 && back.measure == REMOVAL_CLICKS &&
              back.low == 0.25);
    buf_release(&b);
}
