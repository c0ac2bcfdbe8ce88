/* What searches were shown: lists by preference, clicks joined to them, records that depend on no order; patterns, cut and held out. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/trainer/parts.h"
#include "trainer/kernels/serps/serp_log.h"

enum { SEARCHES = 3000, TEXT_MAX = 64 };
static const struct marked_hashes nobody;

/* ---- params ---- */

static struct serp_shown shown_of(struct arena *arena, const char *params)
{
    struct serp_shown s;
    (void)serp_shown_read(str_of(params), arena, &s);
    return s;
}

Test(serp_shown, reads_documents_and_propensities_and_ends_at_what_is_none)
{
    struct arena a;
    arena_init(&a, 4096);
    struct serp_shown s = shown_of(&a, "{\"docs\":[\"a\",7,\"b\"],\"propensity\":[0.5,1,0.25]}");
    cr_assert(eq(u32, s.count, 3));
    cr_assert(str_eq_c(s.docs[1], "7"));
    cr_assert(s.randomised);
    cr_assert(eq(flt, s.propensities[2], 0.25F));
    s = shown_of(&a, "{\"docs\":[\"a\",null,\"b\"],\"propensity\":0.5}");
    cr_assert(eq(u32, s.count, 1));
    cr_assert(eq(flt, s.propensities[0], 0.5F));
    cr_assert(not(shown_of(&a, "{\"docs\":[\"a\",\"b\"],\"propensity\":[0.5]}").randomised));
    cr_assert(not(shown_of(&a, "{\"docs\":[\"a\"],\"propensity\":0}").randomised));
    cr_assert(eq(u32, shown_of(&a, "{\"docs\":[]}").count, 0));
    cr_assert(eq(u32, shown_of(&a, "{\"docs\":\"a\"}").count, 0));
    cr_assert(eq(u32, shown_of(&a, "[1]").count, 0));
    cr_assert(eq(u32, shown_of(&a, "{").count, 0));
    arena_release(&a);
}

/* ---- one event ---- */

/* docs: "a b c", a list's or the one document's. */
static void add(struct serp_day *d, enum serp_event_kind kind, uint64_t unit, int64_t at_s, const char *id,
                const char *query, const char *docs, int32_t position)
{
    struct serp_shown s = { .count = 0 };
    struct str rest = str_of(docs);
    bool list = kind < SERP_IMPRESSION;
    while (list && rest.n && str_split(&rest, ' ', &s.docs[s.count]))
        s.count++;
    const struct serp_event e = { .unit = unit,
                                  .at_us = at_s * US_PER_SECOND,
                                  .id = intern_cut(&d->ids, str_of(id), SERP_ID_BYTES),
                                  .query = typed_queries_number(&d->queries, str_of(query)),
                                  .doc = list ? SERP_NONE : intern_cut(&d->docs, str_of(docs), SERP_DOC_BYTES),
                                  .list = s.count ? serp_day_list(d, &s) : SERP_NONE,
                                  .position = position,
                                  .kind = (uint8_t)kind };
    serp_day_add(d, &e);
}

/* ---- records ---- */

/* A query as text: "lamp (a b c): 0 1 [0] ×2, …": documents, of each pattern its numbers, clicked places (the last one in brackets), count, held. */
struct told {
    struct buf text;
    struct serp_totals totals;
    struct buf scratch, records;
};

static bool gather(void *arg, struct str record, struct err *err)
{
    struct told *t = arg;
    (void)err;
    buf_add_str(&t->records, record);
    return true;
}

static void tell_pattern(struct buf *b, const struct serp_pattern *p)
{
    buf_add_c(b, " |");
    for (uint32_t i = 0; i < p->n; i++) {
        buf_addf(b, " %u", p->docs[i]);
        if (p->clicked >> i & 1)
            buf_add_c(b, i == p->last ? "!" : "+");
        if (p->propensities)
            buf_addf(b, "@%g", (double)p->propensities[i]);
    }
    buf_addf(b, " x%llu", (unsigned long long)p->count);
    if (p->held)
        buf_addf(b, " held %llu", (unsigned long long)p->held);
}

/* Through records and back: what is told is what a pass would read. */
static bool tell(void *arg, const struct serp_query *q, struct err *err)
{
    struct told *t = arg;
    struct serp_reader r;
    bool whole = false;
    buf_clear(&t->records);
    cr_assert(serp_query_write(q, &t->scratch, gather, t, err));
    serp_reader_init(&r, true);
    for (struct str rest = buf_str(&t->records); rest.n;) {
        cr_assert(not(whole));
        cr_assert(serp_reader_take(&r, &rest, &whole));
    }
    cr_assert(whole);
    cr_assert(eq(u64, r.q.sessions, q->sessions));
    cr_assert(eq(u64, r.q.clicks, q->clicks));
    buf_addf(&t->text, STR_FMT " (", STR_ARG(r.q.text));
    for (uint32_t i = 0; i < r.q.docs_count; i++)
        buf_addf(&t->text, "%s" STR_FMT, i ? " " : "", STR_ARG(r.q.docs[i]));
    buf_add_c(&t->text, ")");
    for (uint32_t i = 0; i < r.q.patterns_count; i++)
        tell_pattern(&t->text, &r.q.patterns[i]);
    buf_add_c(&t->text, "\n");
    serp_reader_release(&r);
    return true;
}

static void told_init(struct told *t)
{
    *t = (struct told){ .totals = { 0 } };
    buf_init(&t->text, 16 << 20);
    buf_init(&t->scratch, 4 << 20);
    buf_init(&t->records, 64 << 20);
}

static void told_release(struct told *t)
{
    buf_release(&t->text);
    buf_release(&t->scratch);
    buf_release(&t->records);
}

static void merge(struct told *out, const struct parts *days, size_t days_count, const struct serp_merge_rules *rules)
{
    told_init(out);
    for (int part = 0; part < PARTS; part++) {
        struct serp_totals totals;
        AUTO(serp_merge_free) struct serp_merge *m = serp_merge_new(rules);
        for (size_t i = 0; i < days_count; i++) {
            uint64_t searches;
            cr_assert(serp_merge_add(m, (int64_t)i * US_PER_DAY, buf_str(&days[i].of[part]), &searches, NULL));
        }
        cr_assert(serp_merge_finish(m, tell, out, &totals, NULL));
        out->totals.queries += totals.queries;
        out->totals.sessions += totals.sessions;
        out->totals.held += totals.held;
        out->totals.clicks += totals.clicks;
        out->totals.clicked_sessions += totals.clicked_sessions;
    }
}

static void check(struct serp_day *d, const struct serp_merge_rules *rules, const char *want)
{
    struct parts p;
    struct told t;
    parts_init(&p);
    cr_assert(serp_day_write(d, 1, parts_keep, &p, NULL));
    merge(&t, &p, 1, rules);
    cr_assert(str_eq_c(buf_str(&t.text), want), "got\n%swant\n%s", t.text.p, want);
    told_release(&t);
    parts_release(&p);
    serp_day_release(d);
}

static const struct serp_merge_rules plain = { .marked = &nobody, .positions = 10 };

/* ---- lists and clicks ---- */

Test(serps, equal_lists_with_equal_clicks_are_one_pattern)
{
    struct serp_day d;
    serp_day_init(&d);
    for (uint64_t unit = 1; unit <= 3; unit++) {
        add(&d, SERP_REQUEST, unit, 100, "q1", "Lamp ", "", 0);
        add(&d, SERP_RESPONSE, unit, 101, "q1", "lamp", "a b c", 0);
    }
    add(&d, SERP_CLICK, 1, 110, "q1", "lamp", "b", 2);
    add(&d, SERP_CLICK, 2, 110, "q1", "", "c", 3);
    add(&d, SERP_CLICK, 2, 120, "q1", "", "b", 0);
    add(&d, SERP_CLICK, 2, 130, "q1", "", "c", 3); /* once more: last is c */
    add(&d, SERP_CLICK, 3, 110, "q1", "", "z", 1); /* not of the list */
    add(&d, SERP_CLICK, 3, 110, "q2", "", "a", 1); /* of another search */
    add(&d, SERP_RESPONSE, 4, 101, "q1", "lamp", "b a", 0);
    add(&d, SERP_RESPONSE, 5, 101, "", "lamp", "b a", 0); /* no id */
    add(&d, SERP_RESPONSE, 6, 101, "q1", "", "b a", 0);   /* no text */
    add(&d, SERP_REQUEST, 7, 101, "q1", "lamp", "", 0);   /* no list */
    check(&d, &plain, "lamp (a b c) | 0 1 2 x1 | 0 1! 2 x1 | 0 1+ 2! x1 | 1 0 x1\n");
}

Test(serps, a_response_says_more_than_a_request_and_that_more_than_impressions)
{
    struct serp_day d;
    serp_day_init(&d);
    add(&d, SERP_REQUEST, 1, 100, "q", "lamp", "x y", 0);
    add(&d, SERP_RESPONSE, 1, 103, "q", "lamp", "a b", 0);
    add(&d, SERP_RESPONSE, 1, 104, "q", "lamp", "c d", 0); /* the next page */
    add(&d, SERP_REQUEST, 2, 100, "q", "rug", "x y", 0);
    add(&d, SERP_INTERLEAVED, 2, 101, "q", "rug", "y x", 0);
    add(&d, SERP_INTERLEAVED, 3, 101, "q", "sofa", "i j", 0);
    add(&d, SERP_IMPRESSION, 3, 101, "q", "sofa", "k", 1);
    add(&d, SERP_IMPRESSION, 4, 101, "q", "desk", "second", 2);
    add(&d, SERP_IMPRESSION, 4, 102, "q", "desk", "first", 1);
    add(&d, SERP_IMPRESSION, 4, 103, "q", "desk", "late", 2);
    add(&d, SERP_IMPRESSION, 4, 103, "q", "desk", "fourth", 4); /* the third is not known */
    add(&d, SERP_CLICK, 4, 110, "q", "", "second", 0);
    add(&d, SERP_IMPRESSION, 5, 103, "q", "bed", "second", 2); /* the first is not known */
    check(&d, &plain, "desk (first second) | 0 1! x1\nlamp (a b) | 0 1 x1\nrug (x y) | 0 1 x1\nsofa (i j) | 0 1 x1\n");
}

Test(serps, clicks_behind_midnight_count_and_lists_there_do_not)
{
    struct serp_day d;
    int64_t night = US_PER_DAY / US_PER_SECOND;
    serp_day_init(&d);
    add(&d, SERP_RESPONSE, 1, night - 10, "q", "lamp", "a b", 0);
    add(&d, SERP_CLICK, 1, night + 600, "q", "lamp", "b", 2);
    add(&d, SERP_RESPONSE, 2, night + 10, "q", "lamp", "a b", 0);
    check(&d, &plain, "lamp (a b) | 0 1! x1\n");
}

Test(serps, a_click_is_where_its_position_says_if_the_document_stands_there)
{
    struct serp_day d;
    serp_day_init(&d);
    add(&d, SERP_RESPONSE, 1, 1, "q", "lamp", "a b a", 0);
    add(&d, SERP_CLICK, 1, 2, "q", "", "a", 3);
    add(&d, SERP_RESPONSE, 2, 1, "q", "lamp", "a b a", 0);
    add(&d, SERP_CLICK, 2, 2, "q", "", "a", 2);
    check(&d, &plain, "lamp (a b) | 0! 1 0 x1 | 0 1 0! x1\n");
}

Test(serps, marked_units_are_left_out_and_lists_are_cut)
{
    struct serp_day d;
    uint64_t bot = 7;
    const struct serp_merge_rules rules = { .marked = &(struct marked_hashes){ &bot, 1 }, .positions = 2 };
    serp_day_init(&d);
    add(&d, SERP_RESPONSE, 7, 1, "q", "lamp", "a b c", 0);
    add(&d, SERP_RESPONSE, 7, 1, "r", "spam", "a", 0);
    add(&d, SERP_RESPONSE, 8, 1, "q", "lamp", "a b c", 0);
    add(&d, SERP_CLICK, 8, 2, "q", "", "a", 1);
    add(&d, SERP_CLICK, 8, 3, "q", "", "c", 3); /* further down than is looked */
    check(&d, &rules, "lamp (a b) | 0! 1 x1\n");
}

Test(serps, the_last_searches_of_each_query_are_held_out)
{
    struct serp_day d;
    const struct serp_merge_rules rules = { .marked = &nobody, .positions = 10, .holdout_share = 0.2 };
    serp_day_init(&d);
    for (uint64_t unit = 0; unit < 10; unit++) {
        add(&d, SERP_RESPONSE, unit, 100 - (int64_t)unit, "q", "lamp", "a b", 0);
        if (unit < 3)
            add(&d, SERP_CLICK, unit, 200, "q", "", "a", 1);
        if (unit < 4)
            add(&d, SERP_RESPONSE, unit, 300, "r", "rug", "a", 0);
    }
    check(&d, &rules, "lamp (a b) | 0 1 x7 | 0! 1 x1 held 2\nrug (a) | 0 x4\n");
}

Test(serps, propensities_tell_patterns_apart)
{
    struct serp_day d;
    struct serp_shown s = {
        .docs = { STR("a"), STR("b") }, .propensities = { 0.5F, 0.25F }, .count = 2, .randomised = true
    };
    serp_day_init(&d);
    for (uint64_t unit = 1; unit <= 3; unit++) {
        s.randomised = unit < 3;
        serp_day_add(&d, &(struct serp_event){ .unit = unit,
                                               .id = intern_cut(&d.ids, STR("q"), SERP_ID_BYTES),
                                               .query = typed_queries_number(&d.queries, STR("lamp")),
                                               .doc = SERP_NONE,
                                               .list = serp_day_list(&d, &s),
                                               .kind = SERP_RESPONSE });
    }
    check(&d, &plain, "lamp (a b) | 0 1 x1 | 0@0.5 1@0.25 x2\n");
}

/* ---- order and cutting ---- */

static void add_random(struct serp_day *d, unsigned seed)
{
    char query[TEXT_MAX], id[TEXT_MAX], docs[TEXT_MAX], doc[TEXT_MAX];
    uint64_t h = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    unsigned q = (unsigned)(h >> 9 & 31), shift = (unsigned)(h >> 15 & 3);
    uint64_t unit = h >> 32 & 63;
    int64_t at = (int64_t)(h >> 40) % 88000;
    (void)snprintf(query, sizeof query, h >> 8 & 1 ? "Query %u" : " query   %u", q);
    (void)snprintf(id, sizeof id, "id-%u-%u", q, (unsigned)(h >> 20 & 7));
    (void)snprintf(docs, sizeof docs, "d%u d%u d%u d%u", shift, shift + 1, shift + 2, shift + 3);
    (void)snprintf(doc, sizeof doc, "d%u", (unsigned)(h >> 24 & 7));
    add(d, h >> 17 & 1 ? SERP_RESPONSE : SERP_REQUEST, unit, at, id, query, docs, 0);
    add(d, SERP_CLICK, unit, at + 5, id, "", doc, (int32_t)(h >> 27 & 3));
    add(d, SERP_CLICK, unit, at + (int64_t)(h >> 28 & 15), id, "", "d3", 0);
}

/* The records of the searches of every `step`-th unit, forwards or backwards. */
static void write_random(struct parts *p, unsigned first, unsigned step, bool backwards)
{
    struct serp_day d;
    serp_day_init(&d);
    parts_init(p);
    for (unsigned i = 0; i < SEARCHES; i++) {
        size_t had = d.events_count;
        add_random(&d, backwards ? SEARCHES - 1 - i : i);
        if (d.events_count > had && d.events[had].unit % step != first)
            d.events_count = had;
    }
    cr_assert(serp_day_write(&d, PARTS, parts_keep, p, NULL));
    serp_day_release(&d);
}

Test(serps, records_do_not_depend_on_the_order_of_signals)
{
    struct parts a, b;
    write_random(&a, 0, 1, false);
    write_random(&b, 0, 1, true);
    for (int i = 0; i < PARTS; i++) {
        cr_assert(gt(sz, a.of[i].n, 0));
        cr_assert(str_eq(buf_str(&a.of[i]), buf_str(&b.of[i])), "part %d", i);
    }
    parts_release(&a);
    parts_release(&b);
}

Test(serps, the_sum_of_halves_is_the_whole)
{
    struct parts whole, halves[2];
    struct told a, b;
    const struct serp_merge_rules rules = { .marked = &nobody, .positions = 3 };
    write_random(&whole, 0, 1, false);
    write_random(&halves[0], 0, 2, false);
    write_random(&halves[1], 1, 2, true);
    merge(&a, &whole, 1, &rules);
    merge(&b, halves, 2, &rules);
    cr_assert(gt(u64, a.totals.clicks, 100));
    cr_assert(eq(u64, a.totals.sessions, b.totals.sessions));
    cr_assert(str_eq(buf_str(&a.text), buf_str(&b.text)));
    told_release(&a);
    told_release(&b);
    parts_release(&whole);
    parts_release(&halves[0]);
    parts_release(&halves[1]);
}

/* ---- records ---- */

Test(serp_record, a_query_of_many_patterns_takes_several_records)
{
    enum { DOCS = 30000, N = 10 };
    struct told t;
    struct serp_query q = { .text = STR("lamp"), .docs_count = DOCS, .patterns_count = DOCS };
    struct str *docs = mem_alloc(DOCS * sizeof *docs);
    struct serp_pattern *patterns = mem_alloc(DOCS * sizeof *patterns);
    uint32_t *numbers = mem_alloc((size_t)DOCS * N * sizeof *numbers);
    for (uint32_t i = 0; i < DOCS; i++) {
        docs[i] = (struct str){ mem_printf("document-%u", i), 0 };
        docs[i].n = strlen(docs[i].p);
        for (uint32_t k = 0; k < N; k++)
            numbers[i * N + k] = (i + k * 7) % DOCS;
        patterns[i] = (struct serp_pattern){ numbers + (size_t)i * N, NULL, i % 1024, 1 + i % 3, 0, N, 0 };
        q.sessions += patterns[i].count;
        q.clicks += patterns[i].count * (uint64_t)__builtin_popcountll(patterns[i].clicked);
    }
    q.docs = docs;
    q.patterns = patterns;
    told_init(&t);
    cr_assert(tell(&t, &q, NULL));
    cr_assert(gt(sz, t.records.n, (size_t)2 * SERP_RECORD_BYTES));
    struct serp_reader r;
    struct str rest = buf_str(&t.records);
    bool whole = false;
    unsigned records = 0;
    serp_reader_init(&r, false);
    for (; rest.n; records++)
        cr_assert(serp_reader_take(&r, &rest, &whole));
    cr_assert(gt(u32, records, 2));
    cr_assert(eq(u32, r.q.patterns_count, DOCS));
    for (uint32_t i = 0; i < DOCS; i++) {
        cr_assert(str_eq(r.q.docs[i], docs[i]));
        cr_assert(eq(u64, r.q.patterns[i].clicked, patterns[i].clicked));
        cr_assert(memcmp(r.q.patterns[i].docs, patterns[i].docs, N * sizeof *numbers) == 0);
        mem_free((char *)(uintptr_t)docs[i].p);
    }
    serp_reader_release(&r);
    told_release(&t);
    mem_free(docs);
    mem_free(patterns);
    mem_free(numbers);
}

Test(serp_record, what_is_damaged_is_said_to_be)
{
    struct serp_day d;
    struct parts p;
    struct serp_reader r;
    bool whole;
    serp_day_init(&d);
    parts_init(&p);
    add(&d, SERP_RESPONSE, 1, 1, "q", "lamp", "a b a", 0);
    cr_assert(serp_day_write(&d, 1, parts_keep, &p, NULL));
    for (size_t n = 1; n < p.of[0].n; n++) {
        uint64_t searches;
        AUTO(serp_merge_free) struct serp_merge *m = serp_merge_new(&plain);
        cr_assert(not(serp_merge_add(m, 0, (struct str){ p.of[0].p, n }, &searches, NULL)));
    }
    serp_reader_init(&r, true);
    struct str half = { p.of[0].p, p.of[0].n - 1 };
    cr_assert(not(serp_reader_take(&r, &half, &whole)));
    serp_reader_release(&r);
    parts_release(&p);
    serp_day_release(&d);
}
