#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/pgout.h"
#include "tests/support/pgtest.h"

#define SQL(rows)                                                                                       \
    "copy (select (-n)::smallint, n, -n::bigint, nullif(n, 2) / 2.0::float8, timestamptz '2026-11-24 "  \
    "12:00:00.123456Z', case "                                                                          \
    "when n % 2 = 0 then '' when n = 3 then null else repeat('x', n) end from generate_series(1, " rows \
    ") n) to stdout (format binary)"

struct rows {
    int64_t count, sum, nulls, last_us;
    double reals;
    size_t text_bytes;
};

static bool take(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct rows *r = arg;
    cr_assert(eq(sz, count, 6));
    r->count++;
    r->sum += pg_field_i64(fields[0]) + pg_field_i64(fields[1]) + pg_field_i64(fields[2]);
    r->reals += isnan(pg_field_double(fields[3])) ? 0 : pg_field_double(fields[3]);
    r->last_us = pg_field_time(fields[4]);
    r->nulls += !fields[5].p;
    r->text_bytes += fields[5].n;
    return r->count < 1000 || err_set(err, ERR_INVALID, "that is enough");
}

Test(pgout, every_row_and_field_comes)
{
    struct rows r = { 0 };
    struct err err = { 0 };
    struct pg *pg = pgtest_open(NULL, 0);
    cr_assert(pg_copy_out(pg, SQL("5"), "rows", take, &r, &err), "%s", err.text);
    cr_assert(eq(i64, r.count, 5));
    cr_assert(eq(i64, r.sum, -15));
    cr_assert(eq(dbl, r.reals, 6.5));
    cr_assert(eq(i64, r.last_us, INT64_C(1795521600123456)));
    cr_assert(eq(i64, r.nulls, 1)); /* an empty text is none */
    cr_assert(eq(sz, r.text_bytes, 6));
    cr_assert(pg_copy_out(pg, SQL("0"), "rows", take, &r, &err)); /* the connection goes on */
    cr_assert(eq(i64, r.count, 5));
    pg_close(pg);
}

Test(pgout, failures_of_either_side_are_told)
{
    struct rows r = { 0 };
    struct err err = { 0 };
    struct pg *pg = pgtest_open(NULL, 0);
    cr_assert(not(pg_copy_out(pg,
                              "copy (select 1 / (n - 3), 1, 1, 1.0::float8, now(), 1::text from generate_series(3, 5) "
                              "n) to stdout (format binary)",
                              "rows", take, &r, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_INVALID));
    cr_assert(eq(str, err.text, "rows: division by zero (sqlstate 22012)"));
    cr_assert(not(pg_copy_out(pg, "copy nothing to stdout", "rows", take, &r, &err)));
    cr_assert(not(pg_copy_out(pg, SQL("20000"), "rows", take, &r, &err)));
    cr_assert(eq(str, err.text, "that is enough"));
    pg_close(pg);
}
