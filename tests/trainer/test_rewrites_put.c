/* rewrites_put: what a run found beside what earlier runs found and people decided. */
#include "trainer/jobs/rewrites_put.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/support/pgtest.h"

static int runs_made;

/* A run of the job in the database, as a coordinator would have it. */
static struct run_context make_run(struct pg *pg, const char *job)
{
    struct run_context run = { .pg = pg, .epoch = 1 };
    char sql[256];
    (void)snprintf(run.id, sizeof run.id, "00000000-0000-7000-8000-%012d", ++runs_made);
    (void)snprintf(sql, sizeof sql,
                   "insert into runs (id, job, params, engine, workers, state, trigger, timeout_seconds, host, pid) "
                   "values ('%s', '%s', '{}', 'local', 1, 'running', 'shell', 0, 'here', 1)",
                   run.id, job);
    pgtest_exec(pg, sql);
    return run;
}

static struct rewrites_counts put(struct pg *pg, const char *job, const struct rewrite_row *rows, size_t count)
{
    struct run_context run = make_run(pg, job);
    struct rewrites_counts counts = { 0 };
    struct err err = { 0 };
    cr_assert(pg_begin(pg, &err), "%s", err.text);
    cr_assert(rewrites_put(&run, "spelling", rows, count, &counts, &err), "%s", err.text);
    cr_assert(pg_commit(pg, &err), "%s", err.text);
    return counts;
}

static struct rewrite_row row(const char *input, const char *output, double confidence, bool automatic)
{
    return (struct rewrite_row){ .input = str_of(input),
                                 .output = str_of(output),
                                 .confidence = confidence,
                                 .automatic = automatic,
                                 .searches = 7,
                                 .evidence = STR("{\"distance\":1}") };
}

static int64_t in_review(struct pg *pg, const char *review)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "select count(*) from query_rewrites where review = '%s'", review);
    return pgtest_number(pg, sql);
}

Test(rewrites_put, what_a_run_no_longer_finds_goes_and_the_rest_gets_the_new_figures)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    const struct rewrite_row first[] = { row("ipone", "iphone", 0.9, true), row("samsng", "samsung", 0.6, false),
                                         row("nokai", "nokia", 0.7, false) };
    struct rewrites_counts c = put(pg, "spelling", first, 3);
    cr_assert(eq(u64, c.found, 3));
    cr_assert(eq(u64, c.added, 3));
    cr_assert(eq(i64, in_review(pg, "auto"), 1));
    cr_assert(eq(i64, in_review(pg, "pending"), 2));
    const struct rewrite_row second[] = { row("samsng", "samsung", 0.85, true), row("ipone", "iphone", 0.9, true) };
    c = put(pg, "spelling", second, 2);
    cr_assert(eq(u64, c.added, 0));
    cr_assert(eq(u64, c.updated, 1));
    cr_assert(eq(u64, c.unchanged, 1));
    cr_assert(eq(u64, c.removed, 1));
    cr_assert(eq(i64, in_review(pg, "auto"), 2));
    cr_assert(eq(i64,
                 pgtest_number(pg, "select version from query_rewrites where input = 'samsng' and confidence_class = "
                                   "'high' and searches = 7 and evidence = '{\"distance\": 1}'"),
                 2));
    cr_assert(eq(i64, pgtest_number(pg, "select version from query_rewrites where input = 'ipone'"), 1));
}

Test(rewrites_put, what_people_decided_stays)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    const struct rewrite_row rows[] = { row("ipone", "iphone", 0.9, true), row("samsng", "samsung", 0.6, false),
                                        row("nokai", "nokia", 0.7, false) };
    (void)put(pg, "spelling", rows, 3);
    pgtest_exec(pg, "update query_rewrites set review = 'denied', note = 'a name' where input = 'ipone'");
    pgtest_exec(pg, "update query_rewrites set review = 'approved' where input = 'samsng'");
    pgtest_exec(pg,
                "select rewrites_add('[{\"type\": \"spelling\", \"input\": \"nokai\", \"output\": \"nokia\", "
                "\"bidirectional\": false, \"confidence\": 1, \"review\": \"approved\", \"note\": \"\"}]', 'anna')");
    const struct rewrite_row again[] = { row("ipone", "iphone", 0.95, true), row("nokai", "nokia", 0.1, false) };
    struct rewrites_counts c = put(pg, "spelling", again, 2);
    cr_assert(eq(u64, c.decided, 2));
    cr_assert(eq(u64, c.updated + c.added + c.unchanged + c.removed, 0));
    cr_assert(eq(i64,
                 pgtest_number(pg, "select count(*) from query_rewrites where input = 'ipone' and review = "
                                   "'denied' and note = 'a name' and confidence = 0.95::real"),
                 1));
    cr_assert(eq(i64, in_review(pg, "approved"), 2), "samsng, though it was not found again, and nokai");
    cr_assert(eq(
        i64, pgtest_number(pg, "select count(*) from query_rewrites where source = 'manual' and confidence = 1"), 1));
}

Test(rewrites_put, each_job_removes_only_what_it_had_found_and_one_text_counts_once)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    const struct rewrite_row mine[] = { row("ipone", "iphone", 0.5, false), row("ipone", "iphone", 0.9, false) };
    const struct rewrite_row theirs[] = { row("samsng", "samsung", 0.6, false) };
    struct rewrites_counts c = put(pg, "spelling", mine, 2);
    cr_assert(eq(u64, c.found, 1));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from query_rewrites where confidence = 0.9::real"), 1));
    c = put(pg, "other", theirs, 1);
    cr_assert(eq(u64, c.removed, 0));
    c = put(pg, "spelling", NULL, 0);
    cr_assert(eq(u64, c.removed, 1));
    cr_assert(eq(i64, in_review(pg, "pending"), 1));
}

Test(rewrites_put, a_row_that_breaks_a_rule_is_named)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    struct rewrite_row same = row("nokia", "nokia", 0.5, false), upper = row("Nokia", "nokia 3310", 0.5, false),
                       empty = row("nokai", "", 0.5, false), sure = row("nokai", "nokia", 1.5, false),
                       both = row("nokai", "nokia", 0.5, false);
    both.bidirectional = true;
    const struct {
        const struct rewrite_row *row;
        const char *why;
    } bad[] = { { &same, "spelling \"nokia\": output is the input" },
                { &upper, "spelling \"Nokia\": input or output is not a query's normal text" },
                { &empty, "spelling \"nokai\" has no output" },
                { &sure, "spelling \"nokai\": confidence is 1.5, not from 0 to 1" },
                { &both, "spelling \"nokai\": only synonyms are bidirectional" } };
    struct run_context run = make_run(pg, "spelling");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct rewrites_counts counts;
        struct err err = { 0 };
        cr_assert(not(rewrites_put(&run, "spelling", bad[i].row, 1, &counts, &err)));
        cr_assert(eq(str, err.text, (char *)(uintptr_t)bad[i].why));
    }
}
