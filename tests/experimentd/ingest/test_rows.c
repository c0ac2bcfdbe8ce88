/* Rows into the tables: what a transaction that was rolled back must leave nothing of. */
#include "experimentd/ingest/load/rows.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/pg.h"
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
    rows_loader_init(&l, pg, LIMIT);
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
