#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "experimentd/serving/recent.h"

/* "doc:weight doc:weight", newest first. */
static char *told(struct recent *r, const char *unit, int64_t now_us, struct arena *arena)
{
    struct recommend_event *events;
    struct buf b;
    buf_init(&b, 1 << 16);
    size_t n = recent_get(r, str_of(unit), now_us, arena, &events);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%s" STR_FMT ":%g", i ? " " : "", STR_ARG(events[i].item), events[i].weight);
    char *text = arena_cstr(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

Test(recent, documents_come_newest_first_each_once_with_its_greatest_weight)
{
    struct arena arena;
    struct recent *r = recent_new(1 << 20);
    arena_init(&arena, 4096);
    recent_note(r, STR("ann"), STR("lamp"), 1, 1000);
    recent_note(r, STR("ann"), STR("chair"), 25, 2000);
    recent_note(r, STR("bob"), STR("rug"), 1, 2500);
    recent_note(r, STR("ann"), STR("lamp"), 10, 3000);
    recent_note(r, STR("ann"), STR("chair"), 1, 4000);
    cr_assert(eq(str, told(r, "ann", 5000, &arena), "chair:25 lamp:10"));
    cr_assert(eq(str, told(r, "bob", 5000, &arena), "rug:1"));
    cr_assert(eq(str, told(r, "carl", 5000, &arena), ""));
    cr_assert(eq(str, told(r, "ann", 3500 + RECENT_AGE_HOURS * 3600 * US_PER_SECOND, &arena), "chair:25"));
    recent_forget(r, hash64(STR("ann")));
    cr_assert(eq(str, told(r, "ann", 5000, &arena), ""));
    recent_free(r);
    arena_release(&arena);
}

Test(recent, a_unit_keeps_its_newest_documents_within_its_place)
{
    struct arena arena;
    struct recommend_event *events;
    struct recent *r = recent_new(1 << 20);
    char doc[400], number[16];
    arena_init(&arena, 1 << 16);
    for (int i = 0; i < 1000; i++) { /* lengths of all kinds */
        size_t n = (size_t)(3 + i * 37 % 390);
        memset(doc, 'a' + i % 26, n);
        (void)snprintf(number, sizeof number, "%06d.", i);
        memcpy(doc, number, 7);
        recent_note(r, STR("ann"), (struct str){ doc, n < 7 ? 7 : n }, 1, i);
        size_t count = recent_get(r, STR("ann"), 1000, &arena, &events);
        cr_assert(gt(sz, count, 0));
        cr_assert(le(sz, count, RECENT_DOCS));
        for (size_t e = 0; e < count; e++) {
            char want[16];
            (void)snprintf(want, sizeof want, "%06u.", ((unsigned)i - (unsigned)e) % 1000000);
            cr_assert(eq(int, memcmp(events[e].item.p, want, 7), 0), "event %zu of document %d", e, i);
        }
        arena_reset(&arena);
    }
    recent_free(r);
    arena_release(&arena);
}

Test(recent, memory_is_bounded_and_the_unit_seen_longest_ago_gives_way)
{
    struct arena arena;
    struct recommend_event *events;
    uint64_t units, room;
    struct recent *r = recent_new(64 << 10);
    arena_init(&arena, 1 << 16);
    for (int i = 0; i < 5000; i++)
        recent_note(r, arena_printf(&arena, "unit %d", i), STR("lamp"), 1, i);
    recent_stats(r, &units, &room);
    cr_assert(eq(u64, room, 64));
    cr_assert(eq(u64, units, 64));
    size_t found = 0;
    for (int i = 0; i < 5000; i++)
        found += recent_get(r, arena_printf(&arena, "unit %d", i), 5000, &arena, &events);
    cr_assert(eq(sz, found, 64));
    cr_assert(eq(sz, recent_get(r, STR("unit 4999"), 5000, &arena, &events), 1));
    recent_free(r);
    arena_release(&arena);
}

Test(recent, without_memory_nothing_is_kept)
{
    struct arena arena;
    struct recommend_event *events;
    struct recent *r = recent_new(0);
    arena_init(&arena, 4096);
    recent_note(r, STR("ann"), STR("lamp"), 1, 1);
    recent_forget(r, 7);
    cr_assert(eq(sz, recent_get(r, STR("ann"), 2, &arena, &events), 0));
    recent_free(r);
    arena_release(&arena);
}

Test(recent, types_weigh_as_the_jobs_defaults_do)
{
    cr_assert(eq(dbl, recent_weight(STR("click")), 1));
    cr_assert(eq(dbl, recent_weight(STR("cart")), 10));
    cr_assert(eq(dbl, recent_weight(STR("purchase")), 25));
    cr_assert(eq(dbl, recent_weight(STR("request")), 0));
}
