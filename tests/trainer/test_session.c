/* Sessions of a day: gaps, ids of the client, midnight, and a second, plain way of finding them. */
#include "trainer/kernels/session.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GAP = 30 * 60, DAY = 86400, FOUND_MAX = 2000 };
static const struct str none;

struct found {
    struct session s[FOUND_MAX];
    size_t n;
};

static bool keep(void *arg, const struct session *s, struct err *err)
{
    struct found *f = arg;
    (void)err;
    cr_assert(f->n < FOUND_MAX);
    f->s[f->n++] = *s;
    return true;
}

static struct session_event event(const char *unit, int64_t at, const char *type, const char *session,
                                  const char *query)
{
    return (struct session_event){ .at_us = at,
                                   .unit = str_of(unit),
                                   .session = session ? str_of(session) : none,
                                   .query = query ? str_of(query) : none,
                                   .kind = session_kind_of(str_of(type)),
                                   .value = NAN };
}

static struct found *find(struct session_event *events, size_t n)
{
    static struct found f;
    f.n = 0;
    cr_assert(sessions_find(events, n, 0, DAY, GAP, keep, &f, NULL));
    return &f;
}

Test(session, a_pause_of_more_than_the_gap_ends_it)
{
    struct session_event e[] = { event("u", 100, "request", NULL, "lamp"), event("u", 100 + GAP, "click", NULL, NULL),
                                 event("u", 101 + 2 * GAP, "request", NULL, "desk"),
                                 event("v", 100, "view", NULL, NULL) };
    struct found *f = find(e, COUNT_OF(e));
    cr_assert(eq(sz, f->n, 3));
    cr_assert(eq(i64, f->s[0].signals, 2));
    cr_assert(eq(i64, f->s[0].ended_us, 100 + GAP));
    cr_assert(str_eq_c(f->s[1].first_query, "desk"));
    cr_assert(str_eq_c(f->s[2].unit, "v"));
}

Test(session, it_sums_what_was_done)
{
    struct session_event e[] = { event("u", 5, "request", NULL, "lamp"),   event("u", 1, "request", NULL, "lam"),
                                 event("u", 7, "click", NULL, NULL),       event("u", 8, "cart", NULL, NULL),
                                 event("u", 9, "purchase", NULL, NULL),    event("u", 9, "purchase", NULL, NULL),
                                 event("u", 10, "impression", NULL, "no"), event("u", 11, "request", NULL, NULL) };
    e[4].value = 12.5;
    e[3].value = 99;
    struct found *f = find(e, COUNT_OF(e));
    cr_assert(eq(sz, f->n, 1));
    const struct session *s = &f->s[0];
    cr_assert(eq(i64, s->signals, 8));
    cr_assert(eq(i64, s->counts[SESSION_QUERY], 3));
    cr_assert(eq(i64, s->counts[SESSION_CLICK], 1));
    cr_assert(eq(i64, s->counts[SESSION_CART], 1));
    cr_assert(eq(i64, s->counts[SESSION_PURCHASE], 2));
    cr_assert(epsilon_eq(dbl, s->revenue, 12.5, 0), "of purchases whose value is known");
    cr_assert(str_eq_c(s->first_query, "lam"));
    cr_assert(str_eq_c(s->last_query, "lamp"));
}

Test(session, another_id_of_the_client_begins_another)
{
    struct session_event e[] = { event("u", 1, "view", NULL, NULL), event("u", 2, "view", "s1", NULL),
                                 event("u", 3, "view", "s2", NULL), event("u", 4, "view", NULL, NULL),
                                 event("u", 5, "view", "s1", NULL), event("u", 6, "view", "s2", NULL) };
    struct found *f = find(e, COUNT_OF(e));
    cr_assert(eq(sz, f->n, 3));
    cr_assert(str_eq_c(f->s[0].id, "s1"), "also when it came with the second signal");
    cr_assert(eq(i64, f->s[0].signals, 2));
    cr_assert(str_eq_c(f->s[1].id, "s2"));
    cr_assert(eq(i64, f->s[1].signals, 3), "a signal without one goes with both its neighbours");
}

Test(session, it_belongs_to_the_day_on_which_it_begins)
{
    struct session_event e[] = { event("a", -GAP, "view", NULL, NULL),     event("a", 0, "view", NULL, NULL),
                                 event("b", -GAP - 1, "view", NULL, NULL), event("b", 0, "view", NULL, NULL),
                                 event("c", DAY - 1, "view", NULL, NULL),  event("c", DAY + 5, "view", NULL, NULL),
                                 event("d", DAY, "view", NULL, NULL) };
    struct found *f = find(e, COUNT_OF(e));
    cr_assert(eq(sz, f->n, 2));
    cr_assert(str_eq_c(f->s[0].unit, "b"));
    cr_assert(eq(i64, f->s[0].signals, 1));
    cr_assert(str_eq_c(f->s[1].unit, "c"));
    cr_assert(eq(i64, f->s[1].signals, 2));
}

/* Every order of the same signals, cut into days, gives the sessions of the whole. */
Test(session, days_put_together_are_the_whole_in_any_order)
{
    enum { N = 1500, DAYS = 3, UNITS = 7 };
    static struct session_event all[N], copy[N];
    static const char *const units[UNITS] = { "a", "b", "c", "d", "e", "f", "g" }, *const ids[] = { NULL, NULL, "s1",
                                                                                                    "s2" };
    static struct found whole, days;
    srandom(11);
    for (int i = 0; i < N; i++)
        all[i] = event(units[random() % UNITS], random() % (DAYS * DAY), "view", ids[random() % 4], NULL);
    memcpy(copy, all, sizeof all);
    cr_assert(sessions_find(copy, N, 0, DAYS * DAY, GAP, keep, &whole, NULL));
    int64_t signals = 0;
    for (size_t i = 0; i < whole.n; i++)
        signals += whole.s[i].signals;
    cr_assert(eq(i64, signals, N), "each signal is in one session");
    for (int day = 0; day < DAYS; day++) {
        size_t n = 0;
        for (int i = 0; i < N; i++)
            if (all[i].at_us >= day * DAY - GAP)
                copy[n++] = all[i];
        for (size_t i = n; i > 1; i--) {
            size_t k = (size_t)random() % i;
            struct session_event t = copy[i - 1];
            copy[i - 1] = copy[k];
            copy[k] = t;
        }
        cr_assert(sessions_find(copy, n, day * DAY, (day + 1) * DAY, GAP, keep, &days, NULL));
    }
    cr_assert(eq(sz, days.n, whole.n));
    for (size_t i = 0; i < whole.n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < days.n; k++)
            same += str_eq(whole.s[i].unit, days.s[k].unit) && whole.s[i].started_us == days.s[k].started_us &&
                    whole.s[i].ended_us == days.s[k].ended_us && whole.s[i].signals == days.s[k].signals &&
                    str_eq(whole.s[i].id, days.s[k].id);
        cr_assert(same >= 1, "session %zu of %zu", i, whole.n);
    }
}
