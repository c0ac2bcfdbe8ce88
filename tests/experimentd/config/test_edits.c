/* config_edit(): what an edit writes, what it refuses, whom it tells. What may be edited when is config/life.c's, and test_experiments_api.py's. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#include "experimentd/queries.h"
#include "tests/support/pgtest.h"

#define SPEC                                                                                                      \
    "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":0.4,\"value\":{\"z\":1,\"a\":1e300}},{\"key\":\"b\"," \
    "\"weight\":0.6,\"value\":null}],\"metrics\":[{\"metric\":\"ctr\",\"role\":\"primary\"}]}"
#define WRITE(action, more) "{\"kind\":\"experiment\",\"key\":\"x\",\"action\":\"" action "\"" more "}"
#define CREATE "[" WRITE("create", ",\"spec\":" SPEC) "]"
#define START "[" WRITE("start", ",\"spec\":" SPEC ",\"status\":\"running\",\"started_at\":\"now\"") "]"

/* The new version of the configuration, or -version. */
static int64_t edit(struct pg *pg, const char *expected, const char *writes, const char *actor)
{
    struct err err = { 0 };
    const char *params[] = { expected, writes, actor };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &queries[QUERY_CONFIG_EDIT], params, &err);
    cr_assert(r != NULL, "%s", err.text);
    return pg_get_i64(r, 0, 0);
}

Test(edits, a_life_from_draft_to_stopped)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    cr_expect(eq(i64, edit(pg, "1", CREATE, "ann"), 2));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiments where key = 'x' and status = 'draft' and "
                                   "kind = 'ab' and origin = 'live' and version = 1 and started_at is null"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from variants where experiment = 'x' and (position, key, "
                                   "weight) in ((0, 'a', 0.4), (1, 'b', 0.6))"),
                 2));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from variants where value::text in "
                                   "('{\"z\":1,\"a\":1e300}', 'null')"),
                 2));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiment_metrics where (position, metric, role) = (0, "
                                   "'ctr', 'primary')"),
                 1));
    cr_expect(eq(i64, edit(pg, "2", START, "bob"), 3));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiments where status = 'running' and started_at = "
                                   "(select updated_at from config_version) and version = 2"),
                 1));
    cr_expect(eq(
        i64, edit(pg, "3", "[" WRITE("stop", ",\"spec\":" SPEC ",\"status\":\"stopped\",\"stopped_at\":0") "]", "bob"),
        4));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiments where status = 'stopped' and started_at is "
                                   "not null and stopped_at = to_timestamp(0)"),
                 1));
    cr_expect(eq(i64, edit(pg, "4", "[" WRITE("delete", "") "]", "bob"), 5));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from experiments"), 0));
    pg_close(pg);
}

Test(edits, an_edit_of_another_version_changes_nothing)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    cr_expect(eq(i64, edit(pg, "7", CREATE, "ann"), -1));
    cr_expect(
        eq(i64, pgtest_number(pg, "select (select count(*) from experiments) + (select count(*) from revisions)"), 0));
    cr_expect(eq(i64, edit(pg, "1", CREATE, "ann"), 2));
    cr_expect(eq(i64, edit(pg, "1", START, "ann"), -2));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from experiments where status = 'draft'"), 1));
    pg_close(pg);
}

Test(edits, an_edit_is_whole_or_not_at_all)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    struct err err = { 0 };
    const char *params[] = { "1",
                             "[" WRITE("create", ",\"spec\":" SPEC) ","
                                                                    "{\"kind\":\"experiment\",\"key\":\"y\",\"action\":"
                                                                    "\"create\",\"spec\":{},\"status\":\"odd\"}]",
                             "ann" };
    cr_expect(pg_run(pg, &queries[QUERY_CONFIG_EDIT], params, &err) == NULL);
    cr_expect(
        eq(i64, pgtest_number(pg, "select (select count(*) from experiments) + (select count(*) from revisions)"), 0));
    cr_expect(eq(i64, pgtest_number(pg, "select version from config_version"), 1));
    pg_close(pg);
}

Test(edits, every_write_leaves_a_revision_with_both_sides)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    (void)edit(pg, "1", CREATE, "ann");
    (void)edit(pg, "2", START, "bob");
    (void)edit(pg, "3",
               "[{\"kind\":\"layer\",\"key\":\"l\",\"action\":\"create\",\"spec\":{\"key\":\"l\"}},"
               "{\"kind\":\"layer\",\"key\":\"l\",\"action\":\"delete\"}]",
               "eve");
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where subject = 'experiment:x' and actor = "
                                   "'ann' and action = 'create' and before is null and "
                                   "after->'spec'->'variants'->0->>'key' = 'a'"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where actor = 'bob' and action = 'start' and "
                                   "before->>'status' = 'draft' and after->>'status' = 'running'"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where actor = 'eve' and subject = 'layer:l' and "
                                   "(before is null and action = 'create' or after is null and action = 'delete')"),
                 2));
    pg_close(pg);
}

Test(edits, who_listens_is_told_the_version_and_refusals_tell_nobody)
{
    const char *url = pgtest_url();
    struct pg *pg = pgtest_connect(url, queries, QUERY_COUNT), *listener = pgtest_connect(url, NULL, 0);
    pgtest_exec(listener, "listen config");
    (void)edit(pg, "1", CREATE, "ann");
    (void)edit(pg, "1", START, "ann");
    (void)edit(pg, "2", START, "ann");
    pgtest_exec(listener, "select 1");
    char told[64] = "";
    for (PGnotify *n; (n = PQnotifies(listener->conn)); PQfreemem(n))
        (void)snprintf(told + strlen(told), sizeof told - strlen(told), "%s ", n->extra);
    cr_expect(eq(int, strcmp(told, "2 3 "), 0), "%s", told);
    pg_close(listener);
    pg_close(pg);
}

Test(edits, a_bandits_weights_are_set_with_a_version)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    pgtest_exec(pg, "insert into experiments (key, kind, status, spec) values ('x', 'bandit', 'running', '" SPEC "')");
    cr_expect(eq(i64, pgtest_number(pg, "select config_set_weights('x', '[0.1, 0.9]', 'trainer')"), 2));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiments where state->'weights' = '[0.1, 0.9]' and "
                                   "state->>'weights_version' = '1' and version = 2"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from (select config_set_weights('y', '[0.1, 0.9]', 't') as v) x "
                                   "where v is null"),
                 1));
    pg_close(pg);
}

struct racer {
    pthread_t thread;
    const char *url;
    bool won;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct pg *pg = pgtest_connect(racer->url, queries, QUERY_COUNT);
    racer->won = edit(pg, "2", START, "racer") > 0;
    pg_close(pg);
    return NULL;
}

/* All wait for a lock that this connection holds, then go at once: one starts it, the others see that another came first. */
Test(edits, of_many_starts_at_once_one_wins)
{
    enum { RACERS = 8 };
    const char *url = pgtest_url();
    struct pg *pg = pgtest_connect(url, queries, QUERY_COUNT), *watcher = pgtest_connect(url, NULL, 0);
    struct racer racers[RACERS] = { 0 };
    (void)edit(pg, "1", CREATE, "ann");
    pgtest_exec(pg, "begin");
    pgtest_exec(pg, "select 1 from config_version for update");
    for (size_t i = 0; i < RACERS; i++) {
        racers[i].url = url;
        cr_assert(eq(int, pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0));
    }
    while (
        pgtest_number(
            watcher,
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") <
        RACERS)
        pgtest_exec(watcher, "select pg_sleep(0.02)");
    pgtest_exec(pg, "commit");
    int winners = 0;
    for (size_t i = 0; i < RACERS; i++) {
        (void)pthread_join(racers[i].thread, NULL);
        winners += racers[i].won;
    }
    cr_expect(eq(int, winners, 1));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from revisions where action = 'start'"), 1));
    cr_expect(eq(i64, pgtest_number(pg, "select version from experiments"), 2));
    pg_close(watcher);
    pg_close(pg);
}
