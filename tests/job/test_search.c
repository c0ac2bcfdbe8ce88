#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "job/search.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(search, .init = setup, .fini = teardown);

static bool read_config(const char *text, struct search_config *out, struct err *err)
{
    json_auto_t *root = json_parse(str_of(text), err);
    cr_assert(ne(ptr, root, NULL), "%s", text);
    return search_config_read(root, &arena, out, err);
}

static struct search_config config(const char *text)
{
    struct search_config c;
    struct err err;
    cr_assert(read_config(text, &c, &err), "%s", err.text);
    return c;
}

static const char *written(const struct search_config *c)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, 100000);
    jsonw_init(&w, &b);
    search_config_write(&w, NULL, c);
    const char *text = arena_cstr(&arena, buf_str(&b));
    buf_release(&b);
    return text;
}

Test(search, an_engine_has_its_own_request_and_place_of_documents)
{
    struct search_config solr = config("{\"engine\":\"solr\",\"url\":\"http://h:8983/solr/p/select\"}");
    cr_assert(eq(int,
                 strcmp(written(&solr), "{\"engine\":\"solr\",\"url\":\"http://h:8983/solr/p/"
                                        "select\",\"params\":\"q={{query}}&rows={{k}}&fl=id&wt=json\","
                                        "\"docs_path\":\"response.docs\",\"id_field\":\"id\"}"),
                 0),
              "%s", written(&solr));
    struct search_config es = config(
        "{\"engine\":\"elasticsearch\",\"url\":\"https://h/p/"
        "_search\",\"secret\":\"prod\",\"verify\":false,\"headers\":{\"X-Tenant\":\"a\"}}");
    cr_assert(str_eq_c(es.docs_path, "hits.hits"));
    cr_assert(str_eq_c(es.id_field, "_id"));
    cr_assert(not(es.verify));
    struct search_config again = config(written(&es));
    cr_assert(eq(int, strcmp(written(&again), written(&es)), 0)); /* a fixed point */
    cr_assert(eq(int, config("{\"engine\":\"run\"}").engine, SEARCH_RUN));
}

Test(search, what_is_wrong_is_named)
{
    static const char *const bad[][2] = {
        { "{\"engine\":\"lucene\"}", "field \"engine\" is \"lucene\"" },
        { "{\"engine\":\"solr\"}", "field \"url\" is missing" },
        { "{\"engine\":\"solr\",\"url\":\"ftp://h/\"}", "does not begin with http" },
        { "{\"engine\":\"solr\",\"url\":\"http://u:p@h/\"}", "has a user in it" },
        { "{\"engine\":\"solr\",\"url\":\"http://h/s?q=1\"}", "parameters go to" },
        { "{\"engine\":\"json\",\"url\":\"http://h/\"}", "nothing says what to ask" },
        { "{\"engine\":\"json\",\"url\":\"http://h/\",\"params\":\"q={{query\"}", "a {{ without }}" },
        { "{\"engine\":\"json\",\"url\":\"http://h/\",\"params\":\"q={{a b}}\"}", "which is no name" },
        { "{\"engine\":\"json\",\"url\":\"http://h/\",\"body\":7}", "is no text and no object" },
        { "{\"engine\":\"solr\",\"url\":\"http://h/\",\"headers\":{\"Authorization\":\"x\"}}", "file of secrets" },
        { "{\"engine\":\"solr\",\"url\":\"http://h/\",\"headers\":{\"X\":\"a\\r\\nb\"}}",
          "no text that a header may have" },
        { "{\"engine\":\"solr\",\"url\":\"http://h/\",\"headers\":{\"X Y\":\"a\"}}", "no text that a header may have" },
        { "{\"engine\":\"run\",\"url\":\"http://h/\"}", "\"url\"" },
    };
    struct search_config c;
    struct err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert(not(read_config(bad[i][0], &c, &err)), "%s", bad[i][0]);
        cr_assert(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s: %s", bad[i][0], err.text);
    }
}

static const struct search_value values[] = {
    { STR("query"), STR("a \"b\" & \xc3\xa4/+"), STR("\"a \\\"b\\\"\"") },
    { STR("k"), STR("10"), STR("10") },
};

static const char *filled(const char *template, bool body)
{
    struct buf b;
    struct err err;
    buf_init(&b, 1000);
    bool ok = body ? search_template_body(str_of(template), values, 2, &b, &err)
                   : search_template_query(str_of(template), values, 2, &b, &err);
    const char *text = arena_cstr(&arena, ok ? buf_str(&b) : str_of(err.text));
    buf_release(&b);
    return text;
}

Test(search, values_are_escaped_where_they_stand)
{
    static const char *const cases[][3] = {
        { "q", "q=%7B!x%7D{{query}}&rows={{ k }}", "q=%7B!x%7Da%20%22b%22%20%26%20%C3%A4%2F%2B&rows=10" },
        { "q", "q={{query}}&f={{colour}}", "the query has no parameter \"colour\", which the template names" },
        { "b", "{\"size\":{{k}},\"q\":\"x {{query}} {{k}}\",\"m\":{{query}}}",
          "{\"size\":10,\"q\":\"x a \\\"b\\\" & \xc3\xa4/+ 10\",\"m\":\"a \\\"b\\\"\"}" },
        { "b", "{\"a\\\"{{k}}\":{\"b\":{{k}}}}", "{\"a\\\"10\":{\"b\":10}}" },
        { "b", "{}", "{}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(eq(int, strcmp(filled(cases[i][1], cases[i][0][0] == 'b'), cases[i][2]), 0), "%s",
                  filled(cases[i][1], cases[i][0][0] == 'b'));
}

static const char *ids(const char *spec, const char *answer, size_t k)
{
    struct search_config c = config(spec);
    struct search_docs docs;
    struct err err;
    struct buf b;
    if (!search_docs_read(&c, str_of(answer), k, &arena, &docs, &err))
        return arena_cstr(&arena, str_of(err.text));
    buf_init(&b, 1000);
    for (size_t i = 0; i < docs.count; i++)
        buf_addf(&b, STR_FMT ",", STR_ARG(docs.ids[i]));
    buf_addf(&b, "%zu", docs.repeated);
    const char *text = arena_cstr(&arena, buf_str(&b));
    buf_release(&b);
    return text;
}

#define SOLR "{\"engine\":\"solr\",\"url\":\"http://h/s\"}"
#define ES "{\"engine\":\"elasticsearch\",\"url\":\"http://h/s\"}"
#define JSON(docs, id)                                                                             \
    "{\"engine\":\"json\",\"url\":\"http://h/s\",\"params\":\"q={{query}}\",\"docs_path\":\"" docs \
    "\",\"id_field\":\"" id "\"}"

Test(search, documents_of_answers)
{
    static const char *const cases[][3] = {
        { SOLR,
          "{\"responseHeader\":{\"status\":0},\"response\":{\"numFound\":3,\"docs\":[{\"id\":\"a\"},{\"id\":7},{\"id\":"
          "[\"c\"]}]}}",
          "a,7,c,0" },
        { SOLR,
          "{\"response\":{\"docs\":[{\"id\":\"a\"},{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"d\"}]}}",
          "a,b,c,1" },
        { SOLR, "{\"responseHeader\":{\"partialResults\":true},\"response\":{\"docs\":[]}}",
          "the answer says that its results are partial" },
        { SOLR, "{\"response\":{\"docs\":[]}}", "0" },
        { SOLR, "{\"response\":{\"docs\":[{\"sku\":1}]}}",
          "document 1 of the answer has no id of 1 to 512 bytes at \"id\"" },
        { SOLR, "{\"error\":{\"msg\":\"x\"}}", "the answer has nothing at \"response.docs\": \"response\" is missing" },
        { SOLR, "{\"response\":{\"docs\":{}}}", "what the answer has at \"response.docs\" is no list" },
        { ES, "{\"timed_out\":false,\"_shards\":{\"failed\":0},\"hits\":{\"hits\":[{\"_id\":\"1\"},{\"_id\":\"2\"}]}}",
          "1,2,0" },
        { ES, "{\"timed_out\":true,\"hits\":{\"hits\":[]}}", "the answer says that its time was up, so it is partial" },
        { ES, "{\"_shards\":{\"failed\":2},\"hits\":{\"hits\":[]}}", "the answer is partial: 2 shards failed" },
        { JSON("results.0.items", "doc.sku"), "{\"results\":[{\"items\":[{\"doc\":{\"sku\":\"x\"}}]}]}", "x,0" },
        { JSON("", ""), "[\"x\",\"y\"]", "x,y,0" },
        { JSON("a.9", ""), "{\"a\":[]}", "the answer has nothing at \"a.9\": \"9\" is missing" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(eq(int, strcmp(ids(cases[i][0], cases[i][1], 3), cases[i][2]), 0), "%zu: %s", i,
                  ids(cases[i][0], cases[i][1], 3));
    cr_assert(ne(ptr, strstr(ids(SOLR, "<html>", 3), "the answer is no JSON"), NULL));
    cr_assert(ne(ptr, strstr(ids(SOLR, "{\"response\":{\"docs\":[{\"id", 3), "the answer is no JSON"), NULL));
}
