/* Circles of rules: broken at the rule that says least, told when only people can. */
#include "trainer/jobs/rewrites_table.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { MANY = 2000 };

static struct arena arena;

static void open_arena(void)
{
    arena_init(&arena, 1 << 16);
}

static void close_arena(void)
{
    arena_release(&arena);
}

TestSuite(rewrites_circles, .init = open_arena, .fini = close_arena);

static struct rewrite_rule spelling(const char *input, const char *output, double confidence)
{
    return (struct rewrite_rule){
        .type = REWRITE_SPELLING, .input = str_of(input), .output = str_of(output), .confidence = confidence
    };
}

/* "a b c": the inputs of the rules that went, in no order. */
static bool went(const struct rewrite_rule *rules, size_t from, size_t to, const char *input)
{
    for (size_t i = from; i < to; i++)
        if (str_eq_c(rules[i].input, input))
            return true;
    return false;
}

Test(rewrites_circles, the_weakest_rule_of_each_goes)
{
    struct rewrite_rule rules[] = { spelling("a", "b", 0.9), spelling("b", "a", 0.4), spelling("c", "d", 0.3),
                                    spelling("d", "e", 0.2), spelling("e", "c", 0.8), spelling("x", "a", 0.1),
                                    spelling("p", "q", 0.5) };
    bool decided[COUNT_OF(rules)] = { false };
    size_t n = COUNT_OF(rules);
    struct str circle;
    rewrites_break_circles(rules, decided, &n, &arena, &circle);
    cr_assert(eq(ptr, (void *)(uintptr_t)circle.p, NULL));
    cr_assert(eq(sz, n, 5));
    cr_assert(went(rules, n, COUNT_OF(rules), "b"));
    cr_assert(went(rules, n, COUNT_OF(rules), "d"));
}

Test(rewrites_circles, what_people_decided_stays_and_the_next_rule_of_an_input_counts)
{
    struct rewrite_rule rules[] = { spelling("a", "b", 0.1), spelling("b", "a", 0.9), spelling("b", "c", 0.5),
                                    spelling("c", "b", 0.3) };
    bool decided[] = { true, false, false, false };
    size_t n = COUNT_OF(rules);
    struct str circle;
    rewrites_break_circles(rules, decided, &n, &arena, &circle);
    cr_assert(eq(sz, n, 2));
    cr_assert(went(rules, 0, n, "a"));
    cr_assert(went(rules, 0, n, "b"), "to c: what led back to b went in its turn");
    cr_assert(went(rules, n, COUNT_OF(rules), "c"));
}

Test(rewrites_circles, a_circle_of_people_is_told_and_types_do_not_mix)
{
    struct rewrite_rule rules[] = { spelling("a", "b", 1), spelling("b", "c", 1), spelling("c", "a", 1),
                                    spelling("m", "n", 1), spelling("n", "m", 1) };
    bool decided[] = { true, true, true, true, true };
    size_t n = COUNT_OF(rules);
    struct str circle;
    rules[4].type = REWRITE_HEAD_TAIL;
    rewrites_break_circles(rules, decided, &n, &arena, &circle);
    cr_assert(eq(sz, n, 5));
    cr_assert(eq(str, (char *)(uintptr_t)circle.p, "\"a\" → \"b\" → \"c\" → \"a\""));
}

Test(rewrites_circles, many_are_broken_in_one_go)
{
    struct rewrite_rule *rules = arena_alloc(&arena, 2 * MANY * sizeof *rules);
    bool *decided = arena_zalloc(&arena, 2 * MANY);
    size_t n = 2 * MANY;
    struct str circle;
    for (unsigned i = 0; i < MANY; i++) {
        const char *a = arena_printf(&arena, "a%u", i).p, *b = arena_printf(&arena, "b%u", i).p;
        rules[2 * i] = spelling(a, b, 0.5);
        rules[2 * i + 1] = spelling(b, a, i % 2 ? 0.4 : 0.6);
    }
    rewrites_break_circles(rules, decided, &n, &arena, &circle);
    cr_assert(eq(sz, n, MANY));
    for (size_t i = 0; i < n; i++)
        cr_assert(ge(dbl, rules[i].confidence, 0.5));
}
