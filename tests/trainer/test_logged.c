/* What a randomised policy has logged: one number or one for each; what is none; any text does no harm. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/offpolicy/logged.h"

static struct arena arena;
static struct logged l;

static void open_arena(void)
{
    arena_init(&arena, 4096);
}

static void close_arena(void)
{
    arena_release(&arena);
}
TestSuite(logged, .init = open_arena, .fini = close_arena);

Test(logged, one_number_or_one_for_each)
{
    cr_assert(logged_read(STR("{\"docs\":[\"a\",7],\"propensity\":0.5}"), &arena, &l));
    cr_assert(l.count == 2 && l.whole);
    cr_assert(str_eq_c(l.docs[1], "7") && l.propensities[1] == 0.5 && isnan(l.targets[1]));
    cr_assert(logged_read(STR("{\"docs\":[\"a\",\"b\"],\"propensity\":[0.5,1],\"target\":[0,2]}"), &arena, &l));
    cr_assert(not(l.whole));
    cr_assert(l.propensities[1] == 1.0 && l.targets[0] == 0.0 && isnan(l.targets[1]));
}

Test(logged, what_is_none)
{
    static const char *const none[] = { "",
                                        "[]",
                                        "{\"docs\":[]}",
                                        "{\"docs\":[\"a\"]}",
                                        "{\"docs\":[\"a\"],\"propensity\":0}",
                                        "{\"docs\":[\"a\"],\"propensity\":1.5}",
                                        "{\"docs\":[\"a\",\"b\"],\"propensity\":[0.5]}",
                                        "{\"docs\":[\"a\",null],\"propensity\":0.5}",
                                        "{\"docs\":\"a\",\"propensity\":0.5}" };
    for (size_t i = 0; i < COUNT_OF(none); i++)
        cr_assert(not(logged_read(str_of(none[i]), &arena, &l)), "%s", none[i]);
}

Test(logged, takes_any_text)
{
    static const char pieces[] = "{}[]\",:docspropensitytarget0.5ab\\u00";
    char text[96];
    uint64_t state = 5;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = round % 2 ? (char)(state >> 56) : pieces[(state >> 33) % (sizeof pieces - 1)];
        }
        if (logged_read((struct str){ text, (size_t)round % sizeof text }, &arena, &l))
            cr_assert(le(u32, l.count, LOGGED_DOCS_MAX));
        arena_reset(&arena);
    }
}
