#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/evaluate/sticky_cache.h"

static struct sticky_cache *cache;
static struct arena arena;

static void setup(void)
{
    cache = sticky_cache_new();
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    sticky_cache_free(cache);
    arena_release(&arena);
}

TestSuite(sticky_cache, .init = setup, .fini = teardown);

static void put(const char *attribute, const char *value, const char *variant, int64_t now_us)
{
    struct sticky_item item = { STR("ranker__0"), str_of(variant) };
    const struct sticky_doc doc = { str_of(attribute), str_of(value), &item, variant ? 1 : 0 };
    sticky_cache_put(cache, &doc, now_us);
}

static enum sticky_found get(const char *attribute, const char *value, int64_t now_us, struct sticky_doc *doc)
{
    *doc = (struct sticky_doc){ .attribute = str_of(attribute), .value = str_of(value) };
    return sticky_cache_get(cache, doc, now_us, &arena);
}

Test(sticky_cache, knows_what_was_put_for_a_minute)
{
    struct sticky_doc d;
    cr_assert(eq(int, (int)get("id", "u", 0, &d), STICKY_UNKNOWN));
    put("id", "u", "ltr", 1000);
    put("id", "nobody", NULL, 1000);
    cr_assert(eq(int, (int)get("id", "u", 1000 + 59 * US_PER_SECOND, &d), STICKY_FRESH));
    cr_assert(d.n == 1 && str_eq_c(d.items[0].experiment, "ranker__0") && str_eq_c(d.items[0].variant, "ltr"));
    cr_assert(eq(int, (int)get("id", "nobody", 1000, &d), STICKY_FRESH));
    cr_assert(eq(sz, d.n, 0));
    cr_assert(eq(int, (int)get("id", "u", 1000 + 60 * US_PER_SECOND, &d), STICKY_OLD));
    cr_assert(eq(sz, d.n, 1));
    cr_assert(eq(int, (int)get("id", "u", 999, &d), STICKY_OLD), "the clock was set back");
}

Test(sticky_cache, tells_pairs_apart_that_join_to_the_same_text)
{
    struct sticky_doc d;
    put("a", "bc", "one", 0);
    put("ab", "c", "two", 0);
    cr_assert(eq(int, (int)get("a", "bc", 0, &d), STICKY_FRESH));
    cr_assert(str_eq_c(d.items[0].variant, "one"));
    cr_assert(eq(int, (int)get("ab", "c", 0, &d), STICKY_FRESH));
    cr_assert(str_eq_c(d.items[0].variant, "two"));
    cr_assert(eq(int, (int)get("abc", "", 0, &d), STICKY_UNKNOWN));
}

Test(sticky_cache, adds_to_what_it_knows_without_making_it_younger)
{
    struct sticky_doc d;
    sticky_cache_add(cache, STR("id"), STR("u"), (struct sticky_item){ STR("x__0"), STR("v") });
    cr_assert(eq(int, (int)get("id", "u", 0, &d), STICKY_UNKNOWN), "the rest of it is not known");
    put("id", "u", "ltr", 0);
    sticky_cache_add(cache, STR("id"), STR("u"), (struct sticky_item){ STR("x__0"), STR("v") });
    sticky_cache_add(cache, STR("id"), STR("u"), (struct sticky_item){ STR("ranker__0"), STR("bm25") });
    cr_assert(eq(int, (int)get("id", "u", 60 * US_PER_SECOND, &d), STICKY_OLD));
    cr_assert(eq(sz, d.n, 2));
    cr_assert(str_eq_c(d.items[0].variant, "bm25") && str_eq_c(d.items[1].variant, "v"));
}

Test(sticky_cache, does_not_keep_what_is_too_large)
{
    static char longest[STICKY_DOC_BYTES];
    struct sticky_doc d;
    memset(longest, 'x', sizeof longest - 1);
    put("id", "u", "ltr", 0);
    put("id", "u", longest, 0);
    cr_assert(eq(int, (int)get("id", "u", 0, &d), STICKY_UNKNOWN));
}

/* A hundred times as many documents as there is room for: the one that is asked for all the time stays, others give way. */
Test(sticky_cache, is_bounded_and_keeps_what_is_used)
{
    struct sticky_doc d;
    char value[32];
    size_t kept = 0;
    put("id", "regular", "ltr", 0);
    for (int i = 0; i < 100 * STICKY_ENTRIES; i++) {
        (void)snprintf(value, sizeof value, "u-%d", i);
        put("id", value, "bm25", 0);
        cr_assert(eq(int, (int)get("id", "regular", 0, &d), STICKY_FRESH));
        arena_reset(&arena);
    }
    for (int i = 0; i < 100 * STICKY_ENTRIES; i++) {
        (void)snprintf(value, sizeof value, "u-%d", i);
        kept += get("id", value, 0, &d) == STICKY_FRESH;
    }
    cr_assert(kept > STICKY_ENTRIES * 9 / 10 && kept < STICKY_ENTRIES, "%zu", kept);
}
