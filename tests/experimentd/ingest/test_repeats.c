/* The ids of the last signals: exact, and bounded. */
#include "experimentd/ingest/load/repeats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

enum { MANY = 3 * REPEATS_WINDOW };

static void make_id(unsigned char id[16], uint64_t n, bool spread)
{
    uint64_t low = spread ? n * UINT64_C(0x9E3779B97F4A7C15) : n;
    memset(id, 0, 16);
    memcpy(id + 8, &low, 8);
}

static void add(struct repeats *r, uint64_t from, uint64_t to, bool spread)
{
    unsigned char id[16];
    for (uint64_t n = from; n < to; n++) {
        make_id(id, n, spread);
        repeats_add(r, id);
    }
}

static size_t known(const struct repeats *r, uint64_t from, uint64_t to, bool spread)
{
    unsigned char id[16];
    size_t count = 0;
    for (uint64_t n = from; n < to; n++) {
        make_id(id, n, spread);
        count += repeats_has(r, id);
    }
    return count;
}

Test(repeats, what_was_added_is_known_and_nothing_else)
{
    for (int spread = 0; spread < 2; spread++) {
        struct repeats r = { 0 };
        cr_assert(eq(sz, known(&r, 0, 1000, spread), 0));
        add(&r, 0, 100000, spread);
        cr_assert(eq(sz, known(&r, 0, 100000, spread), 100000));
        cr_assert(eq(sz, known(&r, 100000, 300000, spread), 0));
        repeats_release(&r);
    }
}

Test(repeats, adding_again_changes_nothing)
{
    struct repeats r = { 0 };
    add(&r, 0, 1000, true);
    add(&r, 0, 1000, true);
    cr_assert(eq(sz, r.young.count, 999)); /* the id of zeros has no slot */
    repeats_release(&r);
}

Test(repeats, at_least_a_window_is_known_and_memory_stays_bounded)
{
    struct repeats r = { 0 };
    add(&r, 1, MANY, true);
    cr_assert(eq(sz, known(&r, MANY - REPEATS_WINDOW, MANY, true), REPEATS_WINDOW));
    cr_assert(eq(sz, known(&r, 1, MANY - 2 * (uint64_t)REPEATS_WINDOW, true), 0), "what is too old is forgotten");
    cr_assert(le(sz, r.young.slots, REPEATS_SLOTS_MAX));
    cr_assert(le(sz, r.old.slots, REPEATS_SLOTS_MAX));
    repeats_release(&r);
}
