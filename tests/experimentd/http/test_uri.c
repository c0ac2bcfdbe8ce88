#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/http/conn.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 1024);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(uri, .init = setup, .fini = teardown);

Test(uri, a_target_is_split_into_path_and_query)
{
    static const struct {
        const char *target, *path, *query;
    } cases[] = {
        { "/a/b?c=d", "/a/b", "c=d" },
        { "/a", "/a", "" },
        { "/a?", "/a", "" },
        { "/a?b?c", "/a", "b?c" },
        { "http://host:1/x?y=z", "/x", "y=z" },
        { "http://host", "/", "" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str path, query;
        uri_split(str_of(cases[i].target), &path, &query);
        cr_assert(str_eq_c(path, cases[i].path), "%s", cases[i].target);
        cr_assert(str_eq_c(query, cases[i].query), "%s", cases[i].target);
    }
}

Test(uri, percent_escapes_are_decoded_or_refused)
{
    struct str out;
    cr_assert(http_percent_decode(&arena, STR("a%20b%C3%A9+"), false, &out));
    cr_assert(str_eq(out, STR("a b\xc3\xa9+")));
    cr_assert(http_percent_decode(&arena, STR("a+b"), true, &out));
    cr_assert(str_eq(out, STR("a b")));
    static const char *const bad[] = { "%", "%2", "%zz", "%00", "a%4", "%-1" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(not(http_percent_decode(&arena, str_of(bad[i]), false, &out)), "%s", bad[i]);
}

Test(uri, a_query_parameter_is_found_by_its_whole_name)
{
    struct http_request req = { .query = STR("units=no&unit=a%26b&unit=second&empty=&flag") };
    struct str out;
    arena_init(&req.arena, 256);
    cr_assert(http_query(&req, STR("unit"), &out));
    cr_assert(str_eq(out, STR("a&b")));
    cr_assert(http_query(&req, STR("empty"), &out));
    cr_assert(eq(sz, out.n, 0));
    cr_assert(http_query(&req, STR("flag"), &out));
    cr_assert(not(http_query(&req, STR("uni"), &out)));
    arena_release(&req.arena);
}

Test(uri, if_none_match_is_compared_weakly_and_one_by_one)
{
    static const struct {
        const char *header;
        bool match;
    } cases[] = { { "\"a\"", true },  { "W/\"a\"", true }, { "\"b\", \"a\"", true }, { "*", true },
                  { "\"b\"", false }, { "a", false },      { "\"ab\"", false },      { "", false } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_header h = { STR("if-none-match"), str_of(cases[i].header) };
        struct http_request req = { .headers = &h, .headers_count = 1 };
        cr_assert(eq(int, http_etag_matches(&req, STR("\"a\"")), cases[i].match), "%s", cases[i].header);
    }
}
