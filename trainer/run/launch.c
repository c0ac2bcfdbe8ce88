#include "trainer/run/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "trainer/run/run.h"
#include "trainer/spark/submit.h"

enum { CANCELLED_STATUS = 130, WORDS_MAX = 128 };

enum stmt { ENGINE, CANCEL, CLOSE, APP, LINK, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [ENGINE] = { "launch_engine", 1, "select engine, epoch, job, workers from runs where id = $1::uuid" },
    [CANCEL] = { "launch_cancel", 1, "select cancel_run($1::uuid)" },
    /* Nobody has taken it: it failed to start. Somebody has, and died without a word: whoever comes may take it over. */
    [CLOSE] = { "launch_close", 3,
                "update runs set state = case when state = 'queued' or epoch = $2::int then 'failed' else 'lost' end, "
                "error = $3, "
                "epoch = epoch + 1, finished_at = now() where id = $1::uuid and state in ('queued', 'running', "
                "'publishing')" },
    [APP] = { "launch_app", 1, "select state, app_id, error from runs where id = $1::uuid" },
    [LINK] = { "launch_link", 2, "update runs set ui_url = $2 where id = $1::uuid" },
};

struct launch {
    const struct run_settings *settings;
    struct pgcluster *cluster;
    struct pg *pg;
    char *url;
    struct row row;
    char *words[WORDS_MAX]; /* arguments of the coordinator */
    size_t words_count;
};

static bool connect_pg(struct launch *l, struct err *err)
{
    l->url = run_settings_connect(l->settings, &l->cluster, err);
    l->pg = l->url ? pg_open(l->url, "trainer", statements, STMT_COUNT, err) : NULL;
    return l->pg != NULL;
}

static void release(struct launch *l)
{
    pg_close(l->pg);
    if (l->cluster)
        pgcluster_stop(l->cluster);
    mem_free(l->url);
    for (size_t i = 0; i < l->words_count; i++)
        mem_free(l->words[i]);
}

bool launch_is_wanted(const struct run_settings *settings, bool *out, struct err *err)
{
    struct launch l = { .settings = settings };
    const char *params[] = { settings->run };
    *out = strcmp(settings->engine, "spark") == 0;
    if (!*settings->run || strcmp(settings->engine, "pipe") == 0)
        return true;
    AUTO(pg_result_free) PGresult *r = connect_pg(&l, err) ? pg_run(l.pg, &statements[ENGINE], params, err) : NULL;
    if (r)
        *out = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "spark") == 0;
    release(&l);
    return r != NULL;
}

/* ---- the coordinator's arguments ---- */

static void word(struct launch *l, char *text)
{
    if (l->words_count < WORDS_MAX - 1)
        l->words[l->words_count++] = text;
}

static char *value_of(const struct setting *s, const void *settings)
{
    const char *at = (const char *)settings + s->offset;
    switch (s->type) {
    case SETTING_TEXT:
        return mem_strdup(*(char *const *)(const void *)at);
    case SETTING_U32:
        return mem_printf("%u", *(const uint32_t *)(const void *)at);
    case SETTING_SECONDS:
        return mem_printf("%.6f", (double)*(const int64_t *)(const void *)at / 1e6);
    default:
        return mem_strdup("");
    }
}

/* Not what is ours to say, nor the secret, nor what lies on this machine alone when the driver runs on another. */
static bool is_told(const struct launch *l, const char *name)
{
    static const char *const ours[] = { "run", "epoch", "engine", "database_url" };
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcmp(name, ours[i]) == 0)
            return false;
    return strcmp(name, "data_dir") != 0 || strcmp(l->settings->spark.deploy_mode, "cluster") != 0;
}

static void add_words(struct launch *l)
{
    word(l, mem_strdup("run"));
    word(l, mem_printf("--run=%s", l->row.id));
    word(l, mem_printf("--epoch=%d", l->row.epoch));
    word(l, mem_strdup("--engine=pipe"));
    for (size_t i = 0; i < run_settings_count; i++) {
        const struct setting *s = &run_settings_table[i];
        AUTO(mem_free) char *value = value_of(s, l->settings);
        if (!*value || !is_told(l, s->name))
            continue;
        char *flag = mem_printf("--%s=%s", s->name, value);
        for (char *c = flag + 2; *c && *c != '='; c++)
            *c = *c == '_' || *c == '.' ? '-' : *c;
        word(l, flag);
    }
}

/* ---- the run ---- */

/* A row of our own, or that of `settings->run` as it is. */
static bool take_row(struct launch *l, const char *job, struct err *err)
{
    if (!*l->settings->run) {
        AUTO(pg_close) struct pg *pg = row_connect(l->url, err);
        return pg && run_insert(l->settings, job, pg, &l->row, err);
    }
    const char *params[] = { l->settings->run };
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[ENGINE], params, err);
    if (!r || PQntuples(r) == 0)
        return r ? err_set(err, ERR_NOT_FOUND, "there is no run %s", l->settings->run) : false;
    (void)snprintf(l->row.id, sizeof l->row.id, "%s", l->settings->run);
    l->row.epoch = (int)pg_get_i64(r, 0, 1);
    l->row.workers = (uint32_t)pg_get_i64(r, 0, 3);
    return true;
}

static void on_stop(void *arg)
{
    struct launch *l = arg;
    struct err err;
    const char *params[] = { l->row.id };
    (void)fputs("trainer: asking the run to end\n", stderr);
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[CANCEL], params, &err);
    if (!r)
        log_warn("cancel_not_told", LOG_ERR, LOG_ERR_ARG(&err));
}

static bool submit(struct launch *l, struct err *err)
{
    const struct run_settings *s = l->settings;
    AUTO(mem_free)
    char *dir = *s->data_dir ? mem_printf("%s/spark", s->data_dir) : mem_strdup("/tmp/experimentd-spark");
    struct spark_run run = { .id = l->row.id,
                             .job = *s->run ? "run" : l->row.job.p,
                             .dir = dir,
                             .database_url = l->url,
                             .arguments = (const char *const *)l->words,
                             .max_attempts = s->max_attempts,
                             .memory_mb = s->memory_mb,
                             .workers = s->workers,
                             .on_stop = on_stop,
                             .arg = l };
    int status;
    err->kind = ERR_NONE;
    if (!spark_submit(&s->spark, &run, &status, err))
        return false;
    return err->kind == ERR_NONE;
}

/* What became of it, by its row; closed here if nobody else did. */
static int conclude(struct launch *l, struct err *err)
{
    char epoch[16];
    (void)snprintf(epoch, sizeof epoch, "%d", l->row.epoch);
    const char *why = err->kind == ERR_NONE ? "the coordinator ended without a word" : err->text;
    const char *close[] = { l->row.id, epoch, why }, *id[] = { l->row.id };
    struct err failed;
    AUTO(pg_result_free) PGresult *closed = pg_run(l->pg, &statements[CLOSE], close, &failed);
    AUTO(pg_result_free) PGresult *r = closed ? pg_run(l->pg, &statements[APP], id, &failed) : NULL;
    if (!r || PQntuples(r) == 0) {
        (void)fprintf(stderr, "trainer: what became of the run is not known: %s\n", failed.text);
        return EXIT_FAILURE;
    }
    const char *state = PQgetvalue(r, 0, 0);
    AUTO(mem_free) char *link = spark_ui_url(&l->settings->spark, PQgetvalue(r, 0, 1), NULL, true);
    const char *linked[] = { l->row.id, link };
    if (link && *PQgetvalue(r, 0, 1)) {
        AUTO(pg_result_free) PGresult *told = pg_run(l->pg, &statements[LINK], linked, &failed);
        if (!told)
            log_warn("link_not_stored", LOG_ERR, LOG_ERR_ARG(&failed));
    }
    if (strcmp(state, "success") == 0)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "trainer: run %s: %s: %s\n", l->row.id, state, PQgetvalue(r, 0, 2));
    return strcmp(state, "cancelled") == 0 ? CANCELLED_STATUS : EXIT_FAILURE;
}

int launch(const struct run_settings *settings, const char *job)
{
    struct launch l = { .settings = settings };
    struct err err = { 0 };
    int status = EX_USAGE;
    if (connect_pg(&l, &err) && spark_settings_check(&settings->spark, l.url, &err) && take_row(&l, job, &err)) {
        add_words(&l);
        (void)submit(&l, &err);
        status = conclude(&l, &err);
    } else {
        (void)fprintf(stderr, "trainer: %s\n", err.text);
    }
    release(&l);
    return status;
}
