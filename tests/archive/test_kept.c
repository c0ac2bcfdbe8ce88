#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/changes.h"
#include "archive/kept.h"

static char dir[64];

static void setup(void)
{
    struct err err = { 0 };
    (void)snprintf(dir, sizeof dir, "/tmp/kept-test-XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
    cr_assert(kept_make(dir, &err), "%s", err.text);
    cr_assert(kept_make(dir, &err), "a second time: %s", err.text);
}

static void teardown(void)
{
    AUTO(mem_free) char *command = mem_printf("rm -rf '%s'", dir);
    (void)!system(command);
}

TestSuite(kept, .init = setup, .fini = teardown);

static char *add(int32_t day, unsigned lo, unsigned hi, unsigned char program, unsigned char key)
{
    struct kept_name n = { .day = day, .lo = lo, .hi = hi };
    struct err err = { 0 };
    AUTO(mem_free) char *from = mem_printf("%s/from", dir);
    memset(n.program, program, sizeof n.program);
    memset(n.key, key, sizeof n.key);
    FILE *f = fopen(from, "we");
    cr_assert(f != NULL);
    (void)fprintf(f, "%d %u", program, lo);
    (void)fclose(f);
    char *path = kept_path(dir, &n);
    cr_assert(kept_add(from, path, &err), "%s", err.text);
    cr_assert(kept_add(from, path, &err), "one that is there stays: %s", err.text);
    (void)unlink(from);
    return path;
}

static bool there(const char *path)
{
    return access(path, R_OK) == 0;
}

Test(kept, a_name_says_day_range_program_and_key)
{
    AUTO(mem_free) char *path = add(clock_day_of(2026, 3, 1), 0, 255, 0xab, 0x01);
    AUTO(mem_free)
    char *wanted = mem_printf("%s/kept/2026-03-01_0-255.abababababababab.01010101010101010101010101010101", dir);
    cr_expect(eq(str, path, wanted));
    cr_expect(there(wanted));
}

Test(kept, a_unit_takes_its_range_along_of_every_day_and_program)
{
    AUTO(mem_free) char *a = add(1, 0, 255, 1, 1);
    AUTO(mem_free) char *b = add(2, 0, 255, 2, 1);
    AUTO(mem_free) char *c = add(1, 256, 511, 1, 1);
    AUTO(mem_free) char *part = mem_printf("%s.123", a);
    struct err err = { 0 };
    uint64_t removed;
    cr_assert(eq(int, symlink("nowhere", part), 0)); /* what a run that was killed left behind */
    cr_assert(kept_drop(dir, 255, &removed, &err), "%s", err.text);
    cr_expect(eq(u64, removed, 3));
    cr_expect(not(there(a) || there(b)));
    cr_expect(there(c));
    cr_assert(kept_drop(dir, -1, &removed, &err), "%s", err.text);
    cr_expect(not(there(c)));
    cr_expect(kept_drop("/tmp/no-such-archive", 3, &removed, &err), "no folder holds nothing");
    cr_expect(eq(u64, removed, 0));
}

Test(kept, what_a_run_did_not_use_goes_and_programs_that_nobody_runs)
{
    AUTO(mem_free) char *used = add(1, 0, 255, 1, 1);
    AUTO(mem_free) char *stale = add(1, 0, 255, 1, 2);
    AUTO(mem_free) char *other = add(1, 0, 255, 2, 1);
    AUTO(mem_free) char *later = add(3, 0, 255, 1, 1); /* of a run over another window */
    AUTO(mem_free) char *forgotten = add(1, 0, 255, 3, 1);
    const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    const unsigned char mine[KEPT_PROGRAM_BYTES] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    const struct kept_used u = { .program = mine, .from = 0, .to = 2, .paths = &used, .count = 1 };
    cr_assert(eq(int, utimensat(AT_FDCWD, forgotten, old, 0), 0));
    cr_expect(eq(u64, kept_sweep(dir, &u), 2));
    cr_expect(there(used) && there(other) && there(later));
    cr_expect(not(there(stale) || there(forgotten)));
    cr_assert(eq(int, utimensat(AT_FDCWD, other, old, 0), 0));
    kept_use(other);
    cr_expect(eq(u64, kept_sweep(dir, &u), 0));
    cr_assert(eq(int, utimensat(AT_FDCWD, later, old, 0), 0));
    cr_expect(eq(u64, kept_sweep(dir, &u), 1));
}

Test(kept, numbers_of_a_day_are_summed_over_the_parts_of_a_range)
{
    struct change list[] = { { 1, 0, 1, 10 }, { 1, 1, 2, 20 }, { 1, 3, 4, 40 }, { 2, 0, 8, 80 } };
    const struct changes c = { .list = list, .count = 4 };
    static const struct {
        int32_t day;
        unsigned lo, hi;
        uint64_t head, rest;
    } cases[] = { { 1, 0, 255, 1, 10 },    { 1, 768, 1023, 1, 10 }, { 1, 1024, 2047, 2, 20 },
                  { 1, 2048, 2303, 0, 0 }, { 1, 0, 4095, 7, 70 },   { 2, 0, 4095, 8, 80 },
                  { 0, 0, 4095, 0, 0 },    { 3, 0, 4095, 0, 0 },    { 1, 1024, 4095, 6, 60 } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct change sum = changes_of(&c, cases[i].day, cases[i].lo, cases[i].hi);
        cr_expect(eq(u64, sum.head, cases[i].head), "case %zu", i);
        cr_expect(eq(u64, sum.rest, cases[i].rest), "case %zu", i);
    }
}
