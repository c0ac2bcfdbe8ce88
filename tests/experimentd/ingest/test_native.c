#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "experimentd/ingest/formats/native.h"
#include "experimentd/ingest/formats/pull.h"

#define NOW INT64_C(1790000000000000)

static struct arena arena;
static uint64_t state = 20261124;

static unsigned draw(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static void setup(void)
{
    arena_init(&arena, 4096);
    clock_freeze(NOW);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(native, .init = setup, .fini = teardown);

/* ---- the oracle: jansson says whether a text is JSON; our reader is stricter only where it says so ---- */

static void random_json(struct buf *b, int depth)
{
    static const char *const scalars[] = { "1",
                                           "-0.5e3",
                                           "0",
                                           "true",
                                           "false",
                                           "null",
                                           "\"\"",
                                           "\"a\\n\\u00e9\\ud83d\\ude00\"",
                                           "\"\xc3\xa9\"",
                                           "12345678901234567",
                                           "1e10",
                                           "\"\\\\\\\"\"" };
    unsigned kind = depth > 4 ? 0 : draw(4);
    if (kind < 2) {
        buf_add_c(b, scalars[draw(COUNT_OF(scalars))]);
        return;
    }
    unsigned n = draw(4);
    buf_add_byte(b, kind == 2 ? '[' : '{');
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_add_c(b, draw(2) ? "," : " , ");
        if (kind == 3)
            buf_addf(b, "\"k%u\":", i);
        random_json(b, depth + 1);
    }
    buf_add_byte(b, kind == 2 ? ']' : '}');
}

static void damage(struct buf *b)
{
    static const char bytes[] = "{}[]\",:\\u019eE+-. \ntrufalsn\xff\x01";
    for (unsigned n = 1 + draw(2); n && b->n; n--) {
        size_t at = draw((unsigned)b->n);
        if (draw(3) == 0)
            memmove(b->p + at, b->p + at + 1, --b->n - at);
        else
            b->p[at] = bytes[draw(sizeof bytes - 1)];
    }
}

Test(native, the_pull_reader_takes_what_jansson_takes)
{
    unsigned taken = 0, refused = 0;
    for (int round = 0; round < 60000; round++) {
        struct buf b;
        struct pull p;
        buf_init(&b, 1 << 20);
        random_json(&b, 0);
        if (round % 2)
            damage(&b);
        pull_init(&p, buf_str(&b), &arena);
        bool ours = pull_skip(&p, NULL) && pull_at_end(&p);
        json_t *theirs = json_loadb(b.p ? b.p : "", b.n, JSON_DECODE_ANY, NULL);
        cr_assert(ours == (theirs != NULL), "%.*s: we say %s (%s)", (int)b.n, b.p, ours ? "yes" : "no", p.err.text);
        taken += ours;
        refused += !ours;
        json_decref(theirs);
        buf_release(&b);
        arena_reset(&arena);
    }
    cr_assert(taken > 20000 && refused > 5000, "%u taken, %u refused: the test tests nothing", taken, refused);
}

Test(native, strings_are_unescaped_as_jansson_does)
{
    static const char text[] = "\"a\\tb\\/\\u20ac\\ud83d\\ude00 \xc3\xbc\"";
    struct pull p;
    struct str got;
    json_auto_t *theirs = json_loads(text, JSON_DECODE_ANY, NULL);
    pull_init(&p, str_of(text), &arena);
    cr_assert(pull_string(&p, &got));
    cr_assert(str_eq(got, str_of(json_string_value(theirs))));
}

Test(native, a_whole_signal_is_read)
{
    struct signal s;
    struct err err;
    cr_assert(native_parse(STR("{\"id\":\"order-1\",\"type\":\"click\",\"timestamp\":\"2026-09-21T10:00:00Z\",\"unit\":"
                               "\"u\",\"session\":\"s\","
                               "\"query_id\":\"q\",\"query\":\"caf\\u00e9\",\"doc\":\"d\",\"position\":3,\"value\":1.5,"
                               "\"params\":{\"a\":[1]}}"),
                           NOW, &arena, &s, &err),
              "%s", err.text);
    cr_assert(s.client_id);
    cr_assert(eq(int, s.position, 3));
    cr_assert(epsilon_eq(dbl, s.value, 1.5, 0));
    cr_assert(str_eq(s.query, STR("caf\xc3\xa9")));
    cr_assert(str_eq(s.params, STR("{\"a\":[1]}")));
}

Test(native, the_same_id_gives_the_same_bytes_and_a_uuid_is_kept)
{
    unsigned char a[16], b[16], c[16];
    native_id(STR("order-1"), a);
    native_id(STR("order-1"), b);
    native_id(STR("01a20de4-d9fd-7fe7-a53a-3a89101f3797"), c);
    cr_assert(eq(int, memcmp(a, b, 16), 0));
    cr_assert(eq(int, c[0], 0x01));
    cr_assert(eq(int, c[15], 0x97));
}

static const struct {
    const char *text, *says;
} faults[] = {
    { "{\"unit\":\"u\"}", "field \"type\" is missing" },
    { "{\"type\":\"click\"}", "field \"unit\" is missing" },
    { "{\"type\":7,\"unit\":\"u\"}", "field \"type\" is a number, not a string" },
    { "{\"type\":\"Click\",\"unit\":\"u\"}", "may only hold" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"position\":0}", "field \"position\" is 0" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"position\":1.5}", "field \"position\" is 1.5" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"clicks\":1}", "unknown field \"clicks\"" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"unit\":\"v\"}", "field \"unit\" is there twice" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"params\":[]}", "field \"params\" is an array" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"timestamp\":\"yesterday\"}", "field \"timestamp\"" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"timestamp\":\"1970-01-02T00:00:00Z\"}", "before 1990" },
    { "{\"type\":\"click\",\"unit\":\"a\\u0000b\"}", "\\u0000" },
    { "{\"type\":\"click\",\"unit\":\"\\ud800\"}", "surrogate" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"value\":1e999}", "does not fit" },
    { "{\"type\":\"click\",\"unit\":\"u\",\"id\":\"\"}", "field \"id\"" },
    { "[]", "not an object" },
    { "{\"type\":\"click\",\"unit\":\"u\"} x", "more behind" },
};

Test(native, each_fault_is_named)
{
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct signal s;
        struct err err = { 0 };
        cr_assert(not(native_parse(str_of(faults[i].text), NOW, &arena, &s, &err)), "%s", faults[i].text);
        cr_assert(strstr(err.text, faults[i].says) != NULL, "%s: \"%s\" does not say \"%s\"", faults[i].text, err.text,
                  faults[i].says);
    }
}

struct tally {
    size_t good, bad, last_bad;
};

static bool count(void *arg, size_t index, struct str text, const struct signal *s, const struct err *err)
{
    struct tally *t = arg;
    (void)text;
    (void)err;
    t->good += s != NULL;
    t->bad += s == NULL;
    t->last_bad = s ? t->last_bad : index;
    return true;
}

Test(native, one_bad_element_does_not_cost_the_others)
{
    static const char *const bodies[] = {
        "[{\"type\":\"click\",\"unit\":\"u\"},{\"type\":\"click\"},{\"type\":\"click\",\"unit\":\"v\"}]",
        "{\"type\":\"click\",\"unit\":\"u\"}\n{\"type\":\"click\"\n\n{\"type\":\"click\",\"unit\":\"v\"}\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct tally t = { 0 };
        struct err err;
        bool single;
        cr_assert(native_read(str_of(bodies[i]), NOW, &arena, count, &t, &single, &err), "%s", err.text);
        cr_assert(eq(sz, t.good, 2));
        cr_assert(eq(sz, t.bad, 1));
        cr_assert(eq(sz, t.last_bad, 1));
        cr_assert(not(single));
    }
}

Test(native, a_body_that_is_no_json_is_refused_as_a_whole)
{
    static const char *const bodies[] = { "",           "   ", "hello", "[{\"type\":\"click\",\"unit\":\"u\"}",
                                          "{\"type\":", "[1,2" };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct tally t = { 0 };
        struct err err;
        bool single;
        cr_assert(not(native_read(str_of(bodies[i]), NOW, &arena, count, &t, &single, &err)), "%s", bodies[i]);
    }
}

Test(native, more_signals_than_the_limit_are_refused)
{
    struct buf b;
    struct tally t = { 0 };
    struct err err;
    bool single;
    buf_init(&b, 1 << 20);
    buf_add_byte(&b, '[');
    for (int i = 0; i <= SIGNALS_PER_REQUEST_MAX; i++)
        buf_add_c(&b, i ? ",{}" : "{}");
    buf_add_byte(&b, ']');
    cr_assert(not(native_read(buf_str(&b), NOW, &arena, count, &t, &single, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_TOO_LARGE));
    buf_release(&b);
}

/* ---- events of the future ---- */

static struct signal parse_ahead(int64_t ahead_us, const char *params)
{
    char when[CLOCK_TEXT_MAX];
    struct signal s;
    struct err err = { 0 };
    struct str text = arena_printf(&arena, "{\"type\":\"click\",\"unit\":\"u\",\"timestamp\":\"%s\"%s%s}",
                                   clock_format(NOW + ahead_us, when), *params ? ",\"params\":" : "", params);
    cr_assert(native_parse(text, NOW, &arena, &s, &err), "%s", err.text);
    return s;
}

Test(native, what_is_five_minutes_ahead_keeps_its_time)
{
    struct signal s = parse_ahead(SIGNAL_AHEAD_MAX_US, "");
    cr_assert(eq(i64, s.at_us, NOW + SIGNAL_AHEAD_MAX_US));
    cr_assert(not(s.ahead));
    cr_assert(s.params.p == NULL);
}

Test(native, what_is_further_ahead_is_stored_at_its_receipt)
{
    static const char *const params[] = { "", "{}", "{ }", "{\"a\":1}", "{\"client_time\":\"mine\"}" };
    const size_t members[] = { 1, 1, 1, 2, 1 };
    int64_t ahead_us = SIGNAL_AHEAD_MAX_US + 1;
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        char when[CLOCK_TEXT_MAX];
        struct signal s = parse_ahead(ahead_us, params[i]);
        cr_assert(eq(i64, s.at_us, NOW));
        cr_assert(s.ahead);
        json_auto_t *kept = json_loadb(s.params.p, s.params.n, 0, NULL); /* as jsonb: the last of two wins */
        cr_assert(eq(sz, json_object_size(kept), members[i]), "%.*s", STR_ARG(s.params));
        cr_assert(eq(str, (char *)(uintptr_t)json_string_value(json_object_get(kept, "client_time")),
                     (char *)(uintptr_t)clock_format(NOW + ahead_us, when)));
    }
}

/* Strings are walked eight bytes at a time: each byte at each place of one, before and behind that many. */
Test(native, every_byte_at_every_place_of_a_string)
{
    for (size_t n = 1; n <= 18; n++)
        for (size_t at = 0; at < n; at++)
            for (int byte = 0; byte < 256; byte++) {
                char text[32] = { '"' };
                struct pull p;
                struct str out;
                memset(text + 1, 'x', n);
                text[1 + at] = (char)byte;
                text[1 + n] = '"';
                pull_init(&p, (struct str){ text, n + 2 }, &arena);
                bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                bool ok = pull_string(&p, &out);
                cr_assert(eq(int, ok, plain || byte == '"'), "byte %d at %zu of %zu", byte, at, n);
                bool same = !ok || (out.n == (plain ? n : at) && memcmp(out.p, text + 1, out.n) == 0);
                cr_assert(same);
                arena_reset(&arena);
            }
}
