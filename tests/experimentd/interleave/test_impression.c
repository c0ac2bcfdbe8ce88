/* What is kept of a list: enough to credit clicks, within the limit of a signal, once a query. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/json.h"
#include "experimentd/interleave/impression.h"

static const struct str variants[] = { { "bm25", 4 }, { "ltr", 3 } };
static const struct interleave_request query = { .unit = { "u", 1 }, .query_id = { "q-1", 3 } };

/* Ranking a: x y; ranking b: y z. Shown: y (of ltr), x (of nobody), z (of bm25). */
static const int32_t ranking_a[] = { 0, 1 }, ranking_b[] = { 1, 2 };
static struct str texts[] = { { "x", 1 }, { "y\"", 2 }, { "z", 1 } };
static const struct interleave_docs docs = { { 2, 3, { ranking_a, ranking_b }, { 2, 2 } }, texts, 2 };

static void expect_params(enum interleave_method method, const char *wanted)
{
    int32_t shown[] = { 1, 0, 2 };
    int8_t owners[] = { 1, INTERLEAVE_NEUTRAL, 0 };
    double credit[] = { 0.5, 0, 2 };
    const struct interleave_list list = { 3, shown, owners, credit };
    const struct impression im = { STR("ranker"), method, variants, &docs, &list };
    struct arena arena;
    struct signal s;
    struct err err;
    arena_init(&arena, 1024);
    impression_signal(&im, &query, &arena, &s);
    cr_expect(signal_check(&s, &arena, &err), "%s", err.text);
    cr_expect(str_eq_c(s.params, wanted), "%.*s", STR_ARG(s.params));
    arena_release(&arena);
}

Test(impression, holds_what_the_credit_of_its_method_needs)
{
    expect_params(INTERLEAVE_TEAM_DRAFT,
                  "{\"experiment\":\"ranker\",\"method\":\"team_draft\",\"length\":3,\"docs\":[\"y\\\"\",\"x\",\"z\"],"
                  "\"owners\":[\"ltr\",null,\"bm25\"]}");
    expect_params(INTERLEAVE_OPTIMIZED,
                  "{\"experiment\":\"ranker\",\"method\":\"optimized\",\"length\":3,\"docs\":[\"y\\\"\",\"x\",\"z\"],"
                  "\"owners\":[\"ltr\",null,\"bm25\"],\"credit\":[0.5,0,2]}");
    expect_params(INTERLEAVE_BALANCED,
                  "{\"experiment\":\"ranker\",\"method\":\"balanced\",\"length\":3,\"docs\":[\"y\\\"\",\"x\",\"z\"],"
                  "\"owners\":[\"ltr\",null,\"bm25\"],\"ranks\":[[2,1],[1,0],[0,2]]}");
}

static void id_of(const char *experiment, const char *query_id, unsigned char out[16])
{
    const struct interleave_list list = { 0, NULL, NULL, NULL };
    const struct impression im = { str_of(experiment), INTERLEAVE_TEAM_DRAFT, variants, &docs, &list };
    const struct interleave_request q = { .unit = STR("u"), .query_id = str_of(query_id) };
    struct arena arena;
    struct signal s;
    arena_init(&arena, 1024);
    impression_signal(&im, &q, &arena, &s);
    cr_expect(s.client_id, "a repeat is found by its id");
    memcpy(out, s.id, 16);
    arena_release(&arena);
}

Test(impression, has_the_id_of_its_experiment_and_query)
{
    unsigned char a[16], again[16], other[16];
    static const char *const others[][2] = { { "e", "q2" }, { "e2", "q" }, { "eq", "" }, { "", "eq" }, { "q", "e" } };
    id_of("e", "q", a);
    id_of("e", "q", again);
    cr_expect(memcmp(a, again, 16) == 0);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        id_of(others[i][0], others[i][1], other);
        cr_expect(memcmp(a, other, 16) != 0, "%s, %s", others[i][0], others[i][1]);
    }
}

/* Documents of the longest ids, a thousand of each ranking: the first that fit are kept, and how many were shown. */
Test(impression, of_a_long_list_keeps_the_first_that_fit)
{
    enum { N = INTERLEAVE_RANKING_MAX };
    static char ids[N][SIGNAL_DOC_MAX + 1];
    static struct str long_texts[N];
    static int32_t shown[N];
    static int8_t owners[N];
    static double credit[N];
    for (int i = 0; i < N; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "%0*d", SIGNAL_DOC_MAX, i);
        long_texts[i] = str_of(ids[i]);
        shown[i] = i;
    }
    const struct interleave_docs d = { { 2, N, { shown, shown }, { N, N } }, long_texts, N };
    const struct interleave_list list = { N, shown, owners, credit };
    for (unsigned method = 0; method < INTERLEAVE_METHOD_COUNT; method++) {
        const struct impression im = { STR("e"), (enum interleave_method)method, variants, &d, &list };
        struct arena arena;
        struct signal s;
        struct err err;
        arena_init(&arena, 1024);
        impression_signal(&im, &query, &arena, &s);
        cr_assert(signal_check(&s, &arena, &err), "%s", err.text);
        json_auto_t *params = json_parse(s.params, &err);
        cr_assert(ne(ptr, params, NULL), "%s", err.text);
        const json_t *kept = json_object_get(params, "docs");
        cr_expect(eq(sz, json_array_size(json_object_get(params, "owners")), json_array_size(kept)));
        cr_expect(eq(i64, json_integer_value(json_object_get(params, "length")), N));
        cr_expect(json_array_size(kept) > 110 && json_array_size(kept) < SIGNAL_PARAMS_MAX / SIGNAL_DOC_MAX);
        cr_expect(eq(str, (char *)(uintptr_t)json_string_value(json_array_get(kept, 110)), ids[110]));
        arena_release(&arena);
    }
}
