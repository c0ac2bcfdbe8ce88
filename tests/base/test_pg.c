#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/support/pgtest.h"

enum { ECHO, INSERT, READ, TIME, WHO, STMT_COUNT };

static const struct pg_stmt stmts[STMT_COUNT] = {
    [ECHO] = { "echo", 1, "select $1::text" },
    [INSERT] = { "insert", 2, "insert into journal_position (journal, position, host) values ($1::uuid, 0, $2)" },
    [READ] = { "read", 0,
               "select null::text, null::bigint, 'NaN'::float8, '-Infinity'::float8, 1e-300::float8, true, "
               "0.1::float8" },
    [TIME] = { "time", 1, "select $1::timestamptz, null::timestamptz" },
    [WHO] = { "who", 0, "select pg_backend_pid()" },
};

static PGresult *run(struct pg *pg, unsigned stmt, const char *a, const char *b, struct err *err)
{
    return pg_run(pg, &stmts[stmt], (const char *const[]){ a, b }, err);
}

Test(pg, reads_each_type_and_null)
{
    struct pg *pg = pgtest_open(stmts, STMT_COUNT);
    PGresult *r = run(pg, READ, NULL, NULL, NULL);
    cr_assert(pg_get(r, 0, 0).p == NULL);
    cr_assert(eq(i64, pg_get_i64(r, 0, 1), 0));
    cr_assert(isnan(pg_get_double(r, 0, 2)));
    cr_assert(isinf(pg_get_double(r, 0, 3)) && pg_get_double(r, 0, 3) < 0);
    cr_assert(eq(dbl, pg_get_double(r, 0, 4), 1e-300));
    cr_assert(pg_get_bool(r, 0, 5));
    cr_assert(eq(dbl, pg_get_double(r, 0, 6), 0.1));
    PQclear(r);
    pg_close(pg);
}

Test(pg, reads_times_to_the_microsecond_whatever_the_zone_of_the_server)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-24T12:00:00.123456Z", INT64_C(1795521600123456) },
        { "2026-11-24T14:00:00.1+02:00", INT64_C(1795521600100000) },
        { "1969-12-31T23:59:59.999999Z", -1 },
    };
    struct pg *pg = pgtest_open(stmts, STMT_COUNT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        PGresult *r = run(pg, TIME, cases[i].text, NULL, NULL);
        cr_assert(eq(i64, pg_get_time(r, 0, 0), cases[i].us), "%s", cases[i].text);
        cr_assert(eq(i64, pg_get_time(r, 0, 1), 0));
        PQclear(r);
    }
    pg_close(pg);
}

Test(pg, parameters_are_never_read_as_sql)
{
    static const char nasty[] = "'; drop table signals; --\\\"";
    struct pg *pg = pgtest_open(stmts, STMT_COUNT);
    PGresult *r = run(pg, ECHO, nasty, NULL, NULL);
    cr_assert(str_eq_c(pg_get(r, 0, 0), nasty));
    PQclear(r);
    pg_close(pg);
}

Test(pg, errors_have_kind_message_and_sqlstate)
{
    struct err err;
    struct pg *pg = pgtest_open(stmts, STMT_COUNT);
    static const char id[] = "0190d3f2-7a4b-7cc0-8000-000000000001";
    PQclear(run(pg, INSERT, id, "host", &err));
    cr_assert(run(pg, INSERT, id, "host", &err) == NULL);
    cr_assert(eq(int, (int)err.kind, ERR_CONFLICT));
    cr_assert(eq(str, err.text,
                 "insert: duplicate key value violates unique constraint \"journal_position_pkey\" (sqlstate 23505)"));
    cr_assert(run(pg, INSERT, "no uuid", "host", &err) == NULL);
    cr_assert(eq(int, (int)err.kind, ERR_INVALID));
    cr_assert(not(pg_exec(pg, "select * from nothing", &err)));
    cr_assert(eq(int, (int)err.kind, ERR_DB));
    cr_assert(eq(str, err.text, "select * from nothing: relation \"nothing\" does not exist (sqlstate 42P01)"));
    pg_close(pg);
}

Test(pg, a_bad_url_is_told_in_one_line)
{
    struct err err;
    cr_assert(pg_open("host=/nowhere dbname=none", "test", NULL, 0, &err) == NULL);
    cr_assert(eq(int, (int)err.kind, ERR_DB));
    cr_assert(strchr(err.text, '\n') == NULL);
    cr_assert(pg_open("no url at all", "test", NULL, 0, &err) == NULL);
    cr_assert(eq(int, (int)err.kind, ERR_DB));
}

Test(pg, committing_a_failed_transaction_is_an_error)
{
    struct err err;
    struct pg *pg = pgtest_open(NULL, 0);
    cr_assert(pg_begin(pg, &err));
    cr_assert(not(pg_exec(pg, "select 1 / 0", &err)));
    cr_assert(not(pg_commit(pg, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_DB));
    cr_assert(pg_begin(pg, &err));
    cr_assert(pg_commit(pg, &err));
    pg_close(pg);
}

Test(pg, reopens_after_the_server_closed_the_connection)
{
    struct err err;
    char sql[64];
    struct pg *pg = pgtest_open(stmts, STMT_COUNT), *killer = pgtest_superuser();
    PGresult *r = run(pg, WHO, NULL, NULL, &err);
    (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%d, 5000)", (int)pg_get_i64(r, 0, 0));
    PQclear(r);
    pgtest_exec(killer, sql);
    cr_assert(run(pg, ECHO, "x", NULL, &err) == NULL);
    cr_assert(eq(int, (int)err.kind, ERR_DB));
    cr_assert(not(pg_is_alive(pg)));
    cr_assert(pg_reopen(pg, &err), "%s", err.text);
    r = run(pg, ECHO, "x", NULL, &err);
    cr_assert(r && pg_is_alive(pg));
    PQclear(r);
    pg_close(killer);
    pg_close(pg);
}

static const char copy_sql[] = "copy c from stdin (format binary)";

static struct pg *open_with_table(void)
{
    struct pg *pg = pgtest_open(NULL, 0);
    pgtest_exec(pg,
                "create table c (t text, n int2, i int4, b int8, d float8, at timestamptz, day date, id uuid, j jsonb, "
                "v float8[])");
    return pg;
}

static void add_row(struct buf *b)
{
    static const unsigned char id[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7c, 0xde,
                                          0x8f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd };
    pg_copy_row(b, 10);
    pg_copy_text(b, STR("größe"));
    pg_copy_i16(b, -2);
    pg_copy_i32(b, INT32_MIN);
    pg_copy_i64(b, INT64_MAX);
    pg_copy_double(b, -0.1);
    pg_copy_time(b, INT64_C(1795521600123456));
    pg_copy_date(b, clock_day_of(2026, 11, 24));
    pg_copy_uuid(b, id);
    pg_copy_jsonb(b, STR("{\"a\": [1]}"));
    pg_copy_doubles(b, (const double[]){ 0.1, -1e300, 0 }, 3);
}

static void add_nulls(struct buf *b)
{
    pg_copy_row(b, 10);
    pg_copy_text(b, (struct str){ NULL, 0 });
    for (int i = 0; i < 3; i++)
        pg_copy_null(b);
    pg_copy_double(b, (double)NAN);
    for (int i = 0; i < 3; i++)
        pg_copy_null(b);
    pg_copy_jsonb(b, (struct str){ NULL, 0 });
    pg_copy_doubles(b, NULL, 0);
}

Test(pg, binary_copy_writes_every_type)
{
    struct err err;
    uint64_t rows = 0;
    struct buf b;
    struct pg *pg = open_with_table();
    buf_init(&b, 1 << 20);
    pg_copy_header(&b);
    add_row(&b);
    add_nulls(&b);
    pg_copy_trailer(&b);
    cr_assert(pg_copy_begin(pg, copy_sql, &err) && pg_copy_send(pg, buf_str(&b), &err) && pg_copy_end(pg, &rows, &err),
              "%s", err.text);
    cr_assert(eq(u64, rows, 2));
    cr_assert(eq(i64,
                 pgtest_number(pg, "select count(*) from c where t = 'größe' and n = -2 and i = -2147483648 "
                                   "and b = 9223372036854775807 and d = -0.1 and at = '2026-11-24 12:00:00.123456Z' "
                                   "and day = '2026-11-24' and id = '01234567-89ab-7cde-8f01-23456789abcd' "
                                   "and j = '{\"a\": [1]}' and v = '{0.1, -1e300, 0}'"),
                 1));
    cr_assert(eq(
        i64, pgtest_number(pg, "select count(*) from c where num_nonnulls(t, n, i, b, d, at, day, id, j, v) = 0"), 1));
    buf_release(&b);
    pg_close(pg);
}

Test(pg, a_refused_copy_leaves_the_connection_usable)
{
    struct err err;
    uint64_t rows;
    struct pg *pg = open_with_table();
    cr_assert(not(pg_copy_begin(pg, "copy nothing from stdin (format binary)", &err)));
    cr_assert(pg_copy_begin(pg, copy_sql, &err));
    cr_assert(pg_copy_send(pg, STR("this is no binary copy at all"), &err));
    cr_assert(not(pg_copy_end(pg, &rows, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_INVALID));
    cr_assert(pg_begin(pg, &err));
    pg_rollback(pg);
    pg_close(pg);
}

Test(pg, rollback_ends_a_copy_that_was_given_up)
{
    struct err err;
    struct buf b;
    struct pg *pg = open_with_table();
    buf_init(&b, 1 << 20);
    pg_copy_header(&b);
    add_row(&b);
    cr_assert(pg_begin(pg, &err) && pg_copy_begin(pg, copy_sql, &err) && pg_copy_send(pg, buf_str(&b), &err));
    pg_rollback(pg);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from c"), 0));
    buf_release(&b);
    pg_close(pg);
}
