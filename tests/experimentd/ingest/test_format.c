/* The reason of a refusal, from what the readers really say. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/ingest/format.h"
#include "experimentd/ingest/formats/insights.h"
#include "experimentd/ingest/formats/native.h"
#include "experimentd/ingest/formats/segment.h"
#include "experimentd/ingest/formats/ubi.h"

#define NOW INT64_C(1790000000000000)

static struct arena arena;
static struct err last;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(format, .init = setup, .fini = teardown);

static bool keep(void *arg, size_t index, const json_t *json, const struct foreign_event *e, const struct err *err)
{
    (void)arg;
    (void)index;
    (void)json;
    last = e ? (struct err){ 0 } : *err;
    return true;
}

/* What the reader of the format says of the body; its text has ' for ". */
static const char *refused(enum signal_format format, const char *text)
{
    struct err err = { 0 };
    struct signal s;
    char *body = arena_cstr(&arena, str_of(text));
    bool ok = false;
    last = (struct err){ 0 };
    for (char *p = body; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    if (format == FORMAT_NATIVE)
        ok = native_parse(str_of(body), NOW, &arena, &s, &err);
    else if (format == FORMAT_UBI)
        ok = ubi_read(str_of(body), UBI_EVENTS, NOW, &arena, keep, NULL, &err);
    else if (format == FORMAT_SEGMENT)
        ok = segment_read(str_of(body), "track", NOW, &arena, keep, NULL, &err);
    else
        ok = insights_read(str_of(body), NOW, &arena, keep, NULL, &err);
    const struct err *said = ok ? &last : &err;
    return said->kind == ERR_NONE ? "taken" : reject_reason_names[reject_reason_of(said)];
}

static const struct {
    enum signal_format format;
    const char *body, *reason;
} rows[] = {
    { FORMAT_NATIVE, "{'type':'click','unit':'u'}", "taken" },
    { FORMAT_NATIVE, "{'type':'click','unit':'u'", "malformed" },
    { FORMAT_NATIVE, "[]", "malformed" },
    { FORMAT_NATIVE, "{'type':'click'}", "missing_field" },
    { FORMAT_NATIVE, "{'unit':'u'}", "missing_field" },
    { FORMAT_NATIVE, "{'type':'click','unit':'u','colour':1}", "unknown_field" },
    { FORMAT_NATIVE, "{'type':'click','unit':7}", "bad_field" },
    { FORMAT_NATIVE, "{'type':'click','unit':'u','position':0}", "bad_field" },
    { FORMAT_NATIVE, "{'type':'click','unit':'u','timestamp':' is missing'}", "bad_field" },
    { FORMAT_UBI, "{'client_id':'u','action_name':'click'}", "taken" },
    { FORMAT_UBI, "[7]", "malformed" },
    { FORMAT_UBI, "{'action_name':'click'}", "missing_field" },
    { FORMAT_UBI, "{'client_id':'u'}", "missing_field" },
    { FORMAT_UBI, "{'client_id':'u','action_name':'click','timestamp':'soon'}", "bad_field" },
    { FORMAT_SEGMENT, "{'userId':'u','event':'Order Completed'}", "taken" },
    { FORMAT_SEGMENT, "{'userId':'u'}", "missing_field" },
    { FORMAT_SEGMENT, "{'event':'x'}", "missing_field" },
    { FORMAT_INSIGHTS, "{}", "missing_field" },
    { FORMAT_INSIGHTS, "{'events':7}", "bad_field" },
    { FORMAT_INSIGHTS, "{'events':[{'userToken':'u'}]}", "missing_field" },
    { FORMAT_INSIGHTS, "{'events':[{'eventType':' is missing','userToken':'u'}]}", "bad_field" },
};

Test(format, every_refusal_has_its_reason)
{
    bool seen[REJECT_REASON_COUNT] = { 0 };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *reason = refused(rows[i].format, rows[i].body);
        cr_expect(strcmp(reason, rows[i].reason) == 0, "%s: %s, not %s", rows[i].body, reason, rows[i].reason);
        for (int r = 0; r < REJECT_REASON_COUNT; r++)
            seen[r] |= strcmp(reason, reject_reason_names[r]) == 0;
    }
    for (int r = REJECT_MALFORMED; r <= REJECT_BAD_FIELD; r++)
        cr_expect(seen[r], "no row is %s", reject_reason_names[r]);
}

Test(format, kinds_that_are_not_about_a_field_have_their_own)
{
    static const struct {
        enum err_kind kind;
        enum reject_reason reason;
    } kinds[] = { { ERR_TOO_LARGE, REJECT_TOO_LARGE },
                  { ERR_DENIED, REJECT_DENIED },
                  { ERR_BUSY, REJECT_UNAVAILABLE },
                  { ERR_SYSTEM, REJECT_UNAVAILABLE } };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct err err;
        err_set(&err, kinds[i].kind, "field \"type\" is missing");
        cr_expect(eq(int, reject_reason_of(&err), kinds[i].reason));
    }
}

Test(format, names_are_found_again_and_others_refused_by_name)
{
    enum signal_format f;
    struct err err;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        cr_assert(signal_format_of(str_of(signal_format_names[i]), &f, &err));
        cr_expect(eq(int, (int)f, i));
    }
    cr_assert(not(signal_format_of(STR("avro"), &f, &err)));
    cr_expect(strstr(err.text, "\"avro\" is none of native, ubi,") != NULL);
}
