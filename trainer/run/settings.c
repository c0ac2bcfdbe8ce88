#include "trainer/run/settings.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"

#define AT(field) offsetof(struct run_settings, field)

const struct setting run_settings_table[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR", "the server's data directory" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL, when it is not the private one of DIR" },
    { "run", SETTING_TEXT, AT(run), NULL, false, "ID",
      "take this run, which is queued or lost, instead of making one" },
    { "epoch", SETTING_U32, AT(epoch), "0", false, "N",
      "with --run: its present holder, of epoch N, hands it over; 0: there is none" },
    { "engine", SETTING_TEXT, AT(engine), "local", false, "ENGINE",
      "local: worker processes on this machine; spark: on a Spark cluster" },
    { "workers", SETTING_U32, AT(workers), "0", false, "N", "worker processes; 0 is one per core" },
    { "memory_mb", SETTING_U32, AT(memory_mb), "1024", false, "MB", "memory of one worker" },
    { "max_attempts", SETTING_U32, AT(max_attempts), "4", false, "N", "tries of one split before the run fails" },
    { "stall", SETTING_SECONDS, AT(stall_us), "60", false, "SECONDS",
      "a worker that says nothing for so long is killed" },
    { "deadline", SETTING_SECONDS, AT(deadline_us), "0", false, "SECONDS",
      "a run fails whose pass takes longer; 0: none does" },
    { "timeout", SETTING_SECONDS, AT(timeout_us), "0", false, "SECONDS",
      "the whole run may take so long; 0: for ever" },
    { "lost_after", SETTING_SECONDS, AT(lost_after_us), "60", false, "SECONDS",
      "a run whose heart has not beaten for so long is lost" },
    { "database_patience", SETTING_SECONDS, AT(patience_us), "600", false, "SECONDS",
      "wait so long for a database that went away in mid-run" },
    { "spool_dir", SETTING_TEXT, AT(spool_dir), NULL, false, "DIR",
      "files between passes; default DIR/spool, else /tmp" },
    { "archive.dir", SETTING_TEXT, AT(archive_dir), NULL, false, "DIR",
      "where rows of sealed days lie; default DATA_DIR/archive" },
    { "archive.after_days", SETTING_U32, AT(archive_after_days), "0", false, "DAYS",
      "job seal: days older than so many become archive files; 0: none does" },
    { "retention.signals", SETTING_TEXT, AT(retention), NULL, false, "RULES",
      "job retention: days to keep, by type: default=400,impression=90" },
    { "search.secrets", SETTING_TEXT, AT(search_secrets), NULL, false, "FILE",
      "job ranking-metrics: headers of search engines, a line each: NAME HEADER: VALUE; not readable by others" },
    { "search.ca_file", SETTING_TEXT, AT(search_ca), NULL, false, "FILE",
      "job ranking-metrics: certificates (PEM) that search engines are checked by; default: the host's" },
    { "log.level", SETTING_TEXT, AT(log_level), "warn", false, "LEVEL", "debug, info, warn or error" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER",
      "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
    SPARK_SETTING_ROWS(AT(spark)),
};
const size_t run_settings_count = COUNT_OF(run_settings_table);

/* Takes --param k=v (and --param=k=v) out of argv; the rest is for the settings table. */
static bool take_params(int *argc, char **argv, const char **params, size_t *count, struct err *err)
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
        if (*count == RUN_PARAMS_MAX)
            return err_set(err, ERR_INVALID, "more than %d times --param", RUN_PARAMS_MAX);
        params[(*count)++] = value;
    }
    *argc = kept;
    return true;
}

bool run_settings_load(struct run_settings *s, int argc, char **argv, const char **out_rest, size_t *out_rest_count,
                       struct err *err)
{
    const char *params[RUN_PARAMS_MAX];
    size_t params_count = 0;
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    enum log_level level;
    bool ok = take_params(&argc, argv, params, &params_count, err) &&
              settings_load(run_settings_table, run_settings_count, s, argc, argv, 0, rest, out_rest_count, err);
    for (size_t i = 0; ok && i < *out_rest_count; i++)
        out_rest[i] = rest[i];
    mem_free(rest);
    if (!ok)
        return false;
    memcpy(s->params, params, sizeof params);
    s->params_count = params_count;
    if (!log_parse_level(s->log_level, &level))
        return err_set(err, ERR_INVALID, "setting \"log.level\" is \"%s\", not debug, info, warn or error",
                       s->log_level);
    log_set_level(level);
    return true;
}

void run_settings_release(struct run_settings *s)
{
    settings_release(run_settings_table, run_settings_count, s);
}

char *run_settings_connect(const struct run_settings *s, struct pgcluster **out_cluster, struct err *err)
{
    struct pgcluster_options options = { .data_dir = s->data_dir,
                                         .pg_user = s->pg_user,
                                         .bin_dir = *s->pg_bin_dir ? s->pg_bin_dir : NULL,
                                         .shared_buffers_mb = 256 };
    const char *given = *s->database_url ? s->database_url : NULL;
    if (!given && !*s->data_dir) {
        err_set(err, ERR_INVALID, "give --data-dir DIR or --database-url URL");
        return NULL;
    }
    AUTO(mem_free) char *url = pgcluster_connect(&options, given, out_cluster, err);
    AUTO(pg_close) struct pg *first = url ? pg_open(url, "trainer", NULL, 0, err) : NULL;
    return first && migrate_check(first, migrations, err) ? TAKE(url) : NULL;
}
