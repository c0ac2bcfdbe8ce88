/* The rings of the live view: what is kept, what is left out and counted, who sees what; and a record's words. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/ingest/live/live.h"

#define NOW INT64_C(1790000000000000)
#define KEY "xd_client_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct live *live;
static struct arena arena;
static struct live_batch batch;
static const struct live_filter everything;

static void setup(void)
{
    arena_init(&arena, 4096);
    live = live_new(2, NOW);
}

static void teardown(void)
{
    live_free(live);
    arena_release(&arena);
}

TestSuite(live, .init = setup, .fini = teardown);

static struct live_item item_of(enum live_kind kind, int64_t at_us)
{
    return (struct live_item){ .kind = kind,
                               .received_us = at_us,
                               .route = "/v1/signals",
                               .key_label = STR("client.key"),
                               .key_prefix = live_key_prefix(STR(KEY)) };
}

static void note_signal(unsigned worker, const char *type, const char *unit, int64_t at_us)
{
    struct signal s = { .type = str_of(type), .unit = str_of(unit), .at_us = at_us, .value = NAN };
    struct live_item item = item_of(LIVE_SIGNAL, at_us);
    item.signal = &s;
    live_note(live, worker, &item);
}

static void note_reject(unsigned worker, const char *element, int64_t at_us)
{
    struct live_reject r = {
        .index = 3, .reason = REJECT_MISSING_FIELD, .error = STR("why"), .element = str_of(element)
    };
    struct live_item item = item_of(LIVE_REJECT, at_us);
    item.reject = &r;
    live_note(live, worker, &item);
}

static json_t *record(size_t i)
{
    json_t *v = json_loadb(batch.entries[i].json.p, batch.entries[i].json.n, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(v != NULL, "\"" STR_FMT "\" is no JSON", STR_ARG(batch.entries[i].json));
    return v;
}

static const char *unit_of(size_t i)
{
    json_t *v = record(i);
    const char *unit = arena_cstr(&arena,
                                  str_of(json_string_value(json_object_get(json_object_get(v, "signal"), "unit"))));
    json_decref(v);
    return unit;
}

static size_t next(struct live_watch *w, int64_t now_us)
{
    live_watch_next(w, now_us, &arena, &batch);
    return batch.count;
}

static struct live_watch *watch(const struct live_filter *f)
{
    struct err err;
    struct live_watch *w = live_watch_open(live, f, 0, &err);
    cr_assert(w != NULL, "%s", err.text);
    return w;
}

Test(live, records_of_all_workers_come_in_order)
{
    note_signal(0, "click", "a", NOW);
    note_signal(1, "click", "b", NOW);
    note_signal(0, "click", "c", NOW);
    live_last(live, &everything, &arena, &batch);
    cr_assert(eq(sz, batch.count, 3));
    for (size_t i = 0; i < 3; i++)
        cr_expect(unit_of(i)[0] == "abc"[i]);
    cr_expect(batch.entries[0].sequence > (uint64_t)NOW);
}

Test(live, the_rings_keep_the_newest_and_a_flood_of_one_kind_leaves_the_other)
{
    char unit[32];
    note_reject(0, "{\"early\":1}", NOW);
    for (int i = 0; i < 3 * LIVE_RING; i++) {
        (void)snprintf(unit, sizeof unit, "u%d", i);
        note_signal(0, "click", unit, NOW + i * US_PER_SECOND / 100); /* a hundred a second */
    }
    live_last(live, &everything, &arena, &batch);
    cr_assert(eq(sz, batch.count, LIVE_LAST_MAX + 1));
    cr_expect(batch.entries[0].kind == LIVE_REJECT);
    cr_expect(eq(str, (char *)arena_cstr(&arena, str_of(unit)),
                 (char *)arena_cstr(&arena, str_of(unit_of(batch.count - 1)))));
}

Test(live, what_comes_faster_than_the_limit_is_left_out_and_counted)
{
    struct live_watch *w = watch(&everything);
    cr_assert(eq(sz, next(w, NOW), 0));
    for (int i = 0; i < LIVE_PER_SECOND + 70; i++)
        note_signal(0, "click", "u", NOW);
    note_reject(0, "{}", NOW); /* has its own limit */
    cr_expect(eq(sz, next(w, NOW), LIVE_PER_SECOND + 1));
    cr_expect(eq(u64, batch.skipped, 70));
    cr_expect(eq(sz, next(w, NOW), 0));
    cr_expect(eq(u64, batch.skipped, 0));
    note_signal(0, "click", "v", NOW + US_PER_SECOND); /* a new second */
    cr_expect(eq(sz, next(w, NOW + US_PER_SECOND), 1));
    live_watch_close(w);
}

Test(live, workers_together_show_no_more_than_the_limit)
{
    struct live_watch *w = watch(&everything);
    (void)next(w, NOW);
    for (int i = 0; i < 150; i++)
        note_signal(i % 2, "click", "u", NOW);
    for (int i = 0; i < 150; i++)
        note_signal(i % 2, "view", "u", NOW);
    cr_expect(eq(sz, next(w, NOW), LIVE_PER_SECOND));
    cr_expect(eq(u64, batch.skipped, 300 - LIVE_PER_SECOND));
    live_watch_close(w);
}

Test(live, a_filter_sees_its_own_through_a_flood)
{
    struct live_filter mine = { .unit = "me" };
    struct live_watch *w = watch(&mine);
    (void)next(w, NOW);
    for (int i = 0; i < 5000; i++)
        note_signal(0, "click", i % 1000 ? "others" : "me", NOW);
    cr_assert(eq(sz, next(w, NOW), 5));
    cr_expect(eq(u64, batch.skipped, 0));
    for (size_t i = 0; i < 5; i++)
        cr_expect(strcmp(unit_of(i), "me") == 0);
    live_watch_close(w);
}

Test(live, records_that_nobody_could_look_at_in_time_are_counted)
{
    struct live_watch *w = watch(&everything);
    (void)next(w, NOW);
    for (int second = 0; second < 10; second++)
        for (int i = 0; i < LIVE_PER_SECOND; i++)
            note_signal(0, "click", "u", NOW + second * US_PER_SECOND);
    size_t shown = next(w, NOW + 10 * US_PER_SECOND);
    cr_expect(eq(sz, shown + batch.skipped, 10 * LIVE_PER_SECOND));
    live_watch_close(w);
}

Test(live, filters_pick_by_kind_format_type_and_unit)
{
    static const struct {
        struct live_filter f;
        size_t picks;
    } rows[] = {
        { { 0 }, 4 },
        { { .rejects_only = true }, 2 },
        { { .type = "click" }, 2 }, /* a signal, and a refused element that says so */
        { { .unit = "a" }, 1 },
        { { .unit = "a", .type = "view" }, 0 },
        { { .has_format = true, .format = FORMAT_NATIVE }, 4 },
        { { .has_format = true, .format = FORMAT_UBI }, 0 },
    };
    note_signal(0, "click", "a", NOW);
    note_signal(1, "view", "b", NOW);
    note_reject(0, "{\"type\":\"click\"}", NOW);
    note_reject(1, "7", NOW);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        live_last(live, &rows[i].f, &arena, &batch);
        cr_expect(eq(sz, batch.count, rows[i].picks), "row %zu", i);
    }
}

Test(live, a_watch_begins_with_the_rings_and_each_sees_everything_once)
{
    note_signal(0, "click", "before", NOW);
    struct live_watch *a = watch(&everything), *b = watch(&everything);
    note_signal(0, "click", "between", NOW);
    cr_expect(eq(sz, next(a, NOW), 2));
    note_signal(1, "click", "then", NOW);
    cr_assert(eq(sz, next(a, NOW), 1));
    uint64_t newest = batch.entries[0].sequence;
    cr_expect(eq(sz, next(b, NOW), 3));
    cr_expect(eq(sz, next(a, NOW) + next(b, NOW), 0));
    live_watch_close(a);
    struct err err;
    struct live_watch *again = live_watch_open(live, &everything, newest, &err);
    cr_expect(eq(sz, next(again, NOW), 0), "what it has is not repeated");
    live_watch_close(again);
    live_watch_close(b);
}

Test(live, watches_are_bounded_and_a_closed_one_makes_room)
{
    struct live_watch *all[LIVE_WATCHES_MAX];
    struct err err;
    for (int i = 0; i < LIVE_WATCHES_MAX; i++)
        all[i] = watch(&everything);
    cr_assert(live_watch_open(live, &everything, 0, &err) == NULL);
    cr_expect(eq(int, (int)err.kind, ERR_BUSY));
    note_signal(0, "click", "u", NOW);
    live_watch_close(all[5]);
    all[5] = watch(&everything);
    cr_expect(eq(sz, next(all[5], NOW), 1));
    for (int i = 0; i < LIVE_WATCHES_MAX; i++)
        live_watch_close(all[i]);
}

Test(live, a_new_watch_has_the_whole_of_its_first_second)
{
    for (int turn = 0; turn < 2; turn++) {
        struct live_watch *w = watch(&everything);
        live_watch_next(w, NOW, &arena, &batch);
        for (int i = 0; i < LIVE_PER_SECOND; i++)
            note_signal(0, "click", "u", NOW);
        cr_expect(eq(sz, next(w, NOW), LIVE_PER_SECOND));
        cr_expect(eq(u64, batch.skipped, 0));
        live_watch_close(w);
    }
}

Test(live, a_clock_that_was_set_back_does_not_silence_it)
{
    struct live_watch *w = watch(&everything);
    (void)next(w, NOW);
    for (int i = 0; i < LIVE_PER_SECOND; i++)
        note_signal(0, "click", "u", NOW);
    cr_assert(eq(sz, next(w, NOW), LIVE_PER_SECOND));
    note_signal(0, "click", "u", NOW - 3600 * US_PER_SECOND);
    cr_expect(eq(sz, next(w, NOW - 3600 * US_PER_SECOND), 1));
    live_watch_close(w);
}

Test(live, nobody_is_wanted_once_the_second_is_full)
{
    for (int i = 0; i < LIVE_PER_SECOND; i++)
        note_signal(0, "click", "u", NOW);
    cr_expect(not(live_wants(live, 0, LIVE_SIGNAL, NOW)));
    cr_expect(not(live_wants(live, 0, LIVE_EXPOSURE, NOW)));
    cr_expect(live_wants(live, 0, LIVE_REJECT, NOW));
    cr_expect(live_wants(live, 1, LIVE_SIGNAL, NOW));
    struct live_watch *w = watch(&everything);
    cr_expect(live_wants(live, 0, LIVE_SIGNAL, NOW));
    live_watch_close(w);
    cr_expect(not(live_wants(live, 0, LIVE_SIGNAL, NOW)));
    cr_expect(live_wants(live, 0, LIVE_SIGNAL, NOW + US_PER_SECOND));
}

/* ---- records ---- */

Test(live, a_record_is_one_line_of_json_whatever_the_texts_hold)
{
    char query[2000], big[SIGNAL_PARAMS_MAX];
    memset(query, '\x01', sizeof query);
    (void)snprintf(big, sizeof big, "{\"a\":\"%*s\"}", LIVE_PARAMS_MAX, "x");
    const struct str params[] = { STR("{\"a\":\n\r [1,\t2]}"), str_of(big), { NULL, 0 } };
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        struct signal s = { .type = STR("click"),
                            .unit = STR("u\n\"\xc3\xbc"),
                            .query = { query, sizeof query },
                            .value = 1.5,
                            .position = 2,
                            .params = params[i],
                            .at_us = NOW };
        struct live_item item = item_of(LIVE_SIGNAL, NOW);
        item.signal = &s;
        live_note(live, 0, &item);
    }
    live_last(live, &everything, &arena, &batch);
    cr_assert(eq(sz, batch.count, 3));
    for (size_t i = 0; i < 3; i++) {
        struct str text = batch.entries[i].json;
        json_t *v = record(i), *signal = json_object_get(v, "signal");
        cr_expect(memchr(text.p, '\n', text.n) == NULL && memchr(text.p, '\r', text.n) == NULL);
        cr_expect(strcmp(json_string_value(json_object_get(signal, "unit")), "u\n\"\xc3\xbc") == 0);
        cr_expect(eq(sz, json_string_length(json_object_get(signal, "query")), LIVE_TEXT_MAX));
        bool whole = json_is_object(json_object_get(signal, "params")),
             cut = json_is_string(json_object_get(signal, "params_cut"));
        cr_expect(eq(int, whole, i == 0));
        cr_expect(eq(int, cut, i == 1));
        json_decref(v);
    }
}

Test(live, the_key_is_shown_by_its_prefix_alone)
{
    struct str prefix = live_key_prefix(STR(KEY));
    cr_expect(str_eq(prefix, STR("xd_client_0123")));
    cr_expect(live_key_prefix(STR("of-somebody's-own-making-and-so-long-that-it-might-be-mistaken-for-ours")).p ==
              NULL);
    cr_expect(live_key_prefix(STR("xd_short")).p == NULL);
}

Test(live, an_excerpt_never_holds_the_key_and_is_utf8)
{
    struct str key = STR(KEY);
    for (size_t before = 0; before < LIVE_ELEMENT_MAX + 20;
         before++) { /* the key twice, the second at every place of the edge */
        char text[1024];
        (void)snprintf(text, sizeof text, "{%s%*s%s\"}", KEY, (int)before, "", KEY);
        struct str shown = live_excerpt(&arena, str_of(text), key);
        cr_assert(memmem(shown.p, shown.n, &KEY[10], 8) == NULL, "%zu: " STR_FMT, before, STR_ARG(shown));
        cr_assert(str_is_utf8(shown));
    }
    struct str part = live_excerpt(&arena, STR("field \"event\" is \"xd_client_0123456789abcd\", xd_client_ is not"),
                                   key);
    cr_expect(str_eq(part, STR("field \"event\" is \"(the key)\", xd_client_ is not")), STR_FMT, STR_ARG(part));
    struct str broken = live_excerpt(&arena, (struct str){ "a\xff\0b", 4 }, key);
    cr_expect(str_eq(broken, STR("a\xef\xbf\xbd\xef\xbf\xbd"
                                 "b")));
    cr_expect(str_eq(live_excerpt(&arena, STR("plain"), (struct str){ NULL, 0 }), STR("plain")));
}

Test(live, an_excerpt_of_json_is_cut_and_needs_no_whole_text)
{
    json_auto_t *v = json_pack("{s:s, s:s}", "writeKey", KEY, "event", "x");
    struct str shown = live_excerpt_json(&arena, v, STR(KEY));
    cr_expect(str_eq(shown, STR("{\"writeKey\":\"(the key)\",\"event\":\"x\"}")), STR_FMT, STR_ARG(shown));
    char *big = mem_alloc(1 << 20);
    memset(big, 'x', 1 << 20);
    json_auto_t *long_one = json_stringn(big, 1 << 20);
    cr_expect(eq(sz, live_excerpt_json(&arena, long_one, STR(KEY)).n, LIVE_ELEMENT_MAX));
    mem_free(big);
}
