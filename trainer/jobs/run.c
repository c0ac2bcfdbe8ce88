/* One run: its row in `runs`, the engine, the progress bar, publication's fence. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/migrate.h"
#include "base/pgcluster.h"
#include "base/settings.h"
#include "trainer/jobs/job.h"

enum { HEARTBEAT_US = 2000000, LINE_US = 2000000, PARAMS_MAX = 64, JSON_MAX = 64 << 10 };

struct run_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir, *engine, *spool_dir, *log_level, *archive_dir, *retention;
    uint32_t workers, max_attempts, archive_after_days;
    int64_t stall_us;
};

#define AT(field) offsetof(struct run_settings, field)

static const struct setting run_table[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR", "the server's data directory" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL, when it is not the private one of DIR" },
    { "engine", SETTING_TEXT, AT(engine), "local", false, "ENGINE", "local: worker processes on this machine" },
    { "workers", SETTING_U32, AT(workers), "0", false, "N", "worker processes; 0 is one per core" },
    { "max_attempts", SETTING_U32, AT(max_attempts), "4", false, "N", "tries of one split before the run fails" },
    { "stall", SETTING_SECONDS, AT(stall_us), "60", false, "SECONDS",
      "a worker that says nothing for so long is killed" },
    { "spool_dir", SETTING_TEXT, AT(spool_dir), NULL, false, "DIR",
      "files between passes; default DIR/spool, else /tmp" },
    { "archive.dir", SETTING_TEXT, AT(archive_dir), NULL, false, "DIR",
      "where rows of sealed days lie; default DATA_DIR/archive" },
    { "archive.after_days", SETTING_U32, AT(archive_after_days), "0", false, "DAYS",
      "job seal: days older than so many become archive files; 0: none does" },
    { "retention.signals", SETTING_TEXT, AT(retention), NULL, false, "RULES",
      "job retention: days to keep, by type: default=400,impression=90" },
    { "log.level", SETTING_TEXT, AT(log_level), "warn", false, "LEVEL", "debug, info, warn or error" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER",
      "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
};

enum stmt { RUN_INSERT, RUN_BEAT, RUN_END, RUN_LOCK, RUN_SUCCESS, PASS_INSERT, PASS_END, RUNS_LOST, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [RUN_INSERT] = { "run_insert", 5,
                     "insert into runs (id, job, params, engine, workers, state) values ($1::uuid, $2, $3::jsonb, $4, "
                     "$5::int, 'running')" },
    [RUN_BEAT] = { "run_beat", 5,
                   "update runs set heartbeat_at = now(), progress = $3::real, rows_in = $4::bigint, retries = $5::int "
                   "where id = $1::uuid and epoch = $2::int and state = 'running' returning id" },
    [RUN_END] = { "run_end", 4,
                  "update runs set state = $3, error = $4, finished_at = now() where id = $1::uuid and epoch = $2::int "
                  "and state in ('running', 'publishing')" },
    [RUN_LOCK] = { "run_lock", 2,
                   "select id from runs where id = $1::uuid and epoch = $2::int and state = 'running' for update" },
    [RUN_SUCCESS] = { "run_success", 4,
                      "update runs set state = 'success', progress = 1, rows_in = $3::bigint, retries = $4::int, "
                      "finished_at = clock_timestamp() "
                      "where id = $1::uuid and epoch = $2::int" },
    [PASS_INSERT] = { "pass_insert", 4,
                      "insert into run_passes (run, pass, name, splits) values ($1::uuid, $2::smallint, $3, $4::int)" },
    [PASS_END] = { "pass_end", 5,
                   "update run_passes set attempts = $3::int, rows_in = $4::bigint, seconds = $5::float8 "
                   "where run = $1::uuid and pass = $2::smallint" },
    /* A coordinator that was killed leaves its row behind; nobody beats for it any more. */
    [RUNS_LOST] = { "runs_lost", 0,
                    "update runs set state = 'lost', epoch = epoch + 1, finished_at = now(), error = 'the coordinator "
                    "ended without a word' "
                    "where state = 'running' and heartbeat_at < now() - interval '60 seconds'" },
};

struct run {
    struct run_context context; /* first */
    struct run_settings settings;
    const struct job *job;
    char *params[PARAMS_MAX]; /* "k=v" */
    size_t params_count;
    struct pgcluster *cluster;
    char *spool, *archive;
    bool terminal, fenced;
    int64_t beat_us, line_us, started_us;
};

static const char *param(const struct run_context *context, const char *name)
{
    const struct run *run = (const struct run *)(const void *)context;
    size_t n = strlen(name);
    for (size_t i = 0; i < run->params_count; i++)
        if (strncmp(run->params[i], name, n) == 0 && run->params[i][n] == '=')
            return run->params[i] + n + 1;
    return NULL;
}

/* ---- the run's row ---- */

static bool execute(struct run *run, enum stmt stmt, const char *const *params, bool wants_row, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(run->context.pg, &statements[stmt], params, err);
    if (r && wants_row && PQntuples(r) == 0)
        return err_set(err, ERR_CONFLICT, "run %s belongs to another coordinator now, or was ended", run->context.id);
    return r != NULL;
}

static bool insert_run(struct run *run, struct err *err)
{
    unsigned char id[16];
    char workers[16];
    struct buf json;
    uuid_v7(id, clock_now_us());
    uuid_format(id, run->context.id);
    run->context.epoch = 1;
    (void)snprintf(workers, sizeof workers, "%u", run->settings.workers);
    buf_init(&json, JSON_MAX);
    for (size_t i = 0; i < run->params_count; i++) {
        struct str value = str_of(run->params[i]), key;
        (void)str_split(&value, '=', &key);
        buf_add_byte(&json, i ? ',' : '{');
        buf_add_json_str(&json, key);
        buf_add_byte(&json, ':');
        buf_add_json_str(&json, value);
    }
    buf_add_c(&json, run->params_count ? "}" : "{}");
    const char *params[] = { run->context.id, run->job->name, json.p, run->settings.engine, workers };
    bool ok = execute(run, RUNS_LOST, NULL, false, err) && execute(run, RUN_INSERT, params, false, err);
    buf_release(&json);
    return ok;
}

static bool beat(struct run *run, double progress, uint64_t rows, uint32_t retries)
{
    char epoch[16], done[32], rows_text[24], retries_text[16];
    struct err err;
    (void)snprintf(epoch, sizeof epoch, "%d", run->context.epoch);
    (void)snprintf(done, sizeof done, "%.4f", progress);
    (void)snprintf(rows_text, sizeof rows_text, "%llu", (unsigned long long)run->context.rows_in + rows);
    (void)snprintf(retries_text, sizeof retries_text, "%llu", (unsigned long long)run->context.retries + retries);
    const char *params[] = { run->context.id, epoch, done, rows_text, retries_text };
    if (execute(run, RUN_BEAT, params, true, &err) || err.kind != ERR_CONFLICT)
        return true; /* a database that is away for a moment ends nothing */
    run->fenced = true;
    return false;
}

static void end_run(struct run *run, const char *state, const char *text)
{
    char epoch[16];
    struct err err;
    (void)snprintf(epoch, sizeof epoch, "%d", run->context.epoch);
    const char *params[] = { run->context.id, epoch, state, text };
    if (run->context.id[0] && !execute(run, RUN_END, params, false, &err))
        log_warn("run_row_not_ended", LOG_ERR, LOG_ERR_ARG(&err));
}

bool run_publish_begin(struct run_context *context, struct err *err)
{
    struct run *run = (struct run *)(void *)context;
    char epoch[16];
    (void)snprintf(epoch, sizeof epoch, "%d", context->epoch);
    const char *params[] = { context->id, epoch };
    return pg_begin(context->pg, err) && execute(run, RUN_LOCK, params, true, err);
}

bool run_publish_end(struct run_context *context, struct err *err)
{
    struct run *run = (struct run *)(void *)context;
    char epoch[16], rows[24], retries[24];
    (void)snprintf(epoch, sizeof epoch, "%d", context->epoch);
    (void)snprintf(rows, sizeof rows, "%llu", (unsigned long long)context->rows_in);
    (void)snprintf(retries, sizeof retries, "%llu", (unsigned long long)context->retries);
    const char *params[] = { context->id, epoch, rows, retries };
    return execute(run, RUN_SUCCESS, params, false, err) && pg_commit(context->pg, err);
}

bool run_pass(struct run_context *context, const struct engine_pass *pass, struct engine_result *out, struct err *err)
{
    struct run *run = (struct run *)(void *)context;
    char number[16], splits[16], attempts[16], rows[24], seconds[32];
    (void)snprintf(number, sizeof number, "%d", context->passes++);
    (void)snprintf(splits, sizeof splits, "%u", pass->splits_count);
    const char *begin[] = { context->id, number, pass->name, splits };
    if (!execute(run, PASS_INSERT, begin, false, err) || !engine_run(context->engine, pass, out, err))
        return false;
    context->rows_in += pass->input_pass < 0 ? out->counters.rows_in : 0; /* what a later pass reads is no new row */
    context->retries += out->counters.retries;
    (void)snprintf(attempts, sizeof attempts, "%u", out->counters.attempts);
    (void)snprintf(rows, sizeof rows, "%llu", (unsigned long long)out->counters.rows_in);
    (void)snprintf(seconds, sizeof seconds, "%.6f", out->counters.seconds);
    const char *end[] = { context->id, number, attempts, rows, seconds };
    if (execute(run, PASS_END, end, false, err))
        return true;
    engine_result_release(out);
    return false;
}

/* ---- progress ---- */

static void draw(struct run *run, const char *pass, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries,
                 bool last)
{
    char bar[31];
    double share = total ? (double)done / total : 1;
    for (int i = 0; i < 30; i++)
        bar[i] = i < (int)(share * 30) ? '#' : '.';
    bar[30] = '\0';
    (void)fprintf(stderr, "%s%-16s [%s] %3.0f %%  %u of %u splits  %llu rows  %u workers  %u retries  %.1f s%s",
                  run->terminal ? "\r" : "", pass, bar, share * 100, done, total, (unsigned long long)rows,
                  run->settings.workers, retries, (double)(clock_mono_us() - run->started_us) / 1e6,
                  run->terminal && !last ? "" : "\n");
}

static bool on_progress(void *arg, const char *pass, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries)
{
    struct run *run = arg;
    int64_t now = clock_mono_us();
    if (run->terminal || now - run->line_us > LINE_US) {
        run->line_us = now;
        draw(run, pass, done, total, rows, retries, false);
    }
    if (now - run->beat_us < HEARTBEAT_US)
        return true;
    run->beat_us = now;
    return beat(run, total ? (double)done / total : 0, rows, retries);
}

bool run_tick(struct run_context *context, const char *what, uint32_t done, uint32_t total, struct err *err)
{
    struct run *run = (struct run *)(void *)context;
    return on_progress(run, what, done, total, context->rows_in, 0) ||
           err_set(err, ERR_CONFLICT, "run %s belongs to another coordinator now, or was ended", context->id);
}

/* ---- starting and ending ---- */

static bool make_dirs(struct run *run, struct err *err)
{
    AUTO(mem_free)
    char *base = *run->settings.spool_dir  ? mem_strdup(run->settings.spool_dir)
                 : *run->settings.data_dir ? mem_printf("%s/spool", run->settings.data_dir)
                                           : mem_strdup("/tmp/experimentd-spool");
    if (mkdir(base, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make spool directory \"%s\"", base);
    run->spool = mem_printf("%s/%s", base, run->context.id);
    return true;
}

static void set_archive(struct run *run)
{
    if (*run->settings.archive_dir)
        run->archive = mem_strdup(run->settings.archive_dir);
    else if (*run->settings.data_dir)
        run->archive = mem_printf("%s/archive", run->settings.data_dir);
    run->context.archive_dir = run->archive;
    run->context.archive_after_days = run->settings.archive_after_days;
    run->context.retention = run->settings.retention;
}

static bool open_run(struct run *run, struct err *err)
{
    struct pgcluster_options options = { .data_dir = run->settings.data_dir,
                                         .pg_user = run->settings.pg_user,
                                         .bin_dir = *run->settings.pg_bin_dir ? run->settings.pg_bin_dir : NULL,
                                         .shared_buffers_mb = 256 };
    const char *given = *run->settings.database_url ? run->settings.database_url : NULL;
    if (!given && !*run->settings.data_dir)
        return err_set(err, ERR_INVALID, "give --data-dir DIR or --database-url URL");
    if (strcmp(run->settings.engine, "local") != 0)
        return err_set(err, ERR_INVALID, "engine \"%s\" is not offered; there is \"local\"", run->settings.engine);
    run->context.database_url = pgcluster_connect(&options, given, &run->cluster, err);
    if (!run->context.database_url)
        return false;
    struct pg *first = pg_open(run->context.database_url, "trainer", NULL, 0, err);
    bool ok = first && migrate_check(first, migrations, err);
    pg_close(first);
    run->context.pg = ok ? pg_open(run->context.database_url, "trainer", statements, STMT_COUNT, err) : NULL;
    set_archive(run);
    if (!run->context.pg || !insert_run(run, err) || !make_dirs(run, err))
        return false;
    struct engine_options engine = {
        .run = run->context.id,
        .epoch = run->context.epoch,
        .database_url = run->context.database_url,
        .spool_dir = run->spool,
        .workers = run->settings.workers,
        .max_attempts = run->settings.max_attempts,
        .stall_us = run->settings.stall_us,
        .on_progress = on_progress,
        .arg = run,
    };
    run->context.engine = engine_open(&engine, err);
    return run->context.engine != NULL;
}

static void close_run(struct run *run)
{
    engine_close(run->context.engine);
    pg_close(run->context.pg);
    if (run->cluster)
        pgcluster_stop(run->cluster);
    mem_free((char *)(uintptr_t)run->context.database_url);
    mem_free(run->spool);
    mem_free(run->archive);
    settings_release(run_table, COUNT_OF(run_table), &run->settings);
}

static void print_help(void)
{
    (void)puts("usage: trainer run JOB --data-dir DIR | --database-url URL [--param k=v]... [settings]\n\nJobs:");
    (void)jobs_main(0, NULL);
    (void)puts("\nSettings:");
    settings_print_help(run_table, COUNT_OF(run_table), stdout);
    (void)puts(
        "\nexample:\n  trainer run metrics --data-dir /var/lib/experimentd --workers 2 --param experiment=ranker-q4\n\n"
        "exit status: 0 success, 1 failed, 64 usage, 65 bad data, 130 cancelled");
}

/* Takes --param k=v (and --param=k=v) out of argv; the rest is for the settings table. */
static bool take_params(struct run *run, int *argc, char **argv, struct err *err)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        char *value = strncmp(argv[i], "--param=", 8) == 0               ? argv[i] + 8
                      : strcmp(argv[i], "--param") == 0 && i + 1 < *argc ? argv[++i]
                                                                         : NULL;
        if (!value) {
            argv[kept++] = argv[i];
            continue;
        }
        if (!strchr(value, '=') || run->params_count == PARAMS_MAX)
            return err_set(err, ERR_INVALID, "--param \"%s\" is not KEY=VALUE", value);
        run->params[run->params_count++] = value;
    }
    *argc = kept;
    return true;
}

static bool read_arguments(struct run *run, int argc, char **argv, struct err *err)
{
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    size_t count = 0;
    enum log_level level;
    bool ok = take_params(run, &argc, argv, err) &&
              settings_load(run_table, COUNT_OF(run_table), &run->settings, argc, argv, 0, rest, &count, err);
    if (ok && count != 1)
        ok = err_set(err, ERR_INVALID, "give one job: trainer run JOB --data-dir DIR");
    for (size_t i = 0; ok && jobs[i]; i++)
        if (strcmp(jobs[i]->name, rest[0]) == 0)
            run->job = jobs[i];
    if (ok && !run->job)
        ok = err_set(err, ERR_INVALID, "job \"%s\" is not known; \"trainer jobs\" lists them", rest[0]);
    if (ok && !log_parse_level(run->settings.log_level, &level))
        ok = err_set(err, ERR_INVALID, "setting \"log.level\" is \"%s\", not debug, info, warn or error",
                     run->settings.log_level);
    if (ok)
        log_set_level(level);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (run->settings.workers == 0)
        run->settings.workers = cores > 0 ? (uint32_t)cores : 1;
    mem_free(rest);
    return ok;
}

static int finish(struct run *run, bool ok, struct err *err)
{
    if (ok) {
        (void)fprintf(stderr, "%s: %llu rows in %.2f s, %u workers, %llu retries\n", run->job->name,
                      (unsigned long long)run->context.rows_in, (double)(clock_mono_us() - run->started_us) / 1e6,
                      run->settings.workers, (unsigned long long)run->context.retries);
        return EXIT_SUCCESS;
    }
    bool cancelled = err->kind == ERR_CONFLICT && !run->fenced && strcmp(err->text, "cancelled") == 0;
    if (run->context.pg) {
        pg_rollback(run->context.pg);
        end_run(run, cancelled ? "cancelled" : "failed", err->text);
    }
    (void)fprintf(stderr, "trainer: %s\n", run->fenced ? "another coordinator has this run" : err->text);
    return cancelled ? 130 : err->kind == ERR_INVALID ? (run->context.id[0] ? EX_DATAERR : EX_USAGE) : EXIT_FAILURE;
}

int run_main(int argc, char **argv)
{
    struct run run = { .context.param = param, .terminal = isatty(STDERR_FILENO), .started_us = clock_mono_us() };
    struct err err = { 0 };
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        print_help();
        return argc ? EXIT_SUCCESS : EX_USAGE;
    }
    run.line_us = run.beat_us = clock_mono_us();
    bool ok = read_arguments(&run, argc, argv, &err) && open_run(&run, &err) && run.job->run(&run.context, &err);
    if (run.terminal && run.context.engine)
        (void)fputc('\n', stderr);
    int code = finish(&run, ok, &err);
    close_run(&run);
    return code;
}
