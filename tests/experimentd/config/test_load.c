#include "experimentd/config/load.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "assign/assign.h"
#include "experimentd/config/snapshot_parts.h"
#include "metric/metric.h"
#include "tests/support/pgtest.h"

static struct snapshot *load(struct pg *pg)
{
    struct err err = { 0 };
    struct snapshot *s = snapshot_load(pg, &err);
    cr_assert(s != NULL, "%s", err.text);
    return s;
}

static void expect_str(struct str got, const char *wanted)
{
    cr_expect(str_eq_c(got, wanted), "got %.*s, wanted %s", STR_ARG(got), wanted);
}

static const char insert[] =
    "insert into experiments (key, status, origin, version, created_at, started_at, spec) values "
    "('ranker', 'running', 'live', 7, '2026-01-02T03:04:05.678901Z', '2026-01-03T00:00:00Z', "
    "'{\"key\":\"ranker\",\"name\":\"Ranker "
    "\\\"Q4\\\"\",\"hypothesis\":\"é\",\"seed\":\"s\",\"coverage\":0.5,\"variants\":["
    "{\"key\":\"bm25\",\"name\":\"Old\",\"weight\":0.25,\"value\":null},"
    "{\"key\":\"ltr\",\"weight\":0.75,\"value\":{\"z\":0.1,\"a\":[1e300,\"\\\"\"]}}],"
    "\"metrics\":[\"mrr\",\"ctr\"]}'), "
    "('ranker-b', 'draft', 'simulated', 1, now(), null, '{\"key\":\"ranker-b\",\"origin\":\"simulated\",\"variants\":["
    "{\"key\":\"x\",\"value\":1},{\"key\":\"y\",\"value\":2}],\"metrics\":[\"ctr\"]}');"
    "update config_version set version = 41";

Test(load, an_empty_database_has_metrics_and_a_version)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct snapshot *s = load(pg);
    cr_expect(eq(i64, s->version, 1));
    cr_expect(eq(sz, s->experiments_count, 0));
    expect_str(snapshot_metric(s, STR("mrr"))->direction, "increase");
    cr_expect(snapshot_metric(s, STR("mr")) == NULL);
    struct str label;
    cr_expect(eq(int, (int)snapshot_key_scope(s, STR("xd_admin_"), &label), (int)SCOPE_NONE));
    snapshot_free(s);
    pg_close(pg);
}

/* The texts of the migration are definitions as anybody may write them. */
Test(load, every_built_in_metric_is_read)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    struct snapshot *s = load(pg);
    int64_t stored = pgtest_number(pg, "select count(*) from metrics");
    cr_expect(eq(i64, (int64_t)s->metrics_count, stored));
    for (size_t i = 0; i < s->metrics_count; i++) {
        const struct snapshot_metric *m = &s->metrics[i];
        cr_expect(m->builtin, "%s", m->key.p);
        cr_expect(m->description.n > 20, "%s", m->key.p);
    }
    const struct metric_def *funnel = snapshot_metric(s, STR("search_funnel"))->def;
    cr_expect(eq(int, (int)funnel->form, METRIC_FORM_FUNNEL));
    cr_expect(eq(sz, funnel->facts_count, 3));
    snapshot_free(s);
    pg_close(pg);
}

/* What another program wrote is left out, and the rest stays. */
Test(load, a_metric_that_cannot_be_read_is_left_out)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(
        pg, "insert into metrics (key, spec) values "
            "('broken', '{\"key\":\"broken\",\"kind\":\"mean\",\"direction\":\"increase\",\"display\":\"count\"}'), "
            "('mine', '{\"key\":\"mine\",\"kind\":\"mean\",\"direction\":\"decrease\",\"display\":\"money\","
            "\"numerator\":{\"of\":\"queries\"}}')");
    struct snapshot *s = load(pg);
    cr_expect(snapshot_metric(s, STR("broken")) == NULL);
    const struct snapshot_metric *mine = snapshot_metric(s, STR("mine"));
    cr_assert(mine != NULL);
    cr_expect(not(mine->builtin));
    expect_str(mine->display, "money");
    expect_str(mine->name, "mine");
    snapshot_free(s);
    pg_close(pg);
}

Test(load, an_experiment_comes_whole_and_in_order)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(pg, insert);
    struct snapshot *s = load(pg);
    const struct snapshot_experiment *e = snapshot_experiment(s, STR("ranker"));
    cr_assert(e != NULL);
    cr_expect(eq(i64, s->version, 41));
    expect_str(e->name, "Ranker \"Q4\"");
    expect_str(e->hypothesis, "é");
    expect_str(e->hash_attribute, "id");
    cr_expect(eq(int, (int)e->status, (int)EXPERIMENT_RUNNING));
    cr_expect(eq(i64, e->version, 7));
    cr_expect(eq(i64, e->created_us, INT64_C(1767323045678901)));
    cr_expect(eq(i64, e->stopped_us, 0));
    cr_assert(eq(sz, e->variants_count, 2));
    expect_str(e->variants[0].key, "bm25");
    expect_str(e->variants[0].name, "Old");
    cr_expect(eq(dbl, e->variants[1].weight, 0.75));
    cr_assert(eq(sz, e->metrics_count, 2));
    expect_str(e->metrics[0].metric, "mrr");
    expect_str(e->metrics[1].role, "secondary");
    e = snapshot_experiment(s, STR("ranker-b"));
    cr_assert(e != NULL && e->variants_count == 2 && e->metrics_count == 1);
    expect_str(e->origin, "simulated");
    snapshot_free(s);
    pg_close(pg);
}

/* Values are served as they were given: key order, and numbers to the last bit. */
Test(load, the_pieces_of_answers_are_serialised)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(pg, insert);
    struct snapshot *s = load(pg);
    const struct snapshot_assign *a = snapshot_experiment(s, STR("ranker"))->assign;
    cr_assert(a != NULL);
    expect_str(a->assigned[0], "{\"experiment\":\"ranker\",\"variant\":\"bm25\",\"value\":null,\"reason\":\"");
    expect_str(a->assigned[1], "{\"experiment\":\"ranker\",\"variant\":\"ltr\",\"value\":{\"z\":0.1,"
                               "\"a\":[1e+300,\"\\\"\"]},\"reason\":\"");
    expect_str(a->unassigned, "{\"experiment\":\"ranker\",\"variant\":null,\"value\":null,\"reason\":\"");
    snapshot_free(s);
    pg_close(pg);
}

/* What runs is in the payload that everybody gets; a draft is only in the one for QA keys. */
Test(load, payloads_hold_what_runs)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(pg, insert);
    struct snapshot *s = load(pg);
    const struct snapshot_assign *a = snapshot_experiment(s, STR("ranker"))->assign,
                                 *b = snapshot_experiment(s, STR("ranker-b"))->assign;
    cr_expect(a->feature[VIEW_LIVE] >= 0 && a->feature[VIEW_DRAFTS] >= 0);
    cr_expect(eq(int, b->feature[VIEW_LIVE], -1));
    cr_expect(b->feature[VIEW_DRAFTS] >= 0);
    cr_expect(eq(int, assign_feature_index(snapshot_features(s, false)->payload, "ranker", 6), a->feature[VIEW_LIVE]));
    cr_expect(eq(int, assign_feature_index(snapshot_features(s, false)->payload, "ranker-b", 8), -1));
    cr_expect(s->payload_json.n > 0 && s->payload_etag.n > 2);
    snapshot_free(s);
    pg_close(pg);
}

/* The same experiment has the same identity in every snapshot; one made anew under the same key has not. */
Test(load, identities_outlive_a_snapshot_but_not_an_experiment)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(pg, insert);
    struct snapshot *s = load(pg), *t = load(pg);
    const struct snapshot_assign *a = snapshot_experiment(s, STR("ranker-b"))->assign,
                                 *b = snapshot_experiment(t, STR("ranker-b"))->assign;
    cr_expect(a->identity == b->identity);
    pgtest_exec(pg, "update experiments set created_at = created_at + interval '1 second' where key = 'ranker-b'");
    snapshot_free(t);
    t = load(pg);
    b = snapshot_experiment(t, STR("ranker-b"))->assign;
    cr_expect(a->identity != b->identity);
    snapshot_free(s);
    snapshot_free(t);
    pg_close(pg);
}

/* What another program wrote must not take the rest down. */
Test(load, an_experiment_that_cannot_be_evaluated_is_left_out_alone)
{
    struct pg *pg = pgtest_open(config_statements, CONFIG_STMT_COUNT);
    pgtest_exec(pg, insert);
    pgtest_exec(pg, "insert into experiments (key, status, spec) select 'many', 'running', json_build_object('key', "
                    "'many', 'variants', json_agg(json_build_object('key', 'v' || i))) from generate_series(0, 100) i");
    pgtest_exec(pg, "insert into experiments (key, status, spec) values ('odd', 'running', '{\"key\":7}')");
    struct snapshot *s = load(pg);
    cr_expect(eq(sz, s->experiments_count, 2));
    cr_expect(snapshot_experiment(s, STR("odd")) == NULL);
    cr_expect(snapshot_experiment(s, STR("many")) == NULL);
    cr_expect(snapshot_experiment(s, STR("ranker"))->assign != NULL);
    snapshot_free(s);
    pg_close(pg);
}

Test(load, a_lost_database_is_an_error_and_the_next_try_works)
{
    struct err err = { 0 };
    const char *url = pgtest_url();
    struct pg *pg = pgtest_connect(url, config_statements, CONFIG_STMT_COUNT), *other = pgtest_connect(url, NULL, 0);
    pgtest_exec(other, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and "
                       "pid <> pg_backend_pid()");
    cr_expect(snapshot_load(pg, &err) == NULL);
    cr_expect(eq(int, (int)err.kind, (int)ERR_DB), "%s", err.text);
    cr_assert(pg_reopen(pg, &err), "%s", err.text);
    snapshot_free(load(pg));
    pg_close(other);
    pg_close(pg);
}
