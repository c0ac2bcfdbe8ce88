/* Publishing and reclaiming on one thread, and looking things up. That a snapshot is not freed too early, the address sanitizer tells;
 * that it is freed at all, the leak sanitizer. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "experimentd/config/snapshot_parts.h"

static struct snapshot *make(int64_t version)
{
    struct snapshot_whole *w = mem_zalloc(sizeof *w);
    arena_init(&w->arena, 1024);
    w->s.version = version;
    w->s.experiments_count = 1;
    w->s.experiments = arena_zalloc(&w->arena, sizeof *w->s.experiments);
    w->s.experiments->key = arena_printf(&w->arena, "v%lld", (long long)version);
    return &w->s;
}

static void expect_whole(const struct snapshot *s, int64_t version)
{
    char key[32];
    (void)snprintf(key, sizeof key, "v%lld", (long long)version);
    cr_assert(eq(i64, s->version, version));
    cr_assert(str_eq_c(s->experiments[0].key, key));
}

Test(snapshot, there_is_none_before_the_first)
{
    snapshot_init(1);
    cr_expect(snapshot_get() == NULL);
    cr_expect(snapshot_experiment(NULL, STR("x")) == NULL);
    snapshot_shutdown();
}

/* Two readers: what either may hold stays, whatever is published meanwhile. */
Test(snapshot, what_a_reader_may_hold_is_not_freed)
{
    snapshot_init(2);
    snapshot_publish(make(1));
    snapshot_quiescent(0); /* the end of the turn before */
    const struct snapshot *held = snapshot_get();
    for (int64_t v = 2; v < 20; v++) {
        snapshot_publish(make(v));
        snapshot_quiescent(1); /* the other reader goes on */
        snapshot_collect();
        expect_whole(held, 1);
        expect_whole(snapshot_get(), v);
    }
    snapshot_quiescent(0); /* lets go of `held` */
    held = snapshot_get();
    snapshot_collect();
    expect_whole(held, 19);
    snapshot_shutdown();
}

Test(snapshot, a_reader_that_left_holds_nothing_up)
{
    snapshot_init(2);
    snapshot_publish(make(1));
    snapshot_leave(0);
    snapshot_publish(make(2));
    snapshot_quiescent(1);
    snapshot_collect();
    expect_whole(snapshot_get(), 2);
    snapshot_shutdown();
}

/* A snapshot with one key of this scope, or with an empty table. */
static struct snapshot *with_key(struct str key, enum key_scope scope)
{
    struct snapshot_whole *w = mem_zalloc(sizeof *w);
    size_t at;
    arena_init(&w->arena, 1024);
    w->keys_room = 16;
    w->keys = arena_zalloc(&w->arena, w->keys_room * sizeof *w->keys);
    struct snapshot_key k = { .scope = scope, .label = STR("label") };
    (void)crypto_generichash(k.hash, sizeof k.hash, (const unsigned char *)key.p, key.n, NULL, 0);
    memcpy(&at, k.hash, sizeof at);
    w->keys[at & (w->keys_room - 1)] = k;
    return &w->s;
}

/* Each thread remembers the last key it found: a revoked key must be forgotten at once, also where the next snapshot has the memory
 * of the one before. */
Test(snapshot, a_key_counts_as_the_current_snapshot_says)
{
    static const enum key_scope scopes[] = { SCOPE_ADMIN, SCOPE_NONE, SCOPE_CLIENT, SCOPE_NONE, SCOPE_ANALYST };
    const struct str key = STR("xd_admin_0123456789");
    struct str label;
    snapshot_init(1);
    for (size_t round = 0; round < 100; round++) {
        enum key_scope wanted = scopes[round % COUNT_OF(scopes)];
        snapshot_publish(with_key(key, wanted));
        snapshot_quiescent(0);
        snapshot_collect();
        for (int again = 0; again < 3; again++) {
            cr_assert(eq(int, (int)snapshot_key_scope(snapshot_get(), key, &label), (int)wanted));
            cr_assert(
                eq(int, (int)snapshot_key_scope(snapshot_get(), STR("xd_admin_0123456788"), &label), (int)SCOPE_NONE));
            cr_assert(
                eq(int, (int)snapshot_key_scope(snapshot_get(), STR("xd_admin_012345678"), &label), (int)SCOPE_NONE));
        }
    }
    snapshot_shutdown();
}

Test(snapshot, a_key_of_any_length_is_looked_up)
{
    static char text[5000];
    struct str label;
    snapshot_init(1);
    for (size_t n = 1; n <= sizeof text; n = n * 2 + 1) {
        memset(text, 'k', n);
        snapshot_publish(with_key((struct str){ text, n }, SCOPE_CLIENT));
        for (int again = 0; again < 2; again++) {
            cr_expect(
                eq(int, (int)snapshot_key_scope(snapshot_get(), (struct str){ text, n }, &label), (int)SCOPE_CLIENT),
                "%zu", n);
            cr_expect(
                eq(int, (int)snapshot_key_scope(snapshot_get(), (struct str){ text, n - 1 }, &label), (int)SCOPE_NONE),
                "%zu", n);
        }
    }
    snapshot_shutdown();
}

Test(snapshot, finds_experiments_by_key)
{
    static const char *const keys[] = { "a", "a-b", "a.b", "ab", "b", "z9" }; /* by bytes, as the query orders them */
    struct snapshot_experiment experiments[COUNT_OF(keys)] = { 0 };
    struct snapshot s = { .experiments = experiments };
    for (size_t n = 0; n <= COUNT_OF(keys); n++) {
        s.experiments_count = n;
        for (size_t i = 0; i < n; i++)
            experiments[i].key = str_of(keys[i]);
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            cr_expect(snapshot_experiment(&s, str_of(keys[i])) == (i < n ? &experiments[i] : NULL), "%s of %zu",
                      keys[i], n);
        cr_expect(snapshot_experiment(&s, STR("")) == NULL);
        cr_expect(snapshot_experiment(&s, STR("a-")) == NULL);
        cr_expect(snapshot_experiment(&s, STR("zz")) == NULL);
    }
}
