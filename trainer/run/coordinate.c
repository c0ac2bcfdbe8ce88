/* The life of a coordinator: row, heartbeat, attempts, end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pgcluster.h"
#include "trainer/run/run.h"
#include "trainer/run/sweep.h"

enum { RESULT_BYTES = 256 << 10, CANCELLED_STATUS = 130 };

const struct run_engine run_engines[] = {
    { "local", "worker processes on this machine" },
    { "spark", "worker processes on a Spark cluster (settings spark.…)" },
    { "pipe", "passes are run by the program that has started this one: Spark's driver does" },
    { 0 }
};

static const char *param(const struct run_context *context, const char *name)
{
    const struct job_params *p = &context->run->params;
    return job_param_find(p->type, str_of(name)) ? job_params_get(p, name) : NULL;
}

int64_t run_whole(const struct run_context *context, const char *name)
{
    return job_params_whole(&context->run->params, name);
}

double run_real(const struct run_context *context, const char *name)
{
    return job_params_real(&context->run->params, name);
}

bool run_flag(const struct run_context *context, const char *name)
{
    return job_params_boolean(&context->run->params, name);
}

/* ---- which job, which engine, which params ---- */

static bool find_job(struct run *run, struct str name, struct err *err)
{
    for (size_t i = 0; jobs[i]; i++)
        if (str_eq_c(name, jobs[i]->name))
            run->job = jobs[i];
    return run->job || err_set(err, ERR_INVALID, "job \"" STR_FMT "\" is not known; \"trainer jobs\" lists them",
                               STR_ARG(str_cut(name, 60)));
}

static bool find_engine(struct run *run, const char *name, struct err *err)
{
    for (size_t i = 0; run_engines[i].name; i++)
        if (strcmp(run_engines[i].name, name) == 0)
            run->engine = &run_engines[i];
    return run->engine ||
           err_set(err, ERR_INVALID, "engine \"%s\" is not offered; \"trainer run --help\" lists them", name);
}

static void set_workers(struct run *run)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (run->row.workers == 0)
        run->row.workers = cores > 0 ? (uint32_t)cores : 1;
}

/* A run of this shell's own: checked before anything is written. */
static bool describe(struct run *run, const char *job, struct err *err)
{
    const struct run_settings *s = run->settings;
    AUTO(buf_release) struct buf json;
    buf_init(&json, JOB_PARAMS_BYTES);
    if (!find_job(run, str_of(job), err) || !find_engine(run, s->engine, err))
        return false;
    const struct job_type *type = job_type_find(str_of(job));
    if (!job_params_of_text(type, s->params, s->params_count, &json, err))
        return false;
    run->row.job = str_of(run->job->name);
    run->row.params = arena_str(&run->arena, buf_str(&json));
    run->row.engine = s->engine;
    run->row.workers = s->workers;
    run->row.timeout_us = s->timeout_us;
    set_workers(run);
    return job_params_read(type, run->row.params, &run->arena, &run->params, err);
}

/* What the row says was checked by whoever made it; the types of this program may be others. */
static bool describe_adopted(struct run *run, struct err *err)
{
    const struct job_type *type = job_type_find(run->row.job);
    if (!find_job(run, run->row.job, err) ||
        !find_engine(run, strcmp(run->settings->engine, "pipe") == 0 ? "pipe" : run->row.engine, err))
        return false;
    set_workers(run);
    return job_params_read(type, run->row.params, &run->arena, &run->params, err);
}

static bool take_row(struct run *run, struct err *err)
{
    const struct run_settings *s = run->settings;
    run->resume = *s->run;
    if (!*s->run)
        return row_lose_others(run->context.pg, s->lost_after_us, err) && row_insert(run->context.pg, &run->row, err);
    return row_adopt(run->context.pg, s->run, (int)s->epoch, s->lost_after_us, &run->arena, &run->row, err) &&
           describe_adopted(run, err);
}

/* ---- files ---- */

static bool make_spool(struct run *run, struct err *err)
{
    const struct run_settings *s = run->settings;
    AUTO(mem_free)
    char *base = *s->spool_dir  ? mem_strdup(s->spool_dir)
                 : *s->data_dir ? mem_printf("%s/spool", s->data_dir)
                                : mem_strdup("/tmp/experimentd-spool");
    if (mkdir(base, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make spool directory \"%s\"", base);
    run->spool = mem_printf("%s/%s", base, run->row.id);
    return sweep_spool(run->context.pg, base, err);
}

static void set_archive(struct run *run)
{
    const struct run_settings *s = run->settings;
    if (*s->archive_dir)
        run->archive = mem_strdup(s->archive_dir);
    else if (*s->data_dir)
        run->archive = mem_printf("%s/archive", s->data_dir);
    run->context.archive_dir = run->archive;
    run->context.archive_after_days = s->archive_after_days;
    run->context.retention = s->retention;
    run->context.search_secrets = s->search_secrets;
    run->context.search_ca = s->search_ca;
}

/* ---- opening ---- */

static void know_pass(void *arg, struct str name, double seconds)
{
    progress_know(arg, name, seconds);
}

static void keep_log_line(void *arg, const char *line)
{
    lines_add(arg, "log", str_of(line), clock_now_us());
}

static bool open_run(struct run *run, struct err *err)
{
    run->url = run_settings_connect(run->settings, &run->cluster, err);
    run->context.pg = run->url ? row_connect(run->url, err) : NULL;
    run->context.database_url = run->url;
    if (!run->context.pg || !take_row(run, err))
        return false;
    run->context.epoch = run->row.epoch;
    run->context.type = run->params.type;
    run->context.engine_name = run->row.engine;
    memcpy(run->context.id, run->row.id, sizeof run->context.id);
    run->lines = lines_new(run->row.log_lines);
    log_set_listener(keep_log_line, run->lines);
    struct beat_options options = { .url = run->url, .row = &run->row, .lines = run->lines };
    run->beat = beat_start(&options, err);
    set_archive(run);
    return run->beat && make_spool(run, err) &&
           row_last_passes(run->context.pg, &run->row, know_pass, &run->progress, err);
}

static void on_log(void *arg, int worker, struct str line)
{
    struct run *run = arg;
    char source[24];
    (void)snprintf(source, sizeof source, "worker %d", worker);
    run_end_bar(run);
    (void)fprintf(stderr, STR_FMT "\n", STR_ARG(line));
    lines_add(run->lines, source, line, clock_now_us());
}

static void on_app(void *arg, const char *app_id, const char *ui_url)
{
    struct run *run = arg;
    struct err err;
    AUTO(mem_free) char *link = spark_ui_url(&run->settings->spark, app_id, ui_url, false);
    if (!row_set_app(run->context.pg, &run->row, app_id, link, &err))
        log_warn("app_not_stored", LOG_ERR, LOG_ERR_ARG(&err));
}

static bool open_engine(struct run *run, struct err *err)
{
    struct engine_options options = {
        .kind = run->engine->name,
        .worker_path = run->settings->spark.worker_path,
        .on_app = on_app,
        .run = run->row.id,
        .epoch = run->row.epoch,
        .resume = run->resume,
        .memory_mb = run->settings->memory_mb,
        .deadline_us = run->settings->deadline_us,
        .on_log = on_log,
        .database_url = run->url,
        .spool_dir = run->spool,
        .workers = run->row.workers,
        .max_attempts = run->settings->max_attempts,
        .stall_us = run->settings->stall_us,
        .on_progress = run_on_progress,
        .arg = run,
    };
    run->context.engine = engine_open(&options, err);
    return run->context.engine != NULL;
}

/* ---- attempts ---- */

/* Whether the attempt failed because its connections died: then ours has, too, or had to be opened again. */
static bool goes_on(struct run *run)
{
    struct err ignored;
    pg_rollback(run->context.pg);
    return beat_asks(run->beat) == BEAT_GO_ON && (run->reopened || !pg_exec(run->context.pg, "select 1", &ignored));
}

/* *out_again: it failed, and is to be made once more. */
static bool attempt(struct run *run, bool *out_again, struct err *err)
{
    run->reopened = run->phase = false;
    run->context.passes = run->rows_of_passes = 0;
    run->context.rows_in = run->context.retries = 0;
    buf_clear(&run->result);
    progress_restart(&run->progress);
    bool ok = open_engine(run, err) && run->job->run(&run->context, err);
    *out_again = !ok && goes_on(run);
    if (run->context.engine && (*out_again || beat_asks(run->beat) == BEAT_FENCED))
        engine_keep(run->context.engine);
    engine_close(run->context.engine);
    run->context.engine = NULL;
    run->resume = true;
    return ok;
}

/* The commit may have been done, and its answer lost. */
static bool published_after_all(struct run *run)
{
    struct err ignored;
    bool done = false;
    return row_succeeded(run->context.pg, &run->row, &done, &ignored) && done;
}

static bool run_attempts(struct run *run, struct err *err)
{
    bool again;
    while (!attempt(run, &again, err)) {
        if (!again)
            return false;
        run_say(&run->context, "the database was away (%s): waiting for it", err->text);
        if (!run_await_database(run, err))
            return false;
        if (published_after_all(run))
            return true;
        if (!row_restart(run->context.pg, &run->row, err))
            return false;
        run_say(&run->context, "the database is back: once more from the beginning");
    }
    return true;
}

/* ---- the end ---- */

static const char *state_of(const struct run *run)
{
    const char *asked = run->beat ? beat_state(beat_asks(run->beat)) : NULL;
    return asked ? asked : run->too_little ? "skipped" : "failed";
}

/* Whatever failed in a run that was asked to end, that is why. */
static void explain(const struct run *run, struct err *err)
{
    struct err asked;
    if (run->beat && !beat_may_go_on(run->beat, &asked))
        *err = asked;
}

static void say_end(struct run *run, bool ok, const struct err *err)
{
    if (ok)
        run_say(&run->context, "%s: %llu rows in %.2f s, %u workers, %llu retries", run->job->name,
                (unsigned long long)run->context.rows_in, (double)(clock_mono_us() - run->started_us) / 1e6,
                run->row.workers, (unsigned long long)run->context.retries);
    else
        run_say(&run->context, "trainer: %s", err->text);
}

static void close_row(struct run *run, const struct err *why)
{
    struct err err;
    struct row_end end = run_end_of(run, state_of(run), why->text);
    pg_rollback(run->context.pg);
    if (!pg_is_alive(run->context.pg) && !pg_reopen(run->context.pg, &err))
        log_warn("run_row_not_ended", LOG_ERR, LOG_ERR_ARG(&err));
    else if (!row_end(run->context.pg, &run->row, &end, &err) && err.kind != ERR_CONFLICT)
        log_warn("run_row_not_ended", LOG_ERR, LOG_ERR_ARG(&err));
}

static int status_of(const struct run *run, const struct err *err)
{
    if (run->beat && beat_asks(run->beat) == BEAT_CANCELLED)
        return CANCELLED_STATUS;
    if (err->kind == ERR_INVALID || err->kind == ERR_NOT_FOUND)
        return run->row.id[0] ? EX_DATAERR : EX_USAGE;
    return EXIT_FAILURE;
}

static int finish(struct run *run, bool ok, struct err *err)
{
    struct err ignored;
    bool made = run->row.id[0] && run->row.epoch;
    run_end_bar(run);
    if (!ok)
        explain(run, err);
    say_end(run, ok, err);
    int status = ok ? EXIT_SUCCESS : status_of(run, err);
    if (!ok && made)
        close_row(run, err);
    beat_stop(run->beat);
    if (made && run->lines && !lines_store(run->lines, run->context.pg, &run->row, &ignored))
        log_warn("run_log_not_stored", LOG_ERR, LOG_ERR_ARG(&ignored));
    return status;
}

static void release(struct run *run)
{
    log_set_listener(NULL, NULL);
    lines_free(run->lines);
    pg_close(run->context.pg);
    if (run->cluster)
        pgcluster_stop(run->cluster);
    mem_free(run->url);
    mem_free(run->spool);
    mem_free(run->archive);
    buf_release(&run->result);
    arena_release(&run->arena);
}

bool run_insert(const struct run_settings *settings, const char *job, struct pg *pg, struct row *row, struct err *err)
{
    struct run run = { .settings = settings };
    arena_init(&run.arena, 4096);
    bool ok = describe(&run, job, err) && row_insert(pg, &run.row, err);
    *row = run.row;
    row->job = str_of(ok ? run.job->name : "");
    row->params = STR("");
    arena_release(&run.arena);
    return ok;
}

int coordinate(const struct run_settings *settings, const char *job)
{
    struct run run = { .settings = settings,
                       .context.param = param,
                       .terminal = isatty(STDERR_FILENO),
                       .started_us = clock_mono_us(),
                       .news.pass = -1 };
    struct err err = { 0 };
    run.context.run = &run;
    run.line_us = run.started_us;
    arena_init(&run.arena, 4096);
    buf_init(&run.result, RESULT_BYTES);
    progress_init(&run.progress);
    bool ok = (*settings->run || describe(&run, job, &err)) && open_run(&run, &err) && run_attempts(&run, &err);
    int status = finish(&run, ok, &err);
    release(&run);
    return status;
}
