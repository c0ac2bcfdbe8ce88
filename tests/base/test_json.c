#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"

/* Reads {"key", "coverage"?, "count"?, "on"?, "list"?, "map"?, "any"?} as the handlers do. */
struct sample {
    struct str key;
    double coverage;
    int64_t count;
    bool on;
    json_t *list, *map, *any;
};

static bool read_sample(json_t *root, struct sample *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, root, "experiment");
    json_get_str(&r, "key", JSON_REQUIRED, &out->key, arena);
    json_get_double(&r, "coverage", JSON_OPTIONAL, &out->coverage);
    json_get_i64(&r, "count", JSON_OPTIONAL, &out->count);
    json_get_bool(&r, "on", JSON_OPTIONAL, &out->on);
    json_get_array(&r, "list", JSON_OPTIONAL, &out->list);
    json_get_object(&r, "map", JSON_OPTIONAL, &out->map);
    json_get_any(&r, "any", JSON_OPTIONAL, &out->any);
    if (out->coverage > 1)
        json_fail(&r, "coverage", "is %g, not between 0 and 1", out->coverage);
    return json_reader_close(&r, err);
}

Test(json, reads_every_kind)
{
    struct err err;
    struct sample s = { 0 };
    struct arena arena;
    arena_init(&arena, 256);
    json_t *root = json_parse(
        STR("{\"key\":\"größe\",\"coverage\":1,\"count\":3.0,\"on\":true,\"list\":[1],\"map\":{},\"any\":null}"), &err);
    cr_assert(root && read_sample(root, &s, &arena, &err), "%s", err.text);
    cr_assert(s.any && json_is_null(s.any));
    json_decref(root);
    cr_assert(str_eq_c(s.key, "größe"));
    cr_assert(eq(dbl, s.coverage, 1.0));
    cr_assert(eq(i64, s.count, 3));
    cr_assert(s.on && s.list && s.map);
    arena_release(&arena);
}

Test(json, absent_and_null_optional_fields_leave_the_value)
{
    struct err err;
    struct sample s = { .coverage = 0.5, .count = 7 };
    json_t *root = json_parse(STR("{\"key\":\"a\",\"coverage\":null}"), &err);
    cr_assert(read_sample(root, &s, NULL, &err), "%s", err.text);
    cr_assert(eq(dbl, s.coverage, 0.5));
    cr_assert(eq(i64, s.count, 7));
    cr_assert(s.any == NULL);
    json_decref(root);
}

Test(json, errors_name_object_field_and_reason)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "{\"key\":\"a\",\"coverage\":\"x\"}", "experiment: field \"coverage\" is a string, not a number" },
        { "{\"key\":\"a\",\"coverge\":1}", "experiment: unknown field \"coverge\" (did you mean \"coverage\"?)" },
        { "{\"key\":\"a\",\"wholly_other\":1}", "experiment: unknown field \"wholly_other\"" },
        { "{\"coverage\":1}", "experiment: field \"key\" is missing" },
        { "{\"key\":null}", "experiment: field \"key\" is null, not a string" },
        { "{\"key\":{}}", "experiment: field \"key\" is an object, not a string" },
        { "{\"key\":\"a\",\"count\":1.5}", "experiment: field \"count\" is 1.5, not a whole number" },
        { "{\"key\":\"a\",\"count\":1e300}", "experiment: field \"count\" is 1e+300, not a whole number" },
        { "{\"key\":\"a\",\"count\":true}", "experiment: field \"count\" is true, not a whole number" },
        { "{\"key\":\"a\",\"on\":1}", "experiment: field \"on\" is a number, not true or false" },
        { "{\"key\":\"a\",\"list\":{}}", "experiment: field \"list\" is an object, not a list" },
        { "{\"key\":\"a\",\"map\":[]}", "experiment: field \"map\" is a list, not an object" },
        { "{\"key\":\"a\",\"coverage\":2}", "experiment: field \"coverage\" is 2, not between 0 and 1" },
        { "{\"key\":1,\"coverage\":\"x\"}", "experiment: field \"key\" is a number, not a string" },
        { "[]", "experiment is a list, not an object" },
        { "3", "experiment is a number, not an object" },
        { "{\"key\":\"a\",\"\\u0007bell\":1}", "experiment: unknown field \"?bell\"" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = { 0 };
        struct sample s = { 0 };
        json_t *root = json_parse(str_of(cases[i].text), &err);
        cr_assert(root != NULL, "%s", err.text);
        cr_assert(not(read_sample(root, &s, NULL, &err)), "%s", cases[i].text);
        cr_assert(eq(int, (int)err.kind, ERR_INVALID));
        cr_assert(eq(str, err.text, cases[i].error));
        json_decref(root);
    }
}

Test(json, a_long_unknown_name_is_cut_between_characters)
{
    struct err err;
    struct json_reader r;
    struct buf b;
    buf_init(&b, 4096);
    buf_add_c(&b, "{\"x");
    for (int i = 0; i < 100; i++)
        buf_add_c(&b, "ä");
    buf_add_c(&b, "\":1}");
    json_t *root = json_parse(buf_str(&b), &err);
    json_reader_open(&r, root, "thing");
    cr_assert(not(json_reader_close(&r, &err)));
    cr_assert(str_is_utf8(str_of(err.text)));
    json_decref(root);
    buf_release(&b);
}

Test(json, refuses_what_is_no_json)
{
    static const char *const bad[] = { "",    "{",    "{\"a\":1,}",  "{\"a\":1,\"a\":2}", "{'a':1}", "nan",
                                       "1 2", "\xff", "\"\\u0000\"", "\"\xc3\"",          "[1e999]", "{\"a\":1}x" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = { 0 };
        cr_assert(json_parse(str_of(bad[i]), &err) == NULL, "%s", bad[i]);
        cr_assert(eq(int, (int)err.kind, ERR_INVALID));
        struct str wanted = str_is_utf8(str_of(bad[i])) ? STR("not valid JSON: line 1, column ")
                                                        : STR("not valid JSON: it holds bytes that are not UTF-8");
        cr_assert(str_starts(str_of(err.text), wanted), "%s", err.text);
    }
}

static json_t *parse_nested(size_t levels, char open, char close, struct err *err)
{
    struct buf b;
    buf_init(&b, 1 << 22);
    for (size_t i = 0; i < levels; i++) {
        buf_add_byte(&b, open);
        if (open == '{')
            buf_add_c(&b, "\"]}\\\"\":");
    }
    if (open == '{')
        buf_add_byte(&b, '1');
    for (size_t i = 0; i < levels; i++)
        buf_add_byte(&b, close);
    json_t *root = json_parse(buf_str(&b), err);
    buf_release(&b);
    return root;
}

Test(json, nesting_is_limited_before_anything_recurses)
{
    struct err err;
    for (int i = 0; i < 2; i++) {
        char open = "[{"[i], close = "]}"[i];
        json_t *root = parse_nested(64, open, close, &err);
        cr_assert(root != NULL, "%s", err.text);
        json_decref(root);
        cr_assert(parse_nested(65, open, close, &err) == NULL);
        cr_assert(eq(str, err.text, "JSON is nested deeper than 64 levels"));
        cr_assert(parse_nested(1000000, open, close, &err) == NULL);
    }
}

Test(jsonw, writes_nesting_commas_and_escapes)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, 1024);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "text", STR("a\"\n\x01ß"));
    jsonw_open(&w, "list", '[');
    jsonw_i64(&w, NULL, -1);
    jsonw_double(&w, NULL, 0.1);
    jsonw_double(&w, NULL, (double)INFINITY);
    jsonw_bool(&w, NULL, true);
    jsonw_open(&w, NULL, '{');
    jsonw_close(&w);
    jsonw_close(&w);
    jsonw_text(&w, "none", NULL);
    jsonw_time(&w, "at", INT64_C(1795521600000000));
    jsonw_raw(&w, "raw", STR("[1]"));
    jsonw_close(&w);
    cr_assert(eq(str, b.p,
                 "{\"text\":\"a\\\"\\n\\u0001ß\",\"list\":[-1,0.1,null,true,{}],\"none\":null,"
                 "\"at\":\"2026-11-24T12:00:00Z\",\"raw\":[1]}"));
    buf_release(&b);
}

Test(json, what_was_given_comes_out_as_it_went_in)
{
    static const char *const texts[] = {
        "{\"z\":1,\"a\":[],\"m\":{}}",
        "[0.1,-7,9223372036854775807,1e+300,true,false,null,[[\"\"]]]",
        "\"é\\\"\\\\\\n\\u0001🦄\"",
        "3",
        "null",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct err err;
        json_auto_t *v = json_parse(str_of(texts[i]), &err);
        AUTO(buf_release) struct buf b;
        buf_init(&b, 1000);
        cr_assert(v != NULL, "%s", err.text);
        json_write(&b, v);
        cr_assert(eq(str, b.p, (char *)(uintptr_t)texts[i]));
    }
}
