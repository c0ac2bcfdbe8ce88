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
