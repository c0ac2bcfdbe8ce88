#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "experimentd/ingest/dimensions.h"
#include "experimentd/ingest/journal/record.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(dimensions, .init = setup, .fini = teardown);

static struct dimensions declared(const char *list)
{
    struct dimensions d;
    struct err err;
    cr_assert(dimensions_init(&d, list, &err), "%s", err.text);
    return d;
}

/* What is kept of them; "-": nothing. */
static char *kept(const char *list, const char *attributes)
{
    struct dimensions d = declared(list);
    struct str dims = dimensions_of_json(&d, str_of(attributes), &arena);
    return dims.p ? arena_cstr(&arena, dims) : arena_cstr(&arena, STR("-"));
}

Test(dimensions, only_what_is_declared_is_kept_in_the_order_declared)
{
    cr_expect(eq(str, kept("device,country", "{\"email\":\"a@b.c\",\"country\":\"DE\",\"device\":\"phone\"}"),
                 "{\"device\":\"phone\",\"country\":\"DE\"}"));
    cr_expect(eq(str, kept(" country ", "{\"country\":\"DE\",\"device\":\"phone\"}"), "{\"country\":\"DE\"}"));
    cr_expect(eq(str, kept("country", "{\"device\":\"phone\"}"), "-"));
    cr_expect(eq(str, kept("", "{\"device\":\"phone\"}"), "-"));
}

Test(dimensions, values_become_texts_or_are_none)
{
    cr_expect(eq(str, kept("a,b,c,d", "{\"a\":3,\"b\":1.50,\"c\":true,\"d\":1e21}"),
                 "{\"a\":\"3\",\"b\":\"1.5\",\"c\":\"true\",\"d\":\"1e+21\"}"));
    cr_expect(eq(str, kept("a,b,c,d", "{\"a\":null,\"b\":\"\",\"c\":[1],\"d\":{\"x\":1}}"), "-"));
    cr_expect(eq(str, kept("a,b", "{\"a\":false,\"b\":\"say \\\"ja\\\"\\n\"}"),
                 "{\"a\":\"false\",\"b\":\"say \\\"ja\\\"\\n\"}"));
}

Test(dimensions, what_postgresql_cannot_store_is_left_out)
{
    cr_expect(eq(str, kept("a,b", "{\"a\":\"x\\u0000y\",\"b\":\"ok\"}"), "{\"b\":\"ok\"}"));
    cr_expect(eq(str, kept("a", "{\"a\":\"\\ud800\"}"), "{\"a\":\"\xef\xbf\xbd\"}"), "half a pair is U+FFFD");
    cr_expect(eq(str, kept("a", "{\"a\":\"open"), "-"));
    cr_expect(eq(str, kept("a", "[1]"), "-"));
    cr_expect(eq(str, kept("a", "null"), "-"));
}

Test(dimensions, a_long_value_is_cut_between_characters)
{
    struct str text = arena_printf(&arena, "{\"a\":\"%099dé\"}", 0);
    cr_expect(eq(str, kept("a", text.p), arena_printf(&arena, "{\"a\":\"%099d\"}", 0).p));
    text = arena_printf(&arena, "{\"a\":\"%0300d\"}", 0);
    cr_expect(eq(str, kept("a", text.p), arena_printf(&arena, "{\"a\":\"%0100d\"}", 0).p));
}

Test(dimensions, eight_values_full_of_escapes_have_room)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < DIMENSIONS_MAX; i++) {
        buf_addf(&b, "%s\"%060d%d\":\"", i ? "," : "{", 0, i);
        for (int k = 0; k < DIMENSION_VALUE_MAX; k++)
            buf_add_c(&b, "\\u0001");
        buf_add_byte(&b, '"');
    }
    buf_add_byte(&b, '}');
    struct str list = STR("");
    for (int i = 0; i < DIMENSIONS_MAX; i++)
        list = arena_printf(&arena, "%.*s%s%060d%d", STR_ARG(list), i ? "," : "", 0, i);
    cr_expect(eq(str, kept(list.p, b.p), b.p));
    buf_release(&b);
}

Test(dimensions, a_declaration_that_makes_no_sense_is_refused)
{
    static const struct {
        const char *list, *why;
    } wrong[] = {
        { "a,,b", "a name has 0 bytes" },
        { "a,b,a", "names \"a\" twice" },
        { "a=b", "may only hold" },
        { "a,b,c,d,e,f,g,h,i", "more than 8" },
        { "a2345678901234567890123456789012345678901234567890123456789012345", "a name has 65 bytes" },
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct dimensions d;
        struct err err = { 0 };
        bool taken = dimensions_init(&d, wrong[i].list, &err);
        cr_expect(not(taken), "%s", wrong[i].list);
        cr_expect(ne(ptr, strstr(err.text, wrong[i].why), NULL), "%s", err.text);
        cr_expect(ne(ptr, strstr(err.text, "exposure.dimensions"), NULL), "%s", err.text);
    }
}

static struct str payload_of(const struct buf *b)
{
    enum record_type type = RECORD_NONE;
    struct str payload = { NULL, 0 };
    size_t size;
    cr_assert(eq(int, record_read(buf_str(b), &type, &payload, &size), RECORD_WHOLE));
    cr_assert(eq(int, type, RECORD_EXPOSURE));
    return payload;
}

Test(dimensions, a_record_carries_them_and_an_old_one_has_none)
{
    struct exposure e = { .at_us = 5,
                          .experiment = STR("x"),
                          .variant = STR("a"),
                          .unit = STR("u"),
                          .attributes = STR("{\"secret\":1}"),
                          .dims = STR("{\"device\":\"phone\"}") };
    struct exposure back = { .attributes = STR("stale") };
    struct buf b;
    buf_init(&b, 1 << 16);
    record_write_exposure(&b, &e);
    struct str payload = payload_of(&b);
    cr_assert(record_parse_exposure(payload, &back));
    cr_expect(str_eq(back.dims, e.dims));
    cr_expect(str_eq(back.unit, e.unit));
    cr_expect(eq(ptr, (void *)(uintptr_t)back.attributes.p, NULL));
    cr_expect(eq(ptr, memmem(b.p, b.n, "secret", 6), NULL), "attributes are never stored");
    /* As it was written before there were dimensions: nothing stands behind the unit. */
    payload.n -= 4 + e.dims.n;
    cr_assert(record_parse_exposure(payload, &back));
    cr_expect(eq(ptr, (void *)(uintptr_t)back.dims.p, NULL));
    cr_expect(str_eq(back.unit, e.unit));
    payload.n += 2; /* half a length is damage */
    cr_expect(not(record_parse_exposure(payload, &back)));
    buf_release(&b);
}
