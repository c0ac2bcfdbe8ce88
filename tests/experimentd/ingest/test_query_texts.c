/* Query texts by their ids: found for those that lack them, within bounds. */
#include "experimentd/ingest/load/query_texts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static const struct signal no_query;

static struct signal named(const char *id, const char *query)
{
    return (struct signal){ .query_id = str_of(id), .query = query ? str_of(query) : (struct str){ NULL, 0 } };
}

Test(query_texts, a_click_gets_the_text_of_its_query)
{
    struct query_texts q = { 0 };
    struct signal s[] = { named("q1", NULL), named("q1", "lamp"), named("q2", NULL), no_query, named("q1", "another") };
    query_texts_apply(&q, s, COUNT_OF(s));
    cr_assert(str_eq_c(s[0].query, "lamp"), "also when it came first");
    cr_assert(s[2].query.p == NULL);
    cr_assert(s[3].query.p == NULL);
    cr_assert(str_eq_c(s[4].query, "another"), "a text of its own stays");
    struct signal later[] = { named("q1", NULL), named("q2", "shade") };
    query_texts_apply(&q, later, COUNT_OF(later));
    cr_assert(str_eq_c(later[0].query, "lamp"), "from an earlier batch");
    query_texts_release(&q);
}

static void apply_many(struct query_texts *q, unsigned from, unsigned to, bool with_text, unsigned *out_found)
{
    char id[16];
    for (unsigned i = from; i < to; i++) {
        (void)snprintf(id, sizeof id, "q%u", i);
        struct signal s = named(id, with_text ? id : NULL);
        query_texts_apply(q, &s, 1);
        if (out_found)
            *out_found += str_eq_c(s.query, id);
    }
}

Test(query_texts, a_window_is_remembered_and_what_is_older_is_forgotten)
{
    struct query_texts q = { 0 };
    unsigned found = 0, old = 0;
    apply_many(&q, 0, 4 * QUERY_TEXTS_WINDOW, true, NULL);
    apply_many(&q, 3 * QUERY_TEXTS_WINDOW, 4 * QUERY_TEXTS_WINDOW, false, &found);
    cr_assert(eq(u32, found, QUERY_TEXTS_WINDOW));
    apply_many(&q, 0, 1000, false, &old);
    cr_assert(eq(u32, old, 0));
    query_texts_release(&q);
}

Test(query_texts, long_texts_turn_it_earlier)
{
    struct query_texts q = { 0 };
    static char text[SIGNAL_QUERY_MAX + 1];
    memset(text, 'x', SIGNAL_QUERY_MAX);
    char id[16];
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof id, "q%u", i);
        struct signal s = named(id, text);
        query_texts_apply(&q, &s, 1);
        cr_assert(q.young.bytes <= QUERY_TEXTS_BYTES);
    }
    struct signal last = named("q4999", NULL);
    query_texts_apply(&q, &last, 1);
    cr_assert(eq(sz, last.query.n, SIGNAL_QUERY_MAX));
    query_texts_release(&q);
}
