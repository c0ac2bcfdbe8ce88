/* Two workers' stickies on one database: what stands is what was first, and PostgreSQL away is an answer too. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/pgloop.h"
#include "experimentd/evaluate/sticky.h"
#include "experimentd/queries.h"
#include "tests/support/pgtest.h"

static struct event_base *base;
static struct pgloop *loops[2];
static struct sticky *stickies[2];
static struct arena arena;
static _Atomic uint64_t unavailable;
static struct pg *pg;

static void start(const char *url)
{
    base = event_base_new();
    arena_init(&arena, 4096);
    for (int i = 0; i < 2; i++) {
        loops[i] = pgloop_new(base, url, "test_sticky", queries, QUERY_COUNT, 10000);
        stickies[i] = sticky_new(loops[i], &unavailable);
    }
}

static void start_connected(void)
{
    const char *url = pgtest_url();
    pg = pgtest_connect(url, NULL, 0);
    start(url);
    while (!pgloop_is_connected(loops[0]) || !pgloop_is_connected(loops[1]))
        (void)event_base_loop(base, EVLOOP_ONCE);
}

static void stop(void)
{
    for (int i = 0; i < 2; i++) {
        pgloop_free(loops[i]);
        sticky_free(stickies[i]);
    }
    event_base_free(base);
    arena_release(&arena);
    pg_close(pg);
}

struct answer {
    int calls;
    bool stored;
};

static void on_ready(void *arg, bool stored)
{
    struct answer *a = arg;
    a->calls++;
    a->stored = stored;
}

static bool read(int worker, struct sticky_doc *docs, size_t n)
{
    struct answer a = { 0 };
    sticky_read(stickies[worker], docs, n, &arena, on_ready, &a);
    while (a.calls == 0)
        (void)event_base_loop(base, EVLOOP_ONCE);
    cr_assert(eq(int, a.calls, 1));
    return a.stored;
}

/* True when the cache alone answered. */
static bool read_at_once(int worker, struct sticky_doc *docs, size_t n)
{
    static struct answer a;
    a = (struct answer){ 0 };
    sticky_read(stickies[worker], docs, n, &arena, on_ready, &a);
    bool at_once = a.calls == 1;
    while (a.calls == 0)
        (void)event_base_loop(base, EVLOOP_ONCE);
    return at_once;
}

static bool write(int worker, struct sticky_change *changes, size_t n)
{
    struct answer a = { 0 };
    sticky_write(stickies[worker], changes, n, &arena, on_ready, &a);
    cr_assert(eq(int, a.calls, 0), "not from inside");
    while (a.calls == 0)
        (void)event_base_loop(base, EVLOOP_ONCE);
    return a.stored;
}

static struct sticky_change change(const char *value, const char *experiment, const char *variant, const char *was)
{
    return (struct sticky_change){ STR("id"), str_of(value), str_of(was), { str_of(experiment), str_of(variant) } };
}

static struct sticky_doc doc(const char *value)
{
    return (struct sticky_doc){ .attribute = STR("id"), .value = str_of(value) };
}

Test(sticky, what_was_written_is_read_by_another_worker)
{
    start_connected();
    struct sticky_change changes[] = { change("u\"'\\,{}", "ranker__0", "ltr", NULL),
                                       change("u\"'\\,{}", "é__1", "b", NULL), change("v", "ranker__0", "bm25", NULL) };
    cr_assert(write(0, changes, 3));
    struct sticky_doc docs[] = { doc("v"), doc("nobody"), doc("u\"'\\,{}"), doc("v") };
    cr_assert(read(1, docs, 4));
    cr_assert(docs[0].n == 1 && str_eq_c(docs[0].items[0].variant, "bm25"));
    cr_assert(eq(sz, docs[1].n, 0));
    cr_assert(docs[2].n == 2 && str_eq_c(docs[2].items[0].experiment, "ranker__0"));
    cr_assert(str_eq_c(docs[2].items[1].experiment, "é__1") && str_eq_c(docs[2].items[1].variant, "b"));
    cr_assert(eq(sz, docs[3].n, 1));
    stop();
}

Test(sticky, the_first_of_two_that_differ_stands)
{
    start_connected();
    struct sticky_change first = change("u", "ranker__0", "ltr", NULL), second = change("u", "ranker__0", "bm25", NULL);
    struct answer a = { 0 }, b = { 0 };
    sticky_write(stickies[0], &first, 1, &arena, on_ready, &a);
    sticky_write(stickies[1], &second, 1, &arena, on_ready, &b);
    while (!a.calls || !b.calls)
        (void)event_base_loop(base, EVLOOP_ONCE);
    cr_assert(a.stored && b.stored);
    cr_assert(str_eq(first.item.variant, second.item.variant), "both go on with one");
    struct sticky_doc d = doc("u");
    cr_assert(read(0, &d, 1));
    cr_assert(d.n == 1 && str_eq(d.items[0].variant, first.item.variant));
    stop();
}

Test(sticky, a_variant_gives_way_only_to_who_knew_it)
{
    start_connected();
    struct sticky_change c = change("u", "ranker__0", "gone", NULL);
    cr_assert(write(0, &c, 1));
    c = change("u", "ranker__0", "bm25", "other");
    cr_assert(write(1, &c, 1));
    cr_assert(str_eq_c(c.item.variant, "gone"));
    c = change("u", "ranker__0", "bm25", "gone");
    cr_assert(write(1, &c, 1));
    cr_assert(str_eq_c(c.item.variant, "bm25"));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from sticky_assignments where variant = 'bm25'"), 1));
    stop();
}

Test(sticky, a_known_document_is_not_asked_for_until_it_is_old)
{
    start_connected();
    struct sticky_doc d = doc("u");
    clock_freeze(INT64_C(1700000000) * US_PER_SECOND);
    cr_assert(not(read_at_once(0, &d, 1)));
    cr_assert(read_at_once(0, &d, 1), "also that nothing stands is known");
    struct sticky_change c = change("u", "ranker__0", "ltr", NULL);
    cr_assert(write(1, &c, 1)); /* the other worker */
    cr_assert(read_at_once(0, &d, 1) && d.n == 0);
    c = change("u", "ranker__0", "bm25", NULL);
    cr_assert(write(0, &c, 1));
    cr_assert(str_eq_c(c.item.variant, "ltr"), "what was overlooked is found when it is written");
    cr_assert(read_at_once(0, &d, 1) && d.n == 1 && str_eq_c(d.items[0].variant, "ltr"));
    clock_freeze(INT64_C(1700000000) * US_PER_SECOND + 60 * US_PER_SECOND);
    cr_assert(not(read_at_once(0, &d, 1)));
    stop();
}

Test(sticky, a_batch_of_thousands_is_one_statement)
{
    enum { N = 3000 };
    static struct sticky_change changes[N];
    static struct sticky_doc docs[N];
    static char values[N][16];
    start_connected();
    for (int i = 0; i < N; i++) {
        (void)snprintf(values[i], sizeof values[i], "u-%d", i / 2); /* each twice, with two minds */
        changes[i] = change(values[i], "ranker__0", i % 2 ? "bm25" : "ltr", NULL);
        docs[i] = doc(values[i]);
    }
    cr_assert(write(0, changes, N));
    cr_assert(write(1, changes, N), "all are there already");
    cr_assert(read(1, docs, N));
    for (int i = 0; i < N; i++)
        cr_assert(docs[i].n == 1 && str_eq(docs[i].items[0].variant, changes[i].item.variant));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from sticky_assignments"), N / 2));
    stop();
}

Test(sticky, values_that_cannot_be_stored_are_left_to_the_hash)
{
    static char longest[300];
    start_connected();
    memset(longest, 'x', sizeof longest - 1);
    struct sticky_change changes[] = { change(longest, "e__0", "a", NULL), change("\xff", "e__0", "a", NULL),
                                       change("", "e__0", "a", NULL), change("u", "e__0", "a", NULL) };
    struct sticky_doc docs[] = { doc(longest), doc("\xff"), doc("") };
    changes[1].value = (struct str){ "a\0b", 3 };
    cr_assert(write(0, changes, 4));
    cr_assert(read_at_once(0, docs, 3));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from sticky_assignments"), 1));
    stop();
}

Test(sticky, without_postgresql_what_is_known_still_counts)
{
    start_connected();
    struct sticky_doc known = doc("u"), unknown = doc("v");
    struct sticky_change c = change("u", "ranker__0", "ltr", NULL);
    clock_freeze(INT64_C(1700000000) * US_PER_SECOND);
    cr_assert(write(0, &c, 1) && read(0, &known, 1));
    pgtest_exec(pg, "drop table sticky_assignments");
    clock_freeze(INT64_C(1700000000) * US_PER_SECOND + 3600 * US_PER_SECOND);
    struct sticky_doc docs[] = { known, unknown };
    cr_assert(not(read(0, docs, 2)));
    cr_assert(docs[0].n == 1 && str_eq_c(docs[0].items[0].variant, "ltr"), "old, but better than nothing");
    cr_assert(eq(sz, docs[1].n, 0));
    c = change("v", "ranker__0", "bm25", NULL);
    cr_assert(not(write(0, &c, 1)));
    cr_assert(str_eq_c(c.item.variant, "bm25"), "as it was decided");
    cr_assert(eq(u64, atomic_load(&unavailable), 2));
    stop();
}

Test(sticky, without_a_connection_it_answers_as_well)
{
    start("host=/nowhere dbname=none");
    struct sticky_doc d = doc("u");
    struct sticky_change c = change("u", "ranker__0", "ltr", NULL);
    cr_assert(not(read(0, &d, 1)));
    cr_assert(not(write(0, &c, 1)));
    cr_assert(eq(u64, atomic_load(&unavailable), 2));
    stop();
}
