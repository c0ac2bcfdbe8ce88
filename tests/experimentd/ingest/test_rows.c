/* Rows into the tables: what a transaction that was rolled back must leave nothing of. */
#include "experimentd/ingest/load/rows.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/pg.h"
#include "experimentd/ingest/load/day_notes.h"
#include "tests/support/pgtest.h"

enum { N = 4, LIMIT = 6 };

static void load(struct rows_loader *l, struct pg *pg, bool commit)
{
    struct signal signals[N];
    struct err err;
    uint64_t duplicates;
    for (int i = 0; i < N; i++)
        signals[i] = (struct signal){
            .at_us = INT64_C(1790000000000000) + i, .type = STR("view"), .unit = STR("u"), .value = NAN
        };
    struct rows rows = { .signals = signals, .signals_count = N };
    cr_assert(rows_prepare(l, &rows, &err) && pg_begin(pg, &err) && rows_load(l, &rows, &duplicates, &err), "%s",
              err.text);
    if (!commit) {
        pg_rollback(pg);
        return;
    }
    cr_assert(pg_commit(pg, &err), "%s", err.text);
    rows_committed(l);
}

/* Four signals of a unit that six a minute may have: tried three times, they are still four. */
Test(rows, what_was_rolled_back_is_not_counted_twice)
{
    struct pg *pg = pgtest_open(NULL, 0);
    struct rows_loader l;
    rows_loader_init(&l, pg, DAY_NOTES_IMPORT, LIMIT);
    load(&l, pg, false);
    load(&l, pg, false);
    load(&l, pg, true);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from signals"), N));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from marked_units"), 0));
    load(&l, pg, true);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from signals where mark = 3"), 2 * N - LIMIT));
    rows_loader_release(&l);
    pg_close(pg);
}

static int64_t changes(struct pg *pg, const char *where)
{
    AUTO(mem_free) char *sql = mem_printf("select coalesce(sum(changes), 0)::bigint from day_changes where %s", where);
    return pgtest_number(pg, sql);
}

/* Half an hour past midnight is the head of a day, half past one is not. */
Test(rows, a_load_notes_the_days_that_it_changes)
{
    static const char other[] = "00000000-0000-0000-0000-00000000000a";
    struct pg *pg = pgtest_open(NULL, 0);
    struct err err = { 0 };
    uint64_t duplicates;
    for (int round = 0; round < 3; round++) {
        int64_t day = clock_day_of(2026, 3, 1) * US_PER_DAY;
        struct signal signals[] = {
            { .at_us = day + US_PER_DAY / 48, .type = STR("view"), .unit = STR("u"), .value = NAN },
            { .at_us = day + US_PER_DAY / 16, .type = STR("view"), .unit = STR("u"), .value = NAN },
        };
        struct exposure exposure = {
            .at_us = day + US_PER_DAY, .experiment = STR("x"), .variant = STR("a"), .unit = STR("u")
        };
        struct rows rows = { .signals = signals, .exposures = &exposure, .signals_count = 2, .exposures_count = 1 };
        struct rows_loader l;
        rows_loader_init(&l, pg, round == 1 ? other : DAY_NOTES_IMPORT, LIMIT);
        cr_assert(rows_prepare(&l, &rows, &err) && pg_begin(pg, &err) && rows_load(&l, &rows, &duplicates, &err), "%s",
                  err.text);
        if (round == 2)
            pg_rollback(pg);
        else
            cr_assert(pg_commit(pg, &err), "%s", err.text);
        rows_loader_release(&l);
    }
    cr_expect(eq(i64, changes(pg, "day = '2026-03-01' and head"), 2));
    cr_expect(eq(i64, changes(pg, "day = '2026-03-01' and not head"), 2));
    cr_expect(eq(i64, changes(pg, "day = '2026-03-02' and head"), 2));
    cr_expect(eq(i64, changes(pg, "writer = '00000000-0000-0000-0000-00000000000a'"), 3));
    cr_expect(eq(i64, changes(pg, "true"), 6));
    cr_expect(eq(i64, pgtest_number(pg, "select changes from unknown_changes"), 0));
    pg_close(pg);
}

/* Nothing has to remember to say so: triggers see it, whoever it is. */
Test(rows, whatever_else_changes_rows_is_noted_too)
{
    struct pg *pg = pgtest_open(NULL, 0);
    struct err err = { 0 };
    cr_assert(pg_exec(pg,
                      "select ensure_partition('2026-03-01'), ensure_partition('2026-03-02');"
                      "insert into exposures (at, bucket, experiment, variant, unit) values ('2026-03-01T05:00:00Z', "
                      "1024, 'x', 'a', 'u')",
                      &err),
              "%s", err.text);
    cr_expect(eq(i64, pgtest_number(pg, "select changes from unknown_changes"), 1));
    cr_expect(eq(i64, changes(pg, "true"), 0));
    cr_assert(pg_exec(pg, "update exposures set at = '2026-03-02T00:30:00Z'", &err), "%s", err.text);
    cr_expect(eq(i64, changes(pg, "day = '2026-03-01' and part = 1 and not head"), 1));
    cr_expect(eq(i64, changes(pg, "day = '2026-03-02' and part = 1 and head"), 1));
    cr_assert(pg_exec(pg, "delete from exposures where unit = 'nobody'", &err), "%s", err.text);
    cr_expect(eq(i64, changes(pg, "true"), 2));
    cr_assert(pg_exec(pg, "select erase_unit('u', 1024::smallint)", &err), "%s", err.text);
    cr_expect(eq(i64, changes(pg, "day = '2026-03-02' and part = 1 and head"), 2));
    cr_assert(pg_exec(pg, "truncate signals", &err), "%s", err.text);
    cr_expect(eq(i64, pgtest_number(pg, "select changes from unknown_changes"), 2));
    pg_close(pg);
}
