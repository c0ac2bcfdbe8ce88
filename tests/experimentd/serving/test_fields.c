#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "experimentd/serving/fields.h"

enum { NAME, SIZE, EXACT, TAGS, WHERE, COUNT };
static const struct field fields[COUNT] = {
    { "name", FIELD_TEXT }, { "size", FIELD_NUMBER }, { "exact", FIELD_BOOL },
    { "tags", FIELD_LIST }, { "where", FIELD_JSON },
};

static bool read(struct http_request *req, const char *query, const char *body, struct assign_value *out,
                 struct err *err)
{
    *req = (struct http_request){ .method = body ? HTTP_POST_ : HTTP_GET_,
                                  .query = str_of(query),
                                  .body = str_of(body) };
    arena_init(&req->arena, 4096);
    return fields_of_request(req, fields, COUNT, out, err);
}

Test(fields, a_query_string_and_a_body_say_the_same)
{
    struct http_request req;
    struct assign_value v[COUNT];
    struct err err;
    for (int post = 0; post < 2; post++) {
        cr_assert(
            read(&req, post ? "" : "name=a+b%21&size=2.5&exact=yes&tags=x&tags=y%26z&where=%7B%22a%22%3A1%7D",
                 post ? "{\"name\":\"a b!\",\"size\":2.5,\"exact\":true,\"tags\":[\"x\",\"y&z\"],\"where\":{\"a\":1}}"
                      : NULL,
                 v, &err),
            "%s", err.text);
        cr_assert(str_eq_c(field_text(&v[NAME]), "a b!"));
        cr_assert(eq(dbl, v[SIZE].number, 2.5));
        cr_assert(field_bool(&v[EXACT], false));
        cr_assert(eq(u32, v[TAGS].count, 2));
        cr_assert(str_eq_c(field_text(&v[TAGS].items[1]), "y&z"));
        cr_assert(eq(int, (int)v[WHERE].type, (int)ASSIGN_OBJECT));
        arena_release(&req.arena);
    }
}

Test(fields, a_list_of_any_length_keeps_its_order)
{
    struct http_request req;
    struct assign_value v[COUNT];
    struct err err;
    struct buf query;
    for (int n = 1; n <= FIELD_LIST_MAX; n += n < 20 ? 1 : 97) {
        buf_init(&query, 1 << 20);
        for (int i = 0; i < n; i++)
            buf_addf(&query, "tags=%d&", i);
        cr_assert(read(&req, query.p, NULL, v, &err), "%s", err.text);
        cr_assert(eq(u32, v[TAGS].count, (uint32_t)n));
        for (int i = 0; i < n; i++) {
            char want[16];
            (void)snprintf(want, sizeof want, "%d", i);
            cr_assert(str_eq_c(field_text(&v[TAGS].items[i]), want));
        }
        arena_release(&req.arena);
        buf_release(&query);
    }
}

Test(fields, what_is_missing_or_null_is_missing)
{
    struct http_request req;
    struct assign_value v[COUNT];
    struct err err;
    double number;
    struct str text;
    cr_assert(read(&req, "", "{\"name\":null}", v, &err));
    cr_assert_null(field_text(&v[NAME]).p);
    cr_assert(field_bool(&v[EXACT], true));
    cr_assert(field_number(&v[SIZE], "size", 0, 1, false, 7, &number, &err));
    cr_assert(eq(dbl, number, 7));
    cr_assert(field_short(&v[NAME], "name", false, 10, &text, &err));
    cr_assert_not(field_short(&v[NAME], "name", true, 10, &text, &err));
    cr_assert(eq(str, err.text, "field \"name\" is missing"));
    arena_release(&req.arena);
}

Test(fields, what_cannot_be_is_named)
{
    static const struct {
        const char *query, *body, *says;
    } cases[] = {
        { "nam=a", NULL, "unknown field \"nam\" (did you mean \"name\"?)" },
        { "name=a&name=b", NULL, "field \"name\" is there twice" },
        { "size=x", NULL, "field \"size\": " },
        { "exact=perhaps", NULL, "field \"exact\": " },
        { "where=[]", NULL, "field \"where\": it is a list, not an object" },
        { "where=%7B", NULL, "field \"where\": not valid JSON" },
        { "name=%zz", NULL, "holds a bad percent escape" },
        { "", "{\"size\":\"1\"}", "field \"size\" is a string, not a number" },
        { "", "[1]", "the request is a list, not an object" },
        { "", "{", "not valid JSON" },
        { "name=a", "{}", "a POST has its fields in the body" },
    };
    struct http_request req;
    struct assign_value v[COUNT];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = { 0 };
        cr_assert_not(read(&req, cases[i].query, cases[i].body, v, &err), "case %zu", i);
        cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
        arena_release(&req.arena);
    }
}
