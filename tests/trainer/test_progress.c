#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "trainer/run/progress.h"

static struct progress known(void)
{
    struct progress p;
    progress_init(&p);
    progress_know(&p, STR("days"), 8);
    progress_know(&p, STR("caps"), 1);
    progress_know(&p, STR("units"), 1);
    return p;
}

Test(progress, weighs_passes_by_what_they_took_last_time)
{
    struct progress p = known();
    progress_begin(&p, "days");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 5, 10), 0.4, 1e-12));
    cr_assert(epsilon_eq(dbl, progress_at(&p, 10, 10), 0.8, 1e-12));
    progress_begin(&p, "caps");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 0, 4), 0.8, 1e-12));
    cr_assert(epsilon_eq(dbl, progress_at(&p, 2, 4), 0.85, 1e-12));
    progress_begin(&p, "units");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 1, 2), 0.95, 1e-12));
}

Test(progress, jumps_over_a_pass_that_does_not_come_this_time)
{
    struct progress p = known();
    progress_begin(&p, "days");
    (void)progress_at(&p, 1, 1);
    progress_begin(&p, "units");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 0, 2), 0.9, 1e-12));
}

Test(progress, gives_unknown_passes_half_of_what_is_left)
{
    struct progress p;
    progress_init(&p);
    progress_begin(&p, "a");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 1, 1), 0.5, 1e-12));
    progress_begin(&p, "b");
    cr_assert(epsilon_eq(dbl, progress_at(&p, 1, 2), 0.625, 1e-12));
    for (int i = 0; i < 200; i++) {
        progress_begin(&p, "c");
        cr_assert(lt(dbl, progress_at(&p, 1, 1), 1));
    }
}

Test(progress, never_goes_back)
{
    struct progress p = known();
    double last = 0;
    static const char *const passes[] = { "units", "days", "other", "days", "caps" };
    for (size_t i = 0; i < 5; i++) {
        progress_begin(&p, passes[i]);
        for (uint32_t done = 0; done <= 3; done++) {
            double now = progress_at(&p, done, 3);
            cr_assert(now >= last && now < 1);
            last = now;
        }
    }
    progress_restart(&p);
    progress_begin(&p, "days");
    cr_assert(eq(dbl, progress_at(&p, 0, 3), last));
}

Test(progress, says_how_long_it_will_take_only_when_it_knows)
{
    struct progress p = known(), fresh;
    progress_begin(&p, "days");
    cr_assert(lt(dbl, progress_left(&p, 5), 0));
    (void)progress_at(&p, 5, 10);
    cr_assert(epsilon_eq(dbl, progress_left(&p, 10), 15, 1e-9));
    progress_init(&fresh);
    progress_begin(&fresh, "days");
    (void)progress_at(&fresh, 5, 10);
    cr_assert(lt(dbl, progress_left(&fresh, 10), 0));
}

Test(progress, writes_a_line)
{
    char out[PROGRESS_LINE_MAX];
    struct progress p = known();
    struct progress_line line = {
        .done = 5, .total = 10, .workers = 2, .retries = 1, .rows = 1000000, .seconds = 10, .pass_seconds = 4
    };
    progress_begin(&p, "days");
    (void)progress_at(&p, 5, 10);
    progress_text(&p, &line, out);
    cr_assert_str_eq(out, "days             [############..................]  40 %  5 of 10 splits  1000000 rows  250 "
                          "k rows/s  2 workers  "
                          "1 retries  10.0 s, 15 s left");
}

Test(progress, takes_more_passes_than_it_remembers)
{
    struct progress p;
    progress_init(&p);
    for (int i = 0; i < PROGRESS_PASSES_MAX + 5; i++)
        progress_know(&p, STR("a pass with a name that is longer than the room there is for names of passes"), 0);
    progress_begin(&p, "a pass with a name that is longer than the room there is for names of passes");
    cr_assert(lt(dbl, progress_at(&p, 1, 1), 1));
}
