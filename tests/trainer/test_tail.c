/* tail_match: why a query is in the tail, which head it is rewritten to, and what speaks for that, on heads made by hand. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "trainer/kernels/tail/tail_match.h"

static const struct query_entry macbook_docs[] = { { { "d-macbook", 9 }, 90 }, { { "d-air", 5 }, 10 } };
static const struct query_entry case_docs[] = { { { "d-case", 6 }, 60 }, { { "d-case-2", 8 }, 40 } };
static const struct query_entry sofa_docs[] = { { { "d-sofa", 6 }, 100 } };

#define DOCS(list)                              \
    {                                           \
        [QUERY_DOCS] = { list, COUNT_OF(list) } \
    }
#define HEAD(q, n, list)                                                        \
    {                                                                           \
        .text = STR(q), .searches = (n), .clicks = (n) / 2, .lists = DOCS(list) \
    }

static const struct query_record heads[] = {
    HEAD("macbook", 1000, macbook_docs), HEAD("ipad case", 800, case_docs),      HEAD("leather sofa", 600, sofa_docs),
    HEAD("red lamp", 500, sofa_docs),    HEAD("galaxy s5 case", 400, case_docs), HEAD("television", 300, sofa_docs),
};
static const struct tail_word words[] = { { STR("macbook"), 30 }, { STR("ipad"), 20 },  { STR("case"), 60 },
                                          { STR("leather"), 15 }, { STR("sofa"), 25 },  { STR("red"), 40 },
                                          { STR("lamp"), 20 },    { STR("cheap"), 50 }, { STR("new"), 50 },
                                          { STR("galaxy"), 10 },  { STR("s5"), 6 },     { STR("garden"), 9 } };
static const struct tail_rules rules = {
    .length_scale = 5, .min_confidence = 0.5, .min_overlap = 0.1, .min_clicks = 5, .z = 1.645
};

struct setup {
    struct arena arena;
    struct tail_heads heads;
};

static void setup(struct setup *s)
{
    arena_init(&s->arena, 4096);
    tail_heads_init(&s->heads, &s->arena, heads, COUNT_OF(heads), words, COUNT_OF(words), 1000);
}

static void tear_down(struct setup *s)
{
    tail_heads_release(&s->heads);
    arena_release(&s->arena);
}

static struct tail_match match(const struct query_record *q, char *out_head, size_t room)
{
    struct setup s;
    setup(&s);
    struct tail_match m = tail_match(&s.heads, &rules, q);
    struct str head = m.head == UINT32_MAX ? STR("-") : s.heads.heads[m.head].query->text;
    cr_assert(lt(sz, head.n, room));
    memcpy(out_head, head.p, head.n);
    out_head[head.n] = 0;
    tear_down(&s);
    return m;
}

static void check(const char *text, const char *reason, const char *head)
{
    char got[64];
    const struct query_record q = { .text = str_of(text), .searches = 20 };
    struct tail_match m = match(&q, got, sizeof got);
    cr_assert_str_eq(tail_reason_names[m.reason], reason, "%s is in the tail by %s", text, tail_reason_names[m.reason]);
    cr_assert_str_eq(got, head, "%s becomes %s with %g", text, got, m.evidence.confidence);
}

Test(tail_match, says_why)
{
    check("macbok", "spelling", "macbook");
    check("mac book", "spelling", "macbook");
    check("ipadcase", "spelling", "ipad case");
    check("macbook 16gb", "number_unit", "-");
    check("case ipad", "re_ordering", "ipad case");
    check("leather sof", "unfinished", "leather sofa");
    check("leather", "missing_words", "-");
    check("macbook xyzzy", "rare_term", "-");
    check("new cheap macbook", "extra_words", "-");
    check("garden sofa", "re_wording", "-");
    check("garden cheap", "other_specific", "-");
    check("plugh", "rare_term", "-");
    check("x 200", "number_unit", "-");
}

static struct tail_match with_docs(const char *text, const struct query_entry *docs, uint32_t count, uint64_t clicks,
                                   char *head, size_t room)
{
    const struct query_record q = {
        .text = str_of(text), .searches = 100, .clicks = clicks, .lists = { [QUERY_DOCS] = { docs, count } }
    };
    return match(&q, head, room);
}

Test(tail_match, clicks_speak_for_a_head_of_other_words)
{
    char head[64];
    const struct query_entry docs[] = { { STR("d-macbook"), 9 }, { STR("d-air"), 1 } };
    struct tail_match m = with_docs("apple notebook", docs, 2, 10, head, sizeof head);
    cr_assert_str_eq(head, "macbook");
    cr_assert(eq(int, m.reason, TAIL_RARE_TERM));
    cr_assert(epsilon_eq(dbl, m.evidence.documents, 10.0 / 12, 1e-12));
    cr_assert(epsilon_eq(dbl, m.evidence.confidence, 1 - (1 - TAIL_DOCUMENTS * 10 / 12), 1e-12));
    cr_assert(eq(u32, m.evidence.shared_docs, 2));
}

Test(tail_match, few_clicks_say_little)
{
    char head[64];
    const struct query_entry docs[] = { { STR("d-macbook"), 1 } };
    (void)with_docs("apple notebook", docs, 1, 1, head, sizeof head);
    cr_assert_str_eq(head, "-");
}

Test(tail_match, clicks_that_go_elsewhere_refuse_a_head)
{
    char head[64];
    const struct query_entry docs[] = { { STR("d-cleaner"), 5 } };
    struct tail_match m = with_docs("macbok", docs, 1, 5, head, sizeof head);
    cr_assert_str_eq(head, "-");
    cr_assert(eq(int, m.reason, TAIL_SPELLING), "it is one all the same");
    const struct query_entry few[] = { { STR("d-cleaner"), 4 } };
    (void)with_docs("macbok", few, 1, 4, head, sizeof head);
    cr_assert_str_eq(head, "macbook");
}

Test(tail_match, a_head_that_does_worse_is_refused)
{
    char head[64];
    const struct query_entry docs[] = { { STR("d-macbook"), 90 } };
    (void)with_docs("macbok", docs, 1, 50, head, sizeof head);
    cr_assert_str_eq(head, "macbook", "as good: 50 of 100 beside 500 of 1000");
    (void)with_docs("macbok", docs, 1, 90, head, sizeof head);
    cr_assert_str_eq(head, "-", "90 of 100 beside 500 of 1000");
}

Test(tail_match, sessions_speak_for_a_head)
{
    char head[64];
    const struct query_entry next[] = { { STR("television"), 7 }, { STR("radio"), 1 } };
    const struct query_record q = { .text = STR("telly"), .searches = 30, .lists = { [QUERY_NEXT] = { next, 2 } } };
    (void)match(&q, head, sizeof head);
    cr_assert_str_eq(head, "-", "0.49 is not enough by itself");
    const struct query_entry more[] = { { STR("television"), 17 }, { STR("radio"), 1 } };
    const struct query_record often = { .text = STR("telly"), .searches = 30, .lists = { [QUERY_NEXT] = { more, 2 } } };
    struct tail_match m = match(&often, head, sizeof head);
    cr_assert(eq(u64, m.evidence.next, 17));
    cr_assert(epsilon_eq(dbl, m.evidence.sessions, 17.0 / 20, 1e-12));
    cr_assert_str_eq(head, "television");
}

Test(tail_match, a_number_more_is_another_thing)
{
    char head[64];
    const struct query_entry docs[] = { { STR("d-case"), 6 }, { STR("d-case-2"), 4 } };
    (void)with_docs("galaxy case", docs, 2, 10, head, sizeof head);
    cr_assert_str_eq(head, "ipad case", "not \"galaxy s5 case\", though its words are nearer");
    check("galaxy s6 case", "number_unit", "-");
}

Test(tail_match, a_query_is_not_its_own_head)
{
    check("television", "rare_term", "-");
}

Test(tail_heads, candidates_come_by_words_edits_documents_and_sessions)
{
    struct setup s;
    uint32_t *list;
    setup(&s);
    const struct query_entry docs[] = { { STR("d-case"), 1 } }, next[] = { { STR("television"), 1 } };
    const struct query_record q = { .text = STR("lampp rd"),
                                    .searches = 1,
                                    .lists = { [QUERY_DOCS] = { docs, 1 }, [QUERY_NEXT] = { next, 1 } } };
    size_t n = tail_heads_candidates(&s.heads, &q, 5, &list);
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= 1U << list[i];
    cr_assert(eq(uint, seen, 1U << 1 | 1U << 3 | 1U << 4 | 1U << 5));
    cr_assert(eq(sz, n, 4));
    mem_free(list);
    tear_down(&s);
}

Test(tail_heads, of_none_there_are_none)
{
    struct arena arena;
    struct tail_heads none;
    arena_init(&arena, 4096);
    tail_heads_init(&none, &arena, NULL, 0, NULL, 0, 0);
    const struct query_record q = { .text = STR("lamp"), .searches = 1 };
    struct tail_match m = tail_match(&none, &rules, &q);
    cr_assert(m.head == UINT32_MAX && m.reason == TAIL_RARE_TERM);
    tail_heads_release(&none);
    arena_release(&arena);
}
