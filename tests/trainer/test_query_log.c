/* What a day says of queries: sessions, searches, clicks counted by hand; records that depend neither on order nor on cutting; their sums. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/trainer/parts.h"
#include "trainer/kernels/queries/query_log.h"

enum { EVENTS = 4000, TEXT_MAX = 64, GAP_S = 1800 };
static const struct marked_hashes nobody;

/* ---- one event ---- */

static void add(struct query_day *d, enum query_event_kind kind, uint64_t unit, int64_t at_s, const char *query,
                const char *other, double results)
{
    bool click = kind == QUERY_CLICK;
    const struct query_event e = { .unit = unit,
                                   .at_us = at_s * US_PER_SECOND,
                                   .kind = (uint8_t)kind,
                                   .query = typed_queries_number(&d->queries, str_of(query)),
                                   .doc = intern_cut(&d->docs, click ? str_of(other) : STR(""), QUERY_DOC_MAX),
                                   .id = intern_cut(&d->ids, click ? STR("") : str_of(other), QUERY_DOC_MAX),
                                   .session = QUERY_NONE,
                                   .results = (uint8_t)(results < 0    ? QUERY_RESULTS_UNKNOWN
                                                        : results == 0 ? QUERY_RESULTS_NONE
                                                                       : QUERY_RESULTS_SOME) };
    query_day_add(d, &e);
}

/* ---- merging ---- */

struct told {
    struct buf text;
    struct query_totals totals;
};

static bool tell(void *arg, const struct query_record *q, struct err *err)
{
    struct told *t = arg;
    static const char *const names[QUERY_LIST_KIND_COUNT] = { "docs", "next", "same" };
    (void)err;
    buf_addf(&t->text, STR_FMT ": %llu searches, %llu zero, %llu clicks, %llu sessions, %llu units", STR_ARG(q->text),
             (unsigned long long)q->searches, (unsigned long long)q->zero_results, (unsigned long long)q->clicks,
             (unsigned long long)q->sessions, (unsigned long long)q->units);
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++) {
        buf_addf(&t->text, "%s%s", q->lists[k].count ? "; " : "", q->lists[k].count ? names[k] : "");
        for (uint32_t i = 0; i < q->lists[k].count; i++)
            buf_addf(&t->text, " " STR_FMT "=%llu", STR_ARG(q->lists[k].entries[i].text),
                     (unsigned long long)q->lists[k].entries[i].count);
    }
    buf_add_c(&t->text, "\n");
    return true;
}

static void merge(struct told *out, const struct parts *days, size_t days_count, const struct marked_hashes *marked)
{
    *out = (struct told){ .totals = { 0 } };
    buf_init(&out->text, 16 << 20);
    for (int part = 0; part < PARTS; part++) {
        struct query_totals totals;
        AUTO(query_merge_free) struct query_merge *m = query_merge_new(marked);
        for (size_t i = 0; i < days_count; i++) {
            uint64_t units;
            cr_assert(query_merge_add(m, buf_str(&days[i].of[part]), &units, NULL));
        }
        cr_assert(query_merge_finish(m, tell, out, &totals, NULL));
        out->totals.queries += totals.queries;
        out->totals.searches += totals.searches;
        out->totals.sessions += totals.sessions;
        out->totals.clicks += totals.clicks;
    }
}

/* Of a day in one part. */
static void check(struct query_day *d, const struct marked_hashes *marked, const char *want, uint64_t sessions)
{
    struct parts p;
    struct told t;
    parts_init(&p);
    cr_assert(query_day_write(d, 1, parts_keep, &p, NULL));
    merge(&t, &p, 1, marked);
    cr_assert(str_eq_c(buf_str(&t.text), want), "got\n%swant\n%s", t.text.p, want);
    cr_assert(eq(u64, t.totals.sessions, sessions));
    buf_release(&t.text);
    parts_release(&p);
    query_day_release(d);
}

/* ---- what is counted ---- */

Test(query_day, counts_searches_sessions_and_what_came_next)
{
    struct query_day d;
    query_day_init(&d, GAP_S * US_PER_SECOND);
    add(&d, QUERY_REQUEST, 1, 100, "Lamp", "a", -1);
    add(&d, QUERY_REQUEST, 1, 105, "lamp ", "a", -1); /* the next page of the same search */
    add(&d, QUERY_CLICK, 1, 110, "lamp", "doc-1", -1);
    add(&d, QUERY_CLICK, 1, 111, "LAMP", "doc-1", -1);
    add(&d, QUERY_REQUEST, 1, 200, "desk lamp", "b", -1);
    add(&d, QUERY_REQUEST, 1, 300, "lamp", "c", -1);
    add(&d, QUERY_REQUEST, 1, 300 + GAP_S + 1, "sofa", "d", -1); /* another session */
    add(&d, QUERY_REQUEST, 2, 50, "sofa", "", -1);
    check(&d, &nobody,
          "desk lamp: 1 searches, 0 zero, 0 clicks, 1 sessions, 1 units; next lamp=1; same lamp=1\n"
          "lamp: 2 searches, 0 zero, 2 clicks, 1 sessions, 1 units; docs doc-1=2; next desk lamp=1; same desk lamp=1\n"
          "sofa: 2 searches, 0 zero, 0 clicks, 2 sessions, 2 units\n",
          3);
}

Test(query_day, knows_what_found_nothing)
{
    struct query_day d;
    query_day_init(&d, GAP_S * US_PER_SECOND);
    add(&d, QUERY_REQUEST, 1, 100, "lmap", "a", -1);
    add(&d, QUERY_RESPONSE, 1, 100 + 2 * GAP_S, "", "a", 0); /* late, by its id */
    add(&d, QUERY_REQUEST, 2, 100, "lmap", "", -1);
    add(&d, QUERY_RESPONSE, 2, 101, "", "", 0); /* the search before it */
    add(&d, QUERY_REQUEST, 3, 100, "lmap", "", 0);
    add(&d, QUERY_RESPONSE, 3, 101, "", "", 7);      /* found something after all */
    add(&d, QUERY_RESPONSE, 4, 101, "lmap", "z", 0); /* no search of ours */
    check(&d, &nobody, "lmap: 3 searches, 2 zero, 0 clicks, 3 sessions, 3 units\n", 3);
}

Test(query_day, a_session_goes_on_behind_midnight)
{
    struct query_day d;
    int64_t night = US_PER_DAY / US_PER_SECOND;
    query_day_init(&d, GAP_S * US_PER_SECOND);
    add(&d, QUERY_REQUEST, 1, night - 10, "lamp", "a", -1);
    add(&d, QUERY_REQUEST, 1, night + 10, "sofa", "b", -1);
    add(&d, QUERY_CLICK, 1, night + 20, "sofa", "doc-1", -1); /* of the next day */
    add(&d, QUERY_REQUEST, 2, night + 5, "rug", "c", -1);
    check(&d, &nobody,
          "lamp: 1 searches, 0 zero, 0 clicks, 1 sessions, 1 units; next sofa=1; same sofa=1\n"
          "sofa: 0 searches, 0 zero, 0 clicks, 0 sessions, 0 units; same lamp=1\n",
          1);
}

Test(query_day, marked_units_are_left_out)
{
    struct query_day d;
    uint64_t bot = 7;
    query_day_init(&d, GAP_S * US_PER_SECOND);
    add(&d, QUERY_REQUEST, 7, 100, "lamp", "", -1);
    add(&d, QUERY_REQUEST, 7, 101, "spam", "", -1);
    add(&d, QUERY_CLICK, 7, 102, "lamp", "doc-1", -1);
    add(&d, QUERY_REQUEST, 8, 100, "lamp", "", -1);
    check(&d, &(struct marked_hashes){ &bot, 1 }, "lamp: 1 searches, 0 zero, 0 clicks, 1 sessions, 1 units\n", 1);
}

/* ---- order and cutting ---- */

static void add_random(struct query_day *d, unsigned seed)
{
    char query[TEXT_MAX], other[TEXT_MAX];
    uint64_t h = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    enum query_event_kind kind = (enum query_event_kind)(h % 3);
    (void)snprintf(query, sizeof query, h >> 8 & 1 ? "Query %u" : " query   %u", (unsigned)(h >> 9 & 31));
    (void)snprintf(other, sizeof other, "id-%u", (unsigned)(h >> 20 & 63));
    add(d, kind, h >> 32 & 63, (int64_t)(h >> 40) % 88000, kind == QUERY_RESPONSE ? "" : query,
        kind != QUERY_CLICK && (h >> 16 & 1) ? "" : other, (double)(h >> 17 & 3) - 1);
}

/* The records of the events of every `step`-th unit, forwards or backwards. */
static void write_random(struct parts *p, unsigned first, unsigned step, bool backwards)
{
    struct query_day d;
    query_day_init(&d, GAP_S * US_PER_SECOND);
    parts_init(p);
    for (unsigned i = 0; i < EVENTS; i++) {
        size_t had = d.events_count;
        add_random(&d, backwards ? EVENTS - 1 - i : i);
        if (d.events_count > had && d.events[had].unit % step != first)
            d.events_count = had;
    }
    cr_assert(query_day_write(&d, PARTS, parts_keep, p, NULL));
    query_day_release(&d);
}

Test(query_day, does_not_depend_on_the_order_of_events)
{
    struct parts a, b;
    write_random(&a, 0, 1, false);
    write_random(&b, 0, 1, true);
    for (int i = 0; i < PARTS; i++) {
        cr_assert(gt(sz, a.of[i].n, 0));
        cr_assert(str_eq(buf_str(&a.of[i]), buf_str(&b.of[i])));
    }
    parts_release(&a);
    parts_release(&b);
}

Test(query_merge, does_not_depend_on_how_days_were_cut)
{
    enum { PIECES = 5 };
    struct parts whole, cut[PIECES];
    struct told a, b;
    write_random(&whole, 0, 1, false);
    for (unsigned i = 0; i < PIECES; i++)
        write_random(&cut[PIECES - 1 - i], i, PIECES, i & 1);
    merge(&a, &whole, 1, &nobody);
    merge(&b, cut, PIECES, &nobody);
    cr_assert(gt(sz, a.text.n, 1000));
    cr_assert(str_eq(buf_str(&a.text), buf_str(&b.text)));
    cr_assert(eq(u64, a.totals.sessions, b.totals.sessions));
    cr_assert(eq(u64, a.totals.searches, b.totals.searches));
    buf_release(&a.text);
    buf_release(&b.text);
    parts_release(&whole);
    for (int i = 0; i < PIECES; i++)
        parts_release(&cut[i]);
}

Test(query_merge, damaged_records_are_found)
{
    struct parts p;
    struct err err;
    write_random(&p, 0, 1, false);
    for (size_t cut = 0; cut < p.of[0].n; cut += 7) {
        uint64_t units;
        AUTO(query_merge_free) struct query_merge *m = query_merge_new(&nobody);
        bool whole = query_merge_add(m, (struct str){ p.of[0].p, cut }, &units, &err);
        cr_assert(whole || err.kind == ERR_SYSTEM);
    }
    parts_release(&p);
}

/* ---- records of queries ---- */

Test(query_record, is_read_as_it_was_written)
{
    const struct query_entry docs[] = { { STR("doc-1"), 3 }, { STR("doc-2"), 1 } }, same[] = { { STR("sofa"), 9 } };
    const struct query_record q = { .text = STR("lamp"),
                                    .searches = 10,
                                    .zero_results = 2,
                                    .clicks = 4,
                                    .sessions = 9,
                                    .units = 5,
                                    .lists = { [QUERY_DOCS] = { docs, 2 }, [QUERY_SAME] = { same, 1 } } };
    struct query_record got;
    struct arena arena;
    struct buf b;
    buf_init(&b, 4096);
    arena_init(&arena, 4096);
    query_record_write(&b, &q);
    size_t one = b.n;
    query_record_write(&b, &q);
    for (size_t cut = 0; cut < one; cut++) {
        struct str block = { b.p, cut };
        cr_assert(not(query_record_read(&block, &arena, &got, NULL)));
    }
    struct str block = buf_str(&b), bytes;
    cr_assert(query_record_read(&block, &arena, &got, &bytes));
    cr_assert(eq(sz, bytes.n, one));
    cr_assert(eq(sz, block.n, one));
    cr_assert(eq(u64, got.units, 5));
    cr_assert(eq(u32, got.lists[QUERY_DOCS].count, 2));
    cr_assert(eq(u32, got.lists[QUERY_NEXT].count, 0));
    cr_assert(str_eq_c(got.lists[QUERY_DOCS].entries[1].text, "doc-2"));
    cr_assert(eq(u64, got.lists[QUERY_SAME].entries[0].count, 9));
    cr_assert(query_record_read(&block, NULL, &got, NULL));
    cr_assert(eq(u64, got.searches, 10));
    arena_release(&arena);
    buf_release(&b);
}
