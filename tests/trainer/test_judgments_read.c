/* judgments_read: sets of judgments and of queries as the database's functions leave them, and as jobs read them. */
#include "trainer/jobs/judgments_read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "tests/support/pgtest.h"

/* call: one of the functions that edit; member: what is in its answer. */
static bool answers(struct pg *pg, const char *call, const char *member)
{
    char sql[1024];
    int n = snprintf(sql, sizeof sql, "select (strpos((%s)::text, '%s') > 0)::int", call, member);
    cr_assert(n > 0 && (size_t)n < sizeof sql);
    return pgtest_number(pg, sql) == 1;
}

static struct arena *arena(void)
{
    static struct arena a;
    if (!a.first_bytes)
        arena_init(&a, 4096);
    return &a;
}

static struct judgment_set read_set(struct pg *pg)
{
    struct run_context run = { .pg = pg };
    struct judgment_set s;
    struct err err;
    cr_assert(judgments_read(&run, "judgments", "shop", arena(), &s, &err), "%s", err.text);
    return s;
}

Test(judgments_read, one_form_of_a_query_is_one_query_and_people_win)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    pgtest_exec(
        pg,
        "select judgment_set_put('shop', '{\"source\": \"merged\", \"max_grade\": 4}', "
        "'[[\"Desk  Lamp\", \"b\", 1, 0.5, 40, \"clicks\"], [\"desk lamp\", \"b\", 3, null, null, \"human\", \"anna\"],"
        "  [\"desk lamp\", \"a\", 2, 0.25, 10, \"clicks\"], [\"Desk  Lamp\", \"a\", 4, 0.9, 90, \"clicks\"],"
        "  [\"chair\", \"c\", 0.5, 0.75, 12, \"clicks\"], [\"chair\", \"to be judged\", null], [\"sofa\", \"\", "
        "null]]', "
        "'merge', null, null, 'me')");
    struct judgment_set s = read_set(pg);
    cr_assert(eq(sz, s.count, 2));
    cr_assert(eq(u64, s.judgments, 3));
    cr_assert(eq(flt, s.max_grade, 4));
    cr_assert(str_eq_c(s.queries[0].query, "chair"));
    cr_assert(eq(u32, s.queries[0].count, 1));
    const struct judged_query *lamp = judgments_find(&s, STR("desk lamp"));
    cr_assert(lamp == &s.queries[1]);
    cr_assert(str_eq_c(lamp->text, "Desk  Lamp"));
    const struct judgment *a = judgments_doc(lamp, STR("a")), *b = judgments_doc(lamp, STR("b"));
    cr_assert(eq(flt, a->grade, 4));
    cr_assert(eq(flt, a->confidence, 0.9F));
    cr_assert(eq(flt, b->grade, 3));
    cr_assert(b->human);
    cr_assert(isnan(b->confidence) && isnan(b->evidence));
    cr_assert(judgments_doc(lamp, STR("c")) == NULL);
    cr_assert(judgments_find(&s, STR("sofa")) == NULL);
}

Test(judgments_read, a_set_that_is_not_there_is_named_by_its_parameter)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    struct run_context run = { .pg = pg };
    struct judgment_set s;
    struct query_selection q;
    struct err err;
    cr_assert(not(judgments_read(&run, "human", "o'none", arena(), &s, &err)));
    cr_assert_str_eq(err.text, "--param human=o'none: there is no judgment set of this name");
    cr_assert(not(query_selection_read(&run, "query_set", "none", arena(), &q, &err)));
    cr_assert_str_eq(err.text, "--param query_set=none: there is no query set of this name");
}

Test(judgments_read, a_job_leaves_what_people_put_in_one_by_one)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    const char *const publish =
        "judgment_set_put('shop', '{\"source\": \"clicks\"}', '[[\"lamp\", \"a\", 1, 0.5, 9, \"clicks\"],"
        "[\"lamp\", \"b\", 2, 0.5, 9, \"clicks\"]]', 'replace', null, '00000000-0000-7000-8000-000000000001', 'job:x')";
    cr_assert(answers(pg, publish, "\"created\": 2"));
    cr_assert(answers(pg, publish, "\"unchanged\": 2"));
    cr_assert(eq(i64, pgtest_number(pg, "select version from judgment_sets"), 1));
    pgtest_exec(pg, "select judgment_set_put('shop', '{\"edited\": true}', '[[\"lamp\", \"b\", 0], [\"lamp\", \"c\", "
                    "1]]', 'merge', 1, null, 'anna')");
    cr_assert(answers(pg, publish, "\"created\": 0"));
    struct judgment_set s = read_set(pg);
    cr_assert(eq(u32, s.queries[0].count, 3));
    cr_assert(eq(flt, s.queries[0].docs[1].grade, 0));
    cr_assert(s.queries[0].docs[1].edited && s.queries[0].docs[1].human);
    cr_assert(not(s.queries[0].docs[0].edited));
    pgtest_exec(pg, "select judgment_set_put('own', '{}', '[[\"lamp\", \"a\", 1]]', 'merge', null, null, 'anna')");
    cr_assert(answers(
        pg,
        "select judgment_set_put('own', '{}', '[]', 'replace', null, '00000000-0000-7000-8000-000000000001', 'job:x')",
        "\"refused\": \"source\""));
}

Test(judgments_read, edits_refuse_old_versions_and_grades_off_the_scale_and_are_kept_in_the_audit_trail)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    pgtest_exec(pg, "select judgment_set_put('shop', '{\"must\": \"be_new\"}', '[[\"lamp\", \"a\", 3]]', 'merge', "
                    "null, null, 'me')");
    cr_assert(answers(pg, "judgment_set_put('shop', '{\"must\": \"be_new\"}', null, 'merge', null, null, 'me')",
                      "\"exists\""));
    cr_assert(answers(pg, "judgment_set_put('none', '{\"must\": \"exist\"}', null, 'merge', null, null, 'me')",
                      "\"missing\""));
    cr_assert(answers(pg, "judgment_set_put('shop', '{}', '[[\"lamp\", \"b\", 1]]', 'merge', 2, null, 'me')",
                      "\"refused\": \"version\""));
    cr_assert(answers(pg, "judgment_set_put('shop', '{}', '[[\"lamp\", \"b\", 4]]', 'merge', null, null, 'me')",
                      "[\"lamp\", \"b\", 4, 1]"));
    cr_assert(answers(pg, "judgment_set_put('shop', '{\"max_grade\": 2}', null, 'merge', null, null, 'me')",
                      "[\"lamp\", \"a\", 3, 0]"));
    cr_assert(
        answers(pg, "judgments_delete('shop', '[[\"lamp\", \"a\"], [\"lamp\", \"x\"]]', 1, 'anna')", "\"deleted\": 1"));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from revisions where subject = 'judgments:shop'"), 2));
    cr_assert(eq(i64,
                 pgtest_number(pg, "select count(*) from revisions where actor = 'anna' and before->'ratings' = "
                                   "'[[\"lamp\", \"a\", 3, null, null, \"human\", null]]'"),
                 1));
    cr_assert(answers(pg, "judgment_set_delete('shop', null, 'me')", "{}"));
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from judgments"), 0));
}

Test(query_selection, keeps_its_order_weights_and_params)
{
    AUTO(pg_close) struct pg *pg = pgtest_open(NULL, 0);
    struct run_context run = { .pg = pg };
    struct query_selection q;
    struct err err;
    pgtest_exec(pg, "select query_set_put('head', '{}', '[[\"Lamp\"], [\"chair\", 2.5, {\"category\": \"home\"}], "
                    "[\"sofa\", 1], [\"Lamp\", 7]]', "
                    "'replace', null, null, 'me')");
    pgtest_exec(pg, "select query_set_put('head', '{}', '[[\"bed\"]]', 'merge', 1, null, 'me')");
    pgtest_exec(pg, "select query_set_remove('head', '[\"sofa\"]', 2, 'me')");
    cr_assert(query_selection_read(&run, "query_set", "head", arena(), &q, &err), "%s", err.text);
    cr_assert(eq(sz, q.count, 3));
    cr_assert(str_eq_c(q.queries[0].text, "Lamp"));
    cr_assert(str_eq_c(q.queries[0].query, "lamp"));
    cr_assert(eq(dbl, q.queries[0].weight, 7));
    cr_assert(q.queries[0].params.p == NULL);
    cr_assert(eq(dbl, q.queries[1].weight, 2.5));
    cr_assert(str_eq_c(q.queries[1].params, "{\"category\": \"home\"}"));
    cr_assert(str_eq_c(q.queries[2].text, "bed"));
}
