#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/support/pgtest.h"
#include "trainer/models/training.h"
#include "trainer/run/run.h"

static const char *param(const struct run_context *context, const char *name)
{
    (void)context;
    return strcmp(name, "model") == 0 ? "liked" : NULL;
}

/* What a test made, released when it ends. */
static struct run runs[4];
static struct buf files[16];
static struct pg *connections[4];
static size_t runs_count, files_count, connections_count;

static void release_all(void)
{
    for (size_t i = 0; i < runs_count; i++)
        buf_release(&runs[i].result);
    for (size_t i = 0; i < files_count; i++)
        buf_release(&files[i]);
    for (size_t i = 0; i < connections_count; i++)
        pg_close(connections[i]);
}

TestSuite(training, .fini = release_all);
TestSuite(models, .fini = release_all);

static struct buf *file_new(void)
{
    struct buf *b = &files[files_count++];
    buf_init(b, ARTIFACT_BYTES_MAX);
    return b;
}

static struct pg *connection(const char *url)
{
    return connections[connections_count++] = url ? pgtest_connect(url, NULL, 0) : pgtest_open(NULL, 0);
}

/* A run whose row is there, as far as publishing looks at it. */
static struct run *run_make(struct pg *pg)
{
    struct run *run = &runs[runs_count++];
    unsigned char id[16];
    *run = (struct run){ .context = { .pg = pg, .param = param, .engine_name = "local", .epoch = 1 } };
    run->context.type = run->params.type = job_type_find(STR("golden"));
    run->context.run = run;
    buf_init(&run->result, 1 << 16);
    uuid_v7(id, 1795521600123456);
    uuid_format(id, run->context.id);
    AUTO(mem_free)
    char *sql = mem_printf("insert into runs (id, job, params, state, engine, workers) values ('%s', 'golden', '{}', "
                           "'running', 'local', 1)",
                           run->context.id);
    pgtest_exec(pg, sql);
    return run;
}

struct made {
    struct buf *file;
    char digest[ARTIFACT_DIGEST];
    struct training t;
};

/* An artifact of so many bytes, and what a job says of it. */
static void made_make(struct made *m, size_t bytes, char fill)
{
    struct artifact_out o;
    struct err err;
    char *section = mem_alloc(bytes);
    memset(section, fill, bytes);
    m->file = file_new();
    artifact_begin(&o, "recommender");
    artifact_add(&o, "popular", (struct str){ section, bytes });
    cr_assert(artifact_end(&o, m->file, m->digest, &err));
    m->t = (struct training){ .model = "liked",
                              .kind = "recommender",
                              .file = buf_str(m->file),
                              .digest = m->digest,
                              .from = 20000,
                              .until = 20029,
                              .eval_from = 20030,
                              .eval_until = 20030,
                              .days = 30,
                              .seed = 7,
                              .rows = 1000,
                              .units = 50,
                              .items = 9,
                              .metrics = STR("{\"ndcg@10\":{\"value\":0.5}}") };
    mem_free(section);
}

static void publish(struct run *run, const struct training *t, bool passed, int champion)
{
    struct err err = { 0 };
    struct gate_outcome gate = { .passed = passed, .champion = champion, .rule = "better", .reason = "because" };
    cr_assert(pg_begin(run->context.pg, &err));
    cr_assert(training_store(&run->context, t, &gate, &err), "%s", err.text);
    cr_assert(pg_commit(run->context.pg, &err));
}

static void text_is(struct pg *pg, const char *sql, const char *expected)
{
    struct err err;
    const struct pg_stmt stmt = { "text_is", 0, sql };
    PGresult *r = pg_run(pg, &stmt, NULL, &err);
    cr_assert(ne(ptr, r, NULL), "%s", err.text);
    cr_assert(eq(str, PQgetvalue(r, 0, 0), expected));
    pg_result_free(r);
}

Test(training, the_champion_is_what_was_published)
{
    struct made m;
    struct buf *file = file_new();
    struct artifact a;
    struct err err = { 0 };
    int version = -1;
    struct pg *pg = connection(NULL);
    struct run *run = run_make(pg);
    cr_assert(training_champion(&run->context, "liked", file, &a, &version, &err), "%s", err.text);
    cr_assert(eq(int, version, 0));
    cr_assert(eq(ptr, a.bytes.p, NULL));
    made_make(&m, (3 << 20) + 12345, 'x'); /* four parts */
    publish(run, &m.t, true, 0);
    cr_assert(eq(i64, pgtest_number(pg, "select count(*) from artifact_parts"), 4));
    cr_assert(training_champion(&run->context, "liked", file, &a, &version, &err), "%s", err.text);
    cr_assert(eq(int, version, 1));
    cr_assert(str_eq(a.bytes, m.t.file));
    text_is(pg,
            "select status || ' ' || (card->>'job') || ' ' || (card->'window'->>'until') || ' ' || (card->>'run' = "
            "run::text) from model_versions",
            "ready golden 2024-11-02 true");
}

Test(training, what_the_gate_refused_is_kept_and_the_champion_stays)
{
    struct made one, two;
    struct pg *pg = connection(NULL);
    struct run *run = run_make(pg);
    made_make(&one, 100, 'a');
    made_make(&two, 100, 'b');
    publish(run, &one.t, true, 0);
    publish(run, &two.t, false, 1);
    cr_assert(eq(i64, pgtest_number(pg, "select version from model_aliases"), 1));
    text_is(pg,
            "select status || ': ' || (gate->>'reason') || ', after ' || parent_version from model_versions where "
            "version = 2",
            "refused: because, after 1");
}

struct second {
    struct made *m;
    struct run *run;
};

static void *publish_second(void *arg)
{
    struct second *s = arg;
    publish(s->run, &s->m->t, true, 1);
    return NULL;
}

/* Both were compared with version 1. The second one waits for the first, and then is not compared with the champion any more. */
Test(training, of_two_runs_at_once_the_later_one_is_refused)
{
    struct made first, a, b;
    struct err err = { 0 };
    pthread_t thread;
    struct pg *pg = connection(NULL);
    struct second second = { .m = &b };
    struct run *run = run_make(pg);
    made_make(&first, 100, '1');
    made_make(&a, 100, 'a');
    made_make(&b, 100, 'b');
    publish(run, &first.t, true, 0);
    second.run = run_make(connection(pg->url));
    struct gate_outcome gate = { .passed = true, .champion = 1, .rule = "better", .reason = "because" };
    cr_assert(pg_begin(pg, &err));
    cr_assert(training_store(&run->context, &a.t, &gate, &err), "%s", err.text);
    cr_assert(eq(int, pthread_create(&thread, NULL, publish_second, &second), 0));
    struct pg *look = connection(pg->url);
    while (pgtest_number(look, "select count(*) from pg_locks where not granted") == 0) {
        /* until it waits for the model's row */
    }
    cr_assert(pg_commit(pg, &err));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    text_is(pg, "select string_agg(version || ' ' || status, ', ' order by version) from model_versions",
            "1 ready, 2 ready, 3 refused");
    text_is(
        pg,
        "select version || ' ' || (select gate->>'reason' from model_versions where version = 3) from model_aliases",
        "2 version 2 became champion meanwhile, this one was compared with 1; train it again");
    text_is(pg, "select gate->>'rule' from model_versions where version = 3", "champion");
}

Test(training, altered_bytes_in_the_database_are_found_and_mended_by_the_same_model)
{
    struct made m;
    struct buf *file = file_new();
    struct artifact a;
    struct err err = { 0 };
    int version = -1;
    struct pg *pg = connection(NULL);
    struct run *run = run_make(pg);
    made_make(&m, 2 << 20, 'x');
    publish(run, &m.t, true, 0);
    pgtest_exec(pg, "update artifact_parts set content = set_byte(content, 77, 0) where part = 1");
    cr_assert(not(training_champion(&run->context, "liked", file, &a, &version, &err)));
    cr_assert(eq(int, version, -1));
    cr_assert(ne(ptr, strstr(err.text, "model \"liked\": version 1, which is champion: artifact is damaged"), NULL),
              "%s", err.text);
    pgtest_exec(pg, "delete from artifact_parts where part = 2");
    buf_clear(file);
    cr_assert(not(training_champion(&run->context, "liked", file, &a, &version, &err)));
    cr_assert(ne(ptr, strstr(err.text, "artifact is truncated"), NULL), "%s", err.text);
    publish(run, &m.t, false, 1);
    buf_clear(file);
    cr_assert(training_champion(&run->context, "liked", file, &a, &version, &err), "%s", err.text);
}

Test(training, a_name_or_kind_that_cannot_be_is_refused_first)
{
    struct made m;
    struct err err = { 0 };
    struct pg *pg = connection(NULL);
    struct run *run = run_make(pg);
    cr_assert(training_begin(&run->context, "recommender", &err), "%s", err.text);
    made_make(&m, 100, 'x');
    publish(run, &m.t, true, 0);
    cr_assert(not(training_begin(&run->context, "boosts", &err)));
    cr_assert(eq(str, err.text, "parameter \"model\": model \"liked\" is of kind recommender, not boosts"));
    cr_assert(not(training_enough(&run->context, "units", 12, "rows", &err)));
    cr_assert(eq(str, err.text, "too little data: 12 units, parameter \"rows\" asks for 200000"));
    cr_assert(training_enough(&run->context, "units", 200000, "rows", &err));
}

/* ---- aliases, in SQL ---- */

static struct run *three_versions(struct pg *pg)
{
    struct made m;
    struct run *run = run_make(pg);
    for (int i = 0; i < 3; i++) {
        made_make(&m, 100, (char)('a' + i));
        publish(run, &m.t, true, i);
    }
    return run;
}

Test(models, roll_backs_lead_back_step_by_step)
{
    struct pg *pg = connection(NULL);
    (void)three_versions(pg);
    text_is(pg, "select model_alias_rollback('liked', 'champion', 'me')", "{\"was\": 3, \"version\": 2}");
    text_is(pg, "select model_alias_rollback('liked', 'champion', 'me')", "{\"was\": 2, \"version\": 1}");
    text_is(pg, "select model_alias_rollback('liked', 'champion', 'me')", "{\"refused\": \"before\"}");
    text_is(pg, "select model_alias_rollback('liked', 'other', 'me')", "{\"refused\": \"alias\"}");
    text_is(pg, "select model_alias_set('liked', 'champion', 3, 'set', 'me')", "{\"was\": 1, \"version\": 3}");
    text_is(pg, "select model_alias_rollback('liked', 'champion', 'me')", "{\"was\": 3, \"version\": 1}");
    text_is(pg, "select string_agg(action || ' ' || version, ', ' order by id) from model_alias_log",
            "publish 1, publish 2, publish 3, rollback 2, rollback 1, set 3, rollback 1");
}

Test(models, a_roll_back_passes_over_versions_that_are_gone)
{
    struct pg *pg = connection(NULL);
    (void)three_versions(pg);
    pgtest_exec(pg, "select model_version_drop('liked', 2)");
    text_is(pg, "select model_alias_rollback('liked', 'champion', 'me')", "{\"was\": 3, \"version\": 1}");
}

Test(models, sweeping_keeps_what_is_young_new_used_or_rolled_back_to)
{
    struct pg *pg = connection(NULL);
    (void)three_versions(pg);
    text_is(pg, "select models_sweep(1, 90)", "{\"versions\": 0, \"artifacts\": 0}"); /* all are young */
    pgtest_exec(pg, "update model_versions set created_at = now() - interval '91 days'");
    text_is(pg, "select models_sweep(3, 90)", "{\"versions\": 0, \"artifacts\": 0}"); /* the newest three */
    text_is(pg, "select models_sweep(1, 90)", "{\"versions\": 1, \"artifacts\": 1}"); /* 3 is champion, 2 would be */
    text_is(pg, "select string_agg(version || ' ' || status, ', ' order by version) from model_versions",
            "1 deleted, 2 ready, 3 ready");
    text_is(pg, "select model_alias_set('liked', 'champion', 1, 'set', 'me')", "{\"refused\": \"version\"}");
    cr_assert(eq(i64, pgtest_number(pg, "select count(distinct digest) from artifact_parts"), 2));
}

Test(models, what_the_gate_refused_is_set_only_by_force)
{
    struct made m;
    struct pg *pg = connection(NULL);
    struct run *run = three_versions(pg);
    made_make(&m, 100, 'd');
    publish(run, &m.t, false, 3);
    text_is(pg, "select model_alias_set('liked', 'champion', 4, 'set', 'me')",
            "{\"detail\": \"because\", \"refused\": \"gate\"}");
    text_is(pg, "select model_alias_set('liked', 'champion', 4, 'set', 'me', true)", "{\"was\": 3, \"version\": 4}");
    text_is(pg, "select model_alias_set('liked', 'champion', 2, 'set', 'me', false, 3)",
            "{\"detail\": 4, \"refused\": \"expected\"}");
    text_is(pg, "select model_alias_set('liked', 'challenger', 1, 'set', 'me', false, 0)",
            "{\"was\": null, \"version\": 1}");
    text_is(pg, "select model_alias_set('nobody', 'champion', 1, 'set', 'me')", "{\"refused\": \"model\"}");
}

Test(models, deleting_a_model_leaves_nothing)
{
    struct pg *pg = connection(NULL);
    (void)three_versions(pg);
    pgtest_exec(pg, "delete from models where name = 'liked'");
    text_is(pg, "select models_sweep(1, 90)", "{\"versions\": 0, \"artifacts\": 3}");
    cr_assert(eq(
        i64, pgtest_number(pg, "select (select count(*) from artifact_parts) + (select count(*) from model_alias_log)"),
        0));
}
