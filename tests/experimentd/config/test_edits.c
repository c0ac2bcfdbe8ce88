/* The statements of an edit (experimentd/queries.c): what they change, what they refuse, whom they tell. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#include "experimentd/queries.h"
#include "tests/support/pgtest.h"

static const char draft[] =
    "{\"key\":\"x\",\"name\":\"X\",\"hypothesis\":\"\",\"hash_attribute\":\"id\",\"hash_version\":2,\"seed\":\"x\","
    "\"coverage\":0.25,\"origin\":\"live\","
    "\"variants\":[{\"key\":\"a\",\"name\":\"A\",\"weight\":0.4,\"value\":{\"z\":1,\"a\":1e300}},{\"key\":\"b\","
    "\"name\":\"\",\"weight\":0.6,\"value\":null}],"
    "\"metrics\":[{\"metric\":\"ctr\",\"role\":\"primary\"},{\"metric\":\"mrr\",\"role\":\"guardrail\"}]}";

/* What an edit answered: "" for no row, else "new version|status before|version before". */
static const char *edit(struct pg *pg, enum query query, const char *p1, const char *p2, const char *p3)
{
    static char answer[200];
    struct err err = { 0 };
    const char *params[] = { p1, p2, p3 };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &queries[query], params, &err);
    cr_assert(r != NULL, "%s", err.text);
    answer[0] = '\0';
    if (PQntuples(r))
        (void)snprintf(answer, sizeof answer, "%.*s|%.*s|%.*s", STR_ARG(pg_get(r, 0, 0)), STR_ARG(pg_get(r, 0, 1)),
                       STR_ARG(pg_get(r, 0, 2)));
    return answer;
}

static void expect(const char *got, const char *wanted)
{
    cr_assert(eq(int, strcmp(got, wanted), 0), "got \"%s\", wanted \"%s\"", got, wanted);
}

Test(edits, a_life_from_draft_to_stopped)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    expect(edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL), "2|absent|0");
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiments where key = 'x' and status = 'draft' and coverage "
                                   "= 0.25 and started_at is null"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from variants where experiment = 'x' and (position, key, weight) "
                                   "in ((0, 'a', 0.4), (1, 'b', 0.6))"),
                 2));
    cr_expect(eq(
        i64, pgtest_number(pg, "select count(*) from variants where value::text in ('{\"z\":1,\"a\":1e300}', 'null')"),
        2));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from experiment_metrics where (position, metric, role) in ((0, "
                                   "'ctr', 'primary'), (1, 'mrr', 'guardrail'))"),
                 2));
    expect(edit(pg, QUERY_EXPERIMENT_START, "x", "", "bob"), "3|draft|1");
    cr_expect(eq(
        i64,
        pgtest_number(
            pg, "select count(*) from experiments where status = 'running' and started_at is not null and version = 2"),
        1));
    expect(edit(pg, QUERY_EXPERIMENT_STOP, "x", "2", "bob"), "4|running|2");
    cr_expect(eq(
        i64,
        pgtest_number(
            pg, "select count(*) from experiments where status = 'stopped' and stopped_at is not null and version = 3"),
        1));
    pg_close(pg);
}

Test(edits, a_refusal_changes_nothing_and_says_what_stood_in_the_way)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    expect(edit(pg, QUERY_EXPERIMENT_START, "x", "", "ann"), "");
    expect(edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL), "2|absent|0");
    expect(edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL), "|absent|0");
    expect(edit(pg, QUERY_EXPERIMENT_STOP, "x", "", "ann"), "|draft|1");
    expect(edit(pg, QUERY_EXPERIMENT_START, "x", "9", "ann"), "|draft|1");
    expect(edit(pg, QUERY_EXPERIMENT_START, "x", "1", "ann"), "3|draft|1");
    expect(edit(pg, QUERY_EXPERIMENT_START, "x", "", "ann"), "|running|2");
    expect(edit(pg, QUERY_EXPERIMENT_DELETE, "x", "", "ann"), "|running|2");
    cr_expect(eq(i64, pgtest_number(pg, "select version from config_version"), 3));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from revisions"), 2));
    cr_expect(eq(i64, pgtest_number(pg, "select count(*) from variants"), 2));
    pg_close(pg);
}

Test(edits, a_draft_can_be_deleted_with_all_that_hangs_on_it)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    expect(edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL), "2|absent|0");
    expect(edit(pg, QUERY_EXPERIMENT_DELETE, "x", "", "ann"), "3|draft|1");
    expect(edit(pg, QUERY_EXPERIMENT_DELETE, "x", "", "ann"), "");
    cr_expect(eq(i64,
                 pgtest_number(pg, "select (select count(*) from experiments) + (select count(*) from variants) + "
                                   "(select count(*) from experiment_metrics)"),
                 0));
    expect(edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL), "4|absent|0");
    pg_close(pg);
}

/* Once the locked row had been updated by the same statement before it was read, and "before" was null. */
Test(edits, every_edit_leaves_a_revision_with_both_sides)
{
    struct pg *pg = pgtest_open(queries, QUERY_COUNT);
    (void)edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL);
    (void)edit(pg, QUERY_EXPERIMENT_START, "x", "", "bob");
    (void)edit(pg, QUERY_EXPERIMENT_STOP, "x", "", "eve");
    cr_expect(eq(
        i64,
        pgtest_number(
            pg,
            "select count(*) from revisions where subject = 'experiment:x' and actor = 'ann' and action = 'create' and "
            "before is null and after->'variants'->0->>'key' = 'a'"),
        1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where actor = 'bob' and action = 'start' and "
                                   "before->>'status' = 'draft' and "
                                   "before->'variants'->1->>'key' = 'b' and after->>'status' = 'running'"),
                 1));
    cr_expect(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where actor = 'eve' and action = 'stop' and "
                                   "before->>'status' = 'running' and "
                                   "before->>'version' = '2' and after->>'status' = 'stopped'"),
                 1));
    pg_close(pg);
}

Test(edits, who_listens_is_told_the_version_and_refusals_tell_nobody)
{
    const char *url = pgtest_url();
    struct pg *pg = pgtest_connect(url, queries, QUERY_COUNT), *listener = pgtest_connect(url, NULL, 0);
    pgtest_exec(listener, "listen config");
    (void)edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL);
    (void)edit(pg, QUERY_EXPERIMENT_STOP, "x", "", "ann");
    (void)edit(pg, QUERY_EXPERIMENT_START, "x", "", "ann");
    pgtest_exec(listener, "select 1");
    char told[64] = "";
    for (PGnotify *n; (n = PQnotifies(listener->conn)); PQfreemem(n))
        (void)snprintf(told + strlen(told), sizeof told - strlen(told), "%s ", n->extra);
    expect(told, "2 3 ");
    pg_close(listener);
    pg_close(pg);
}

struct racer {
    pthread_t thread;
    const char *url;
    int won;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct err err = { 0 };
    struct pg *pg = pgtest_connect(racer->url, queries, QUERY_COUNT);
    const char *params[] = { "x", "", "racer" };
    PGresult *r = pg_run(pg, &queries[QUERY_EXPERIMENT_START], params, &err);
    racer->won = r && PQntuples(r) == 1 && pg_get_i64(r, 0, 0) > 0;
    pg_result_free(r);
    pg_close(pg);
    return NULL;
}

/* All wait for a lock that this connection holds, then go at once: one starts it, the others see that it runs. */
Test(edits, of_many_starts_at_once_one_wins)
{
    enum { RACERS = 8 };
    const char *url = pgtest_url();
    struct pg *pg = pgtest_connect(url, queries, QUERY_COUNT), *watcher = pgtest_connect(url, NULL, 0);
    struct racer racers[RACERS] = { 0 };
    (void)edit(pg, QUERY_EXPERIMENT_CREATE, draft, "ann", NULL);
    pgtest_exec(pg, "begin");
    pgtest_exec(pg, "select 1 from experiments for update");
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
