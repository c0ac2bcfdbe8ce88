/* Rewriting: each step does what its header says, in its order, and nothing that rules say makes a query grow, vanish or go round. */
#include "model/rewrite.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct arena arena;
static struct buf file;

static void open_all(void)
{
    arena_init(&arena, 1 << 16);
    buf_init(&file, 64 << 20);
}

static void close_all(void)
{
    arena_release(&arena);
    buf_release(&file);
}

TestSuite(rewrite, .init = open_all, .fini = close_all);

static struct rewrite_rule rule(enum rewrite_type type, const char *input, const char *output, double confidence)
{
    static uint64_t id = 100;
    return (struct rewrite_rule){
        .type = type, .input = str_of(input), .output = str_of(output), .confidence = confidence, .id = id++
    };
}

static void pack(const struct rewrite_rule *rules, size_t n, struct rewrites *out)
{
    struct artifact a;
    struct err err = { 0 };
    char digest[ARTIFACT_DIGEST];
    buf_clear(&file);
    cr_assert(rewrites_pack(rules, n, STR("{}"), &file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&file), &a, &err), "%s", err.text);
    cr_assert(rewrites_read(&a, out, &err), "%s", err.text);
}

static const struct rewrite_ask everything = { .types = REWRITE_ALL_TYPES };

static struct rewriting *apply(const struct rewrites *r, const char *query, const struct rewrite_ask *ask)
{
    struct rewriting *w = arena_alloc(&arena, sizeof *w);
    rewrite_apply(r, str_of(query), ask, &arena, w);
    return w;
}

static char *text(struct str s)
{
    return arena_cstr(&arena, s);
}

static char *expanded(const struct rewriting *w)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    rewriting_expanded(w, &b);
    char *s = text(buf_str(&b));
    buf_release(&b);
    return s;
}

static char *quoted(const struct rewriting *w)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    rewriting_quoted(w, &b);
    char *s = text(buf_str(&b));
    buf_release(&b);
    return s;
}

/* "spelling head_tail …": the types of the steps. */
static char *types_of(const struct rewriting *w)
{
    struct str all = STR("");
    for (uint32_t i = 0; i < w->steps_count; i++)
        all = arena_printf(&arena, STR_FMT "%s%s", STR_ARG(all), i ? " " : "",
                           rewrite_type_names[w->steps[i].rule.type]);
    return text(all);
}

Test(rewrite, steps_come_in_their_order_each_on_what_the_one_before_left)
{
    const struct rewrite_rule rules[] = {
        rule(REWRITE_SPELLING, "ipone", "iphone", 0.9),
        rule(REWRITE_HEAD_TAIL, "cheap iphone casse now", "cheap iphone case now", 0.8),
        rule(REWRITE_REMOVE_WORDS, "cheap", "", 0.7),
        rule(REWRITE_REMOVE_WORDS, "case now", "case", 0.7),
        rule(REWRITE_PHRASE, "iphone case", "iphone case", 1),
        rule(REWRITE_SYNONYM, "case", "cover", 0.6),
    };
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    struct rewriting *w = apply(&r, "  Cheap IPONE  casse now ", &everything);
    cr_assert(eq(str, text(w->normalised), "cheap ipone casse now"));
    cr_assert(eq(str, types_of(w), "spelling head_tail remove_words remove_words phrase synonym"));
    static const char *const left[] = { "cheap iphone casse now",
                                        "cheap iphone case now",
                                        "iphone case now",
                                        "iphone case",
                                        "iphone case",
                                        "iphone case" };
    for (uint32_t i = 0; i < COUNT_OF(left); i++)
        cr_assert(eq(str, text(w->steps[i].query), (char *)(uintptr_t)left[i]));
    cr_assert(eq(str, text(w->rewritten), "iphone case"));
    cr_assert(eq(str, quoted(w), "\"iphone case\""));
    cr_assert(eq(str, expanded(w), "(\"iphone case\" OR \"iphone cover\")"));
    cr_assert(eq(u64, w->steps[0].rule.id, rules[0].id));
    cr_assert(epsilon_eq(dbl, w->steps[0].rule.confidence, 0.9, 1e-6));
}

Test(rewrite, the_longest_input_wins_and_what_was_put_in_is_not_looked_at_again)
{
    const struct rewrite_rule rules[] = { rule(REWRITE_SPELLING, "note", "notes", 1),
                                          rule(REWRITE_SPELLING, "note pad", "notepad", 0.1),
                                          rule(REWRITE_SPELLING, "notepad", "note pad", 1),
                                          rule(REWRITE_SPELLING, "a", "a a a", 1) };
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    cr_assert(eq(str, text(apply(&r, "note pad", &everything)->rewritten), "notepad"));
    cr_assert(eq(str, text(apply(&r, "notepad note", &everything)->rewritten), "note pad notes"));
    cr_assert(eq(str, text(apply(&r, "a b a", &everything)->rewritten), "a a a b a a a"));
    cr_assert(eq(str, text(apply(&r, "notes pads", &everything)->rewritten), "notes pads"));
}

Test(rewrite, a_whole_query_that_a_person_rewrote_is_left_alone_but_for_phrases_and_synonyms)
{
    const struct rewrite_rule rules[] = { rule(REWRITE_QUERY, "apple watch", "iwach se", 1),
                                          rule(REWRITE_SPELLING, "iwach", "iwatch", 1),
                                          rule(REWRITE_HEAD_TAIL, "iwach se", "watch", 1),
                                          rule(REWRITE_REMOVE_WORDS, "se", "", 1),
                                          rule(REWRITE_SYNONYM, "se", "special edition", 1) };
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    struct rewriting *w = apply(&r, "Apple Watch", &everything);
    cr_assert(eq(str, types_of(w), "query synonym"));
    cr_assert(eq(str, expanded(w), "iwach (se OR \"special edition\")"));
    cr_assert(eq(str, text(apply(&r, "apple watch 3", &everything)->rewritten), "apple watch 3"));
}

Test(rewrite, words_are_not_removed_when_nothing_would_stay)
{
    const struct rewrite_rule rules[] = { rule(REWRITE_REMOVE_WORDS, "the", "", 1),
                                          rule(REWRITE_REMOVE_WORDS, "who", "", 1) };
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    struct rewriting *w = apply(&r, "the who", &everything);
    cr_assert(eq(str, text(w->rewritten), "the who"));
    cr_assert(eq(u32, w->steps_count, 0));
    cr_assert(eq(str, text(apply(&r, "the who live", &everything)->rewritten), "live"));
}

Test(rewrite, synonyms_hold_to_phrases_and_go_both_ways_only_when_told)
{
    struct rewrite_rule rules[] = {
        rule(REWRITE_PHRASE, "new york", "new york", 1),    rule(REWRITE_SYNONYM, "new york", "nyc", 1),
        rule(REWRITE_SYNONYM, "york city", "eboracum", 1),  rule(REWRITE_SYNONYM, "new", "fresh", 1),
        rule(REWRITE_SYNONYM, "cell phone", "mobile", 0.5), rule(REWRITE_SYNONYM, "cell phone", "handy", 0.9)
    };
    rules[4].bidirectional = true;
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    cr_assert(eq(str, expanded(apply(&r, "new york city", &everything)), "(\"new york\" OR nyc) city"));
    cr_assert(eq(str, expanded(apply(&r, "york city", &everything)), "((york city) OR eboracum)"));
    cr_assert(eq(str, expanded(apply(&r, "nyc new", &everything)), "nyc (new OR fresh)"));
    cr_assert(eq(str, expanded(apply(&r, "cell phone", &everything)), "((cell phone) OR handy OR mobile)"));
    cr_assert(eq(str, expanded(apply(&r, "mobile handy", &everything)), "(mobile OR \"cell phone\") handy"));
    cr_assert(eq(str, expanded(apply(&r, "c++ \"a\"", &everything)), "c\\+\\+ \\\"a\\\""));
}

Test(rewrite, a_person_stands_before_jobs_and_asks_are_kept_to)
{
    struct rewrite_rule rules[] = { rule(REWRITE_SPELLING, "colour", "color", 0.99),
                                    rule(REWRITE_SPELLING, "colour", "colours", 0.3),
                                    rule(REWRITE_SPELLING, "grey", "gray", 0.4),
                                    rule(REWRITE_SYNONYM, "gray", "silver", 0.9) };
    rules[1].manual = true;
    struct rewrites r;
    pack(rules, COUNT_OF(rules), &r);
    cr_assert(eq(str, text(apply(&r, "colour grey", &everything)->rewritten), "colours gray"));
    struct rewrite_ask sure = { .types = REWRITE_ALL_TYPES, .min_confidence = 0.5 };
    cr_assert(eq(str, expanded(apply(&r, "colour grey gray", &sure)), "colours grey (gray OR silver)"));
    struct rewrite_ask spelling = { .types = 1 << REWRITE_SPELLING };
    cr_assert(eq(str, expanded(apply(&r, "colour gray", &spelling)), "colours gray"));
    cr_assert(eq(str, expanded(apply(NULL, "Colour  GRAY", &everything)), "colour gray"));
    cr_assert(eq(sz, apply(&r, " \t ", &everything)->rewritten.n, 0));
    cr_assert(eq(u32, apply(&r, " ", &everything)->terms_count, 0));
}

Test(rewrite, a_query_never_passes_its_limit)
{
    char *word = text(arena_printf(&arena, "%0*d", 400, 7));
    const struct rewrite_rule rules[] = { rule(REWRITE_SPELLING, "x", word, 1) };
    struct rewrites r;
    struct buf b;
    pack(rules, COUNT_OF(rules), &r);
    buf_init(&b, 4096);
    for (int i = 0; i < 300; i++)
        buf_add_c(&b, "x ");
    struct rewriting *w = apply(&r, b.p, &everything);
    cr_assert(eq(u32, w->steps_count, 0), "the query is full already");
    cr_assert(eq(u32, w->terms_count, 255));
    w = apply(&r, "x y x", &everything);
    cr_assert(eq(u32, w->steps_count, 1), "a second one would not fit");
    cr_assert(eq(sz, w->rewritten.n, 404));
    buf_release(&b);
}

Test(rewrite, the_bytes_do_not_depend_on_the_order_and_what_goes_in_comes_out)
{
    struct rewrite_rule rules[] = { rule(REWRITE_SYNONYM, "tv", "television", 0.5),
                                    rule(REWRITE_SPELLING, "ipone", "iphone", 0.25),
                                    rule(REWRITE_SYNONYM, "telly", "tv", 1), rule(REWRITE_PHRASE, "a b", "a b", 1),
                                    rule(REWRITE_REMOVE_WORDS, "cheap", "", 1) };
    rules[0].bidirectional = true;
    char digests[2][ARTIFACT_DIGEST];
    struct err err = { 0 };
    cr_assert(rewrites_pack(rules, 5, STR(""), &file, digests[0], &err), "%s", err.text);
    for (int i = 0; i < 2; i++) {
        struct rewrite_rule t = rules[i];
        rules[i] = rules[4 - i];
        rules[4 - i] = t;
    }
    buf_clear(&file);
    cr_assert(rewrites_pack(rules, 5, STR(""), &file, digests[1], &err), "%s", err.text);
    cr_assert(eq(str, digests[0], digests[1]));
    struct artifact a;
    struct rewrites r;
    struct rewrites_at at = { 0 };
    struct rewrite_rule out;
    cr_assert(artifact_read(buf_str(&file), &a, &err), "%s", err.text);
    cr_assert(rewrites_read(&a, &r, &err), "%s", err.text);
    uint64_t ids = 0, n = 0;
    for (; rewrites_next(&r, &at, &out); n++) {
        ids += out.id - rules[0].id;
        for (size_t i = 0; i < 5; i++)
            if (rules[i].id == out.id) {
                cr_assert(eq(str, text(out.input), text(rules[i].input)));
                cr_assert(eq(str, text(out.output), text(rules[i].output)));
                cr_assert(eq(int, out.bidirectional, rules[i].bidirectional));
            }
    }
    cr_assert(eq(u64, n, 5));
    cr_assert(eq(u64, r.entries, 6));
    cr_assert(eq(u64, ids, rules[1].id + rules[2].id + rules[3].id + rules[4].id - 4 * rules[0].id));
}

Test(rewrite, rules_that_cannot_be_are_named)
{
    struct rewrite_rule both = rule(REWRITE_SPELLING, "a", "b", 1);
    both.bidirectional = true;
    const struct {
        struct rewrite_rule rule;
        const char *why;
    } bad[] = {
        { rule(REWRITE_SPELLING, "", "b", 1), "input is empty" },
        { rule(REWRITE_SPELLING, "a", "", 1), "output is empty" },
        { rule(REWRITE_SPELLING, "a", "a", 1), "output is the same as input" },
        { rule(REWRITE_SPELLING, "A", "b", 1),
          "input is not in the form of queries: lower case, one space between words, none at the ends" },
        { rule(REWRITE_SPELLING, "a", "b  c", 1),
          "output is not in the form of queries: lower case, one space between words, none at the ends" },
        { rule(REWRITE_SPELLING, "a", "\xff", 1), "output is not UTF-8" },
        { rule(REWRITE_PHRASE, "a", "a", 1), "a phrase has two words or more, and its output is the same" },
        { rule(REWRITE_SPELLING, "1 2 3 4 5 6 7 8 9 10 11 12 13", "b", 1), "input has 13 words, more than 12" },
        { rule(REWRITE_SPELLING, "a", "b", 1.25), "confidence is 1.25, not from 0 to 1" },
        { both, "only synonyms are bidirectional" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = { 0 };
        cr_assert(not(rewrite_check(&bad[i].rule, &err)));
        cr_assert(eq(str, err.text, (char *)(uintptr_t)bad[i].why));
    }
}

/* An artifact with one section of each name, as somebody might upload it. */
static bool read_made(struct str lists, struct str ids, struct err *err)
{
    struct artifact_out out;
    struct artifact a;
    struct rewrites r;
    char digest[ARTIFACT_DIGEST];
    artifact_begin(&out, REWRITES_KIND);
    artifact_add(&out, "spelling", lists);
    artifact_add(&out, "spelling_ids", ids);
    buf_clear(&file);
    cr_assert(artifact_end(&out, &file, digest, err), "%s", err->text);
    cr_assert(artifact_read(buf_str(&file), &a, err), "%s", err->text);
    return rewrites_read(&a, &r, err);
}

Test(rewrite, an_artifact_of_somebody_else_is_checked)
{
    static const char *const columns[] = { "confidence", "manual", "direction" };
    const float values[] = { 0.5f, 0, 0 };
    struct lists_out lists;
    struct buf b;
    struct err err = { 0 };
    buf_init(&b, 1 << 20);
    lists_begin(&lists, columns, 3);
    lists_key(&lists, STR("ipone"));
    lists_add(&lists, STR("IPhone"), values);
    cr_assert(lists_end(&lists, &b, &err), "%s", err.text);
    cr_assert(not(read_made(buf_str(&b), STR("1234567"), &err)));
    cr_assert(eq(str, err.text, "section \"spelling_ids\" has 7 bytes, not 8 for each of 1 entries"));
    cr_assert(not(read_made(buf_str(&b), STR("12345678"), &err)));
    cr_assert(eq(str, err.text,
                 "spelling \"ipone\": output is not in the form of queries: lower case, one space between "
                 "words, none at the ends"));
    buf_clear(&b);
    lists_begin(&lists, columns, 1);
    cr_assert(lists_end(&lists, &b, &err), "%s", err.text);
    cr_assert(not(read_made(buf_str(&b), STR(""), &err)));
    cr_assert(eq(str, err.text, "section \"spelling\" has 1 columns, not 3"));
    buf_release(&b);
}
