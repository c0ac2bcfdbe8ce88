#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "model/boosts.h"

struct line {
    const char *key, *entry;
    float values[3];
};

static const struct line docs[] = {
    { "desk lamp", "d2", { 3, 0.2f, 4 } },
    { "desk lamp", "d9", { 1, 0.05f, 2 } },
    { "lamp", "d1", { 20, 0.4f, 30 } },
    { "lamp", "d2", { 7, 0.1f, 9 } },
    { "lamp\x1f"
      "brand:x",
      "d7",
      { 5, 0.3f, 6 } },
    { "light", "d1", { 2, 0.6f, 3 } },
};
static const struct line others[] = { { "lamp", "desk lamp", { 0.5f } },
                                      { "lamp", "light", { 0.25f } },
                                      { "lamp", "nobody", { 0.9f } },
                                      { "leuchte", "lamp", { 0.8f } } };

struct model {
    struct arena arena;
    struct buf file;
    struct artifact artifact;
    struct boosts b;
};

static struct str section(struct arena *arena, const struct line *lines, size_t count, const char *const *columns,
                          size_t columns_count)
{
    struct lists_out o;
    struct buf out;
    struct err err;
    const char *last = NULL;
    buf_init(&out, 1 << 16);
    lists_begin(&o, columns, columns_count);
    for (size_t i = 0; i < count; i++) {
        if (!last || strcmp(last, lines[i].key) != 0)
            lists_key(&o, str_of(lines[i].key));
        last = lines[i].key;
        lists_add(&o, str_of(lines[i].entry), lines[i].values);
    }
    cr_assert(lists_end(&o, &out, &err), "%s", err.text);
    struct str bytes = arena_str(arena, buf_str(&out));
    buf_release(&out);
    return bytes;
}

static void open_model(struct model *m, size_t columns)
{
    static const char *const names[] = { "weight", "calibrated", "signals" }, *const score[] = { "score" };
    struct artifact_out o;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    arena_init(&m->arena, 1 << 14);
    buf_init(&m->file, 1 << 20);
    artifact_begin(&o, BOOSTS_KIND);
    artifact_add(&o, "boosts", section(&m->arena, docs, COUNT_OF(docs), names, columns));
    artifact_add(&o, "similar", section(&m->arena, others, COUNT_OF(others), score, 1));
    cr_assert(artifact_end(&o, &m->file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&m->file), &m->artifact, &err), "%s", err.text);
    cr_assert(boosts_open(&m->artifact, &m->b, &err), "%s", err.text);
}

static void close_model(struct model *m)
{
    buf_release(&m->file);
    arena_release(&m->arena);
}

static struct boosts_answer ask(struct model *m, struct boosts_request q)
{
    struct boosts_answer a;
    struct err err;
    q.n = q.n ? q.n : 10;
    cr_assert(boosts_for(&m->b, &q, &m->arena, &a, &err), "%s", err.text);
    return a;
}

#define IS(answer, i, text, value)                                         \
    do {                                                                   \
        cr_assert(str_eq_c((answer).boosts[i].doc, text));                 \
        cr_assert(epsilon_eq(dbl, (answer).boosts[i].boost, value, 1e-6)); \
    } while (0)

Test(boosts, a_query_raises_its_own_documents_by_the_classic_expression)
{
    struct model m;
    open_model(&m, 3);
    struct boosts_answer a = ask(&m, (struct boosts_request){ .query = STR("lamp") });
    cr_assert(eq(sz, a.count, 2));
    IS(a, 0, "d1", log(21) + 10 * log(2));
    IS(a, 1, "d2", log(8) + 10 * log(2));
    cr_assert(eq(int, (int)a.match, (int)BOOSTS_QUERY));
    cr_assert(eq(dbl, a.boosts[0].signals, 30));
    a = ask(&m, (struct boosts_request){ .query = STR("lamp"), .n = 1 });
    cr_assert(eq(sz, a.count, 1));
    a = ask(&m, (struct boosts_request){ .query = STR("nobody"), .similar = 10 });
    cr_assert(eq(sz, a.count, 0));
    cr_assert(eq(int, (int)a.match, (int)BOOSTS_NONE));
    close_model(&m);
}

Test(boosts, similar_queries_add_theirs_by_their_similarity)
{
    struct model m;
    open_model(&m, 3);
    struct boosts_answer a = ask(&m, (struct boosts_request){ .query = STR("lamp"), .similar = 10 });
    cr_assert(eq(sz, a.count, 3));
    cr_assert(eq(u32, a.similar, 2), "one of the three has no documents");
    IS(a, 0, "d1", log(21) + 10 * log(2));
    IS(a, 2, "d9", log(2) + 10 * log(1.5));
    cr_assert(str_eq_c(a.boosts[2].by, "desk lamp"));
    cr_assert(epsilon_eq(dbl, a.boosts[2].similarity, 0.5, 1e-6));
    a = ask(&m, (struct boosts_request){
                    .query = STR("lamp"), .similar = 10, .min_similarity = 0.3, .rollup = BOOSTS_SUM });
    cr_assert(eq(u32, a.similar, 1));
    IS(a, 0, "d2", log(8) + 10 * log(2) + log(4) + 10 * log(1.5));
    cr_assert(str_eq_c(a.boosts[0].by, "lamp"), "the query that counts most");
    a = ask(&m, (struct boosts_request){ .query = STR("leuchte"), .similar = 10 }); /* which has none of its own */
    IS(a, 0, "d1", log(21) + 10 * log(1.8));
    close_model(&m);
}

Test(boosts, calibrated_ones_are_shares)
{
    struct model m;
    struct boosts_answer a;
    struct err err;
    open_model(&m, 3);
    a = ask(&m, (struct boosts_request){ .query = STR("lamp"), .similar = 10, .expression = BOOSTS_CALIBRATED });
    IS(a, 0, "d1", 0.4); /* its own, above 0.6 * 0.25 */
    IS(a, 1, "d2", 0.1); /* equal to 0.2 * 0.5 */
    IS(a, 2, "d9", 0.025);
    close_model(&m);
    open_model(&m, 1);
    struct boosts_request q = { .query = STR("lamp"), .n = 3, .expression = BOOSTS_CALIBRATED };
    cr_assert_not(boosts_for(&m.b, &q, &m.arena, &a, &err));
    cr_assert_not_null(strstr(err.text, "no calibrated weights"));
    close_model(&m);
}

Test(boosts, filters_have_documents_of_their_own_or_those_of_the_query)
{
    struct model m;
    open_model(&m, 3);
    struct boosts_answer a = ask(&m, (struct boosts_request){ .query = STR("lamp"), .filters = STR("brand:x") });
    cr_assert(eq(sz, a.count, 1));
    cr_assert(str_eq_c(a.boosts[0].doc, "d7"));
    cr_assert(eq(int, (int)a.match, (int)BOOSTS_QUERY_AND_FILTERS));
    a = ask(&m, (struct boosts_request){ .query = STR("lamp"), .filters = STR("brand:y") });
    cr_assert(eq(sz, a.count, 2));
    cr_assert(eq(int, (int)a.match, (int)BOOSTS_QUERY));
    close_model(&m);
}

Test(boosts, a_scale_gives_least_and_greatest)
{
    struct model m;
    open_model(&m, 3);
    struct boosts_answer a = ask(
        &m, (struct boosts_request){ .query = STR("lamp"), .similar = 10, .scale_low = 1.1, .scale_high = 5 });
    cr_assert(epsilon_eq(dbl, a.boosts[0].boost, 5, 1e-9));
    cr_assert(epsilon_eq(dbl, a.boosts[2].boost, 1.1, 1e-9));
    a = ask(&m, (struct boosts_request){ .query = STR("light"), .scale_low = 1.1, .scale_high = 5 });
    cr_assert(epsilon_eq(dbl, a.boosts[0].boost, 5, 1e-9), "one alone");
    close_model(&m);
}
