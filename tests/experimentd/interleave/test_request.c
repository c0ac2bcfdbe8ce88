#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/interleave/request.h"

static const struct str variants[] = { { "bm25", 4 }, { "ltr", 3 } };

static bool read(const char *body, struct arena *arena, json_t **out_root, struct interleave_request *q,
                 struct interleave_docs *d, struct err *err)
{
    *out_root = json_parse(str_of(body), err);
    cr_assert(ne(ptr, *out_root, NULL), "%s", err->text);
    return interleave_request_read(*out_root, arena, q, err) && interleave_request_docs(q, variants, 2, arena, d, err);
}

#define HEAD "{\"unit\":\"u\",\"query_id\":\"q\",\"experiment\":\"e\","

Test(request, rankings_become_numbers_in_the_order_of_the_variants)
{
    struct arena arena;
    struct interleave_request q;
    struct interleave_docs d;
    struct err err;
    json_t *root;
    arena_init(&arena, 1024);
    cr_assert(read(HEAD "\"rankings\":{\"ltr\":[\"b\",\"a\",\"ab\"],\"bm25\":[\"a\",\"b\"]},\"length\":7}", &arena,
                   &root, &q, &d, &err));
    cr_expect(eq(sz, q.length, 7));
    cr_expect(eq(sz, d.longest, 3));
    cr_expect(eq(sz, d.rankings.docs_count, 3));
    cr_expect(eq(sz, d.rankings.lengths[0], 2));
    static const char *const texts[2][3] = { { "a", "b" }, { "b", "a", "ab" } };
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < d.rankings.lengths[t]; i++)
            cr_expect(str_eq_c(d.texts[d.rankings.docs[t][i]], texts[t][i]));
    json_decref(root);
    arena_release(&arena);
}

Test(request, each_refusal_names_its_field)
{
    static const struct {
        const char *body, *why;
    } cases[] = {
        { "[]", "request is a list, not an object" },
        { "{\"query_id\":\"q\",\"experiment\":\"e\",\"rankings\":{}}", "request: field \"unit\" is missing" },
        { "{\"unit\":\"\",\"query_id\":\"q\",\"experiment\":\"e\",\"rankings\":{}}",
          "request: field \"unit\" must have 1 to 256 bytes, not 0" },
        { "{\"unit\":\"u\",\"experiment\":\"e\",\"rankings\":{}}", "request: field \"query_id\" is missing" },
        { HEAD "\"rankings\":[]}", "request: field \"rankings\" is a list, not an object" },
        { HEAD "\"rankings\":{},\"length\":0}", "request: field \"length\" is 0, not between 1 and 10000" },
        { HEAD "\"rankings\":{},\"length\":10001}", "request: field \"length\" is 10001, not between 1 and 10000" },
        { HEAD "\"rankings\":{},\"lenght\":1}", "request: unknown field \"lenght\" (did you mean \"length\"?)" },
        { HEAD "\"rankings\":{\"bm25\":[]}}",
          "request: field \"rankings.ltr\" is missing: every variant needs its ranking" },
        { HEAD "\"rankings\":{\"bm25\":[],\"ltr\":[],\"new\":[]}}",
          "request: field \"rankings.new\" names no variant of the experiment" },
        { HEAD "\"rankings\":{\"bm25\":{},\"ltr\":[]}}",
          "request: field \"rankings.bm25\" is not a list of document ids" },
        { HEAD "\"rankings\":{\"bm25\":[\"a\",7],\"ltr\":[]}}",
          "request: field \"rankings.bm25\" element 1 is not a string" },
        { HEAD "\"rankings\":{\"bm25\":[\"\"],\"ltr\":[]}}",
          "request: field \"rankings.bm25\" element 0 must have 1 to 512 bytes, not 0" },
        { HEAD "\"rankings\":{\"bm25\":[\"a\"],\"ltr\":[\"x\",\"a\",\"b\",\"x\"]}}",
          "request: field \"rankings.ltr\" element 3 repeats \"x\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct interleave_request q;
        struct interleave_docs d;
        struct err err;
        json_t *root;
        arena_init(&arena, 1024);
        cr_expect(eq(int, read(cases[i].body, &arena, &root, &q, &d, &err), 0), "%s", cases[i].body);
        cr_expect(eq(str, err.text, (char *)(uintptr_t)cases[i].why));
        json_decref(root);
        arena_release(&arena);
    }
}

static const char *many_docs(struct buf *b, size_t n)
{
    buf_init(b, 1 << 20);
    buf_add_c(b, HEAD "\"rankings\":{\"bm25\":[],\"ltr\":[");
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%s\"doc-%zu\"", i ? "," : "", i);
    buf_add_c(b, "]}}");
    return b->p;
}

Test(request, a_ranking_has_a_thousand_documents_at_most)
{
    for (size_t n = INTERLEAVE_RANKING_MAX; n <= INTERLEAVE_RANKING_MAX + 1; n++) {
        struct arena arena;
        struct buf b;
        struct interleave_request q;
        struct interleave_docs d;
        struct err err;
        json_t *root;
        arena_init(&arena, 1024);
        cr_expect(eq(int, read(many_docs(&b, n), &arena, &root, &q, &d, &err), n == INTERLEAVE_RANKING_MAX));
        json_decref(root);
        buf_release(&b);
        arena_release(&arena);
    }
}
