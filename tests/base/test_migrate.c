#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#include "base/migrate.h"
#include "tests/support/pgtest.h"

static const struct migration one[] = {
    { 1, "0001_first", "create table a (id int); insert into a values (1);" },
    { 0, NULL, NULL },
};
static const struct migration two[] = {
    { 1, "0001_first", "create table a (id int); insert into a values (1);" },
    { 2, "0002_second", "insert into a values (2); select pg_sleep(0.1); create table b (id int);" },
    { 0, NULL, NULL },
};

static struct pg *open_empty(void)
{
    return pgtest_connect(pgtest_empty_url(), NULL, 0);
}

static void migrate(struct pg *pg, const struct migration *list, int expected)
{
    struct err err;
    int applied = -1;
    cr_assert(migrate_run(pg, list, &applied, &err), "%s", err.text);
    cr_assert(eq(int, applied, expected));
}

static void refuse(struct pg *pg, const struct migration *list, enum err_kind kind, char *text)
{
    struct err err;
    int applied = -1;
    cr_assert(not(migrate_run(pg, list, &applied, &err)));
    cr_assert(eq(int, applied, -1));
    cr_assert(eq(int, (int)err.kind, (int)kind));
    cr_assert(eq(str, err.text, text));
}

Test(migrate, applies_what_is_missing_once)
{
    struct pg *pg = open_empty();
    migrate(pg, one, 1);
    migrate(pg, one, 0);
    migrate(pg, two, 1);
    migrate(pg, two, 0);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from a"), 2));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from schema_migrations where checksum is not null"), 2));
    pg_close(pg);
}

Test(migrate, check_says_what_is_missing)
{
    struct err err;
    struct pg *pg = open_empty();
    cr_assert(not(migrate_check(pg, one, &err)));
    cr_assert(eq(str, err.text, "migration \"0001_first\" is not in the database; run \"experimentd migrate\""));
    migrate(pg, one, 1);
    cr_assert(migrate_check(pg, one, &err), "%s", err.text);
    cr_assert(not(migrate_check(pg, two, &err)));
    cr_assert(eq(int, (int)err.kind, ERR_CONFLICT));
    pg_close(pg);
}

Test(migrate, refuses_a_changed_migration)
{
    static const struct migration changed[] = { { 1, "0001_first", "create table a (id bigint);" }, { 0, NULL, NULL } };
    struct pg *pg = open_empty();
    migrate(pg, one, 1);
    refuse(pg, changed, ERR_CONFLICT,
           "migration \"0001_first\" differs from the one that was applied to the database (checksum)");
    pg_close(pg);
}

Test(migrate, refuses_a_renamed_migration)
{
    static const struct migration renamed[] = { { 1, "0001_other", "create table a (id int);" }, { 0, NULL, NULL } };
    struct pg *pg = open_empty();
    migrate(pg, one, 1);
    refuse(pg, renamed, ERR_CONFLICT, "the database has migration \"0001_first\", which this program does not know");
    pg_close(pg);
}

Test(migrate, refuses_a_newer_schema)
{
    struct pg *pg = open_empty();
    migrate(pg, two, 2);
    refuse(pg, one, ERR_CONFLICT,
           "the database has migration \"0002_second\" and is newer than this program, which knows migrations up to 1");
    pg_close(pg);
}

Test(migrate, refuses_a_database_with_a_gap)
{
    struct pg *pg = open_empty();
    migrate(pg, two, 2);
    pgtest_exec(pg, "delete from schema_migrations where version = 1");
    refuse(pg, two, ERR_CONFLICT,
           "migration \"0001_first\" was left out of the database, although a later one is there");
    pg_close(pg);
}

Test(migrate, refuses_a_database_that_is_not_ours)
{
    struct pg *pg = open_empty();
    pgtest_exec(pg, "create table customers (id int)");
    refuse(pg, one, ERR_CONFLICT,
           "unknown schema: the database has \"customers\" but no table \"schema_migrations\"; "
           "give experimentd a database of its own");
    cr_assert(
        eq(i64, pgtest_number(pg, "select count(*) from pg_tables where tablename in ('a', 'schema_migrations')"), 0));
    pg_close(pg);
}

Test(migrate, a_failed_migration_leaves_nothing_and_can_be_repeated)
{
    static const struct migration broken[] = {
        { 1, "0001_first", "create table a (id int); insert into a values (1);" },
        { 2, "0002_broken", "create table b (id int); insert into b values ('x');" },
        { 0, NULL, NULL },
    };
    struct pg *pg = open_empty();
    struct err err;
    int applied;
    cr_assert(not(migrate_run(pg, broken, &applied, &err)));
    cr_assert(eq(int, strncmp(err.text, "migration \"0002_broken\": ", 25), 0), "%s", err.text);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from schema_migrations"), 1));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from pg_tables where tablename = 'b'"), 0));
    migrate(pg, two, 1);
    pg_close(pg);
}

Test(migrate, a_migration_may_not_end_its_transaction)
{
    static const struct migration ends[] = { { 1, "0001_ends", "create table a (id int); commit;" },
                                             { 0, NULL, NULL } };
    struct pg *pg = open_empty();
    refuse(pg, ends, ERR_CONFLICT, "migration \"0001_ends\": ends its transaction, which it must not");
    pg_close(pg);
}

struct racer {
    pthread_t thread;
    const char *url;
    int applied;
    bool ok;
    struct err err;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    AUTO(pg_close) struct pg *pg = pg_open(r->url, "racer", NULL, 0, &r->err);
    r->ok = pg && migrate_run(pg, two, &r->applied, &r->err);
    return NULL;
}

Test(migrate, programs_that_start_together_apply_each_once)
{
    enum { RACERS = 6 };
    struct racer racers[RACERS] = { 0 };
    const char *url = pgtest_empty_url();
    int applied = 0;
    for (int i = 0; i < RACERS; i++) {
        racers[i].url = url;
        cr_assert(eq(int, pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0));
    }
    for (int i = 0; i < RACERS; i++) {
        cr_assert(eq(int, pthread_join(racers[i].thread, NULL), 0));
        cr_assert(racers[i].ok, "%s", racers[i].err.text);
        applied += racers[i].applied;
    }
    cr_assert(eq(int, applied, 2));
    struct pg *pg = pgtest_connect(url, NULL, 0);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from a"), 2));
    pg_close(pg);
}

Test(migrate, ours_apply_to_an_empty_database)
{
    struct err err;
    int applied = 0, count = 0;
    struct pg *pg = open_empty();
    while (migrations[count].version)
        count++;
    cr_assert(migrate_run(pg, migrations, &applied, &err), "%s", err.text);
    cr_assert(eq(int, applied, count));
    cr_assert(migrate_check(pg, migrations, &err), "%s", err.text);
    pg_close(pg);
}
