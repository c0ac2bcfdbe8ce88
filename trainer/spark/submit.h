/* submit.h - a run on Spark: starts spark-submit with our driver, waits for it, ends it.
 *
 *   trainer run --engine spark          this: makes the bundle, starts spark-submit, waits
 *     spark-submit (JVM) driver.py      turns passes into Spark jobs
 *       trainer run --engine pipe       the coordinator: job, merge, publication (engine/spark.c)
 *
 * Secrets go by the environment (client mode) or by a file (cluster mode), never by an argument or --conf, which Spark's page shows. */
#pragma once
#include "base/buf.h"
#include "base/settings.h"

struct spark_settings {
    char *submit, *master, *deploy_mode, *conf, *python, *worker_path, *ui_url_template, *history_url;
};

/* Rows of a settings table; `at` is the offset of a struct spark_settings. */
#define SPARK_SETTING(name, at, field, fallback, argument, help)                                                    \
    {                                                                                                               \
        "spark." name, SETTING_TEXT, (at) + offsetof(struct spark_settings, field), fallback, false, argument, help \
    }
#define SPARK_SETTING_ROWS(at)                                                                              \
    SPARK_SETTING("submit", at, submit, "spark-submit", "FILE", "engine spark: the program that submits"),  \
        SPARK_SETTING("master", at, master, NULL, "URL", "engine spark: spark://HOST:7077, yarn, k8s://…"), \
        SPARK_SETTING("deploy_mode", at, deploy_mode, "client", "MODE", "engine spark: client or cluster"), \
        SPARK_SETTING("conf", at, conf, NULL, "'K=V …'",                                                    \
                      "engine spark: Spark's settings, with blanks between; they win over ours"),           \
        SPARK_SETTING("python", at, python, NULL, "FILE",                                                   \
                      "engine spark: Python of driver and executors; default: Spark's"),                    \
        SPARK_SETTING("worker_path", at, worker_path, NULL, "FILE",                                         \
                      "engine spark: the trainer program on the hosts; default: it is sent along"),         \
        SPARK_SETTING("ui_url_template", at, ui_url_template, NULL, "URL",                                  \
                      "engine spark: link to Spark's page, with {app_id}; default: what Spark says"),       \
        SPARK_SETTING("history_url", at, history_url, NULL, "URL",                                          \
                      "engine spark: Spark's history server, for runs that have ended")

struct spark_run {
    const char *id, *job;
    const char *dir; /* for the bundle and the log of Spark; made if it is not there */
    const char *database_url;
    const char *const *arguments; /* of the coordinator, ended by NULL; the program is this one */
    uint32_t max_attempts, memory_mb;
    uint32_t workers; /* cores of the cluster to be used at once; 0: as many as it gives */
    /* SIGINT or SIGTERM came: asks the coordinator to end, by the run's row. */
    void (*on_stop)(void *arg);
    void *arg;
};

/* What is wrong with the settings, or true. */
bool spark_settings_check(const struct spark_settings *s, const char *database_url, struct err *err) MUSTCHECK;
/* The arguments of spark-submit, as an array ended by NULL, in `words` (which the caller frees with spark_words_free). */
struct spark_words {
    char **at;
    size_t count, room;
};
void spark_words_make(const struct spark_settings *s, const struct spark_run *run, const char *folder,
                      const char *archive, struct spark_words *out);
void spark_words_free(struct spark_words *w);

/* Submits and waits. *out_status: of waitpid. What Spark says of itself goes to DIR/log/ID.log, whose end is in `err` when it fails to
 * start; what the coordinator says to stderr. */
bool spark_submit(const struct spark_settings *s, const struct spark_run *run, int *out_status,
                  struct err *err) MUSTCHECK;

/* The link to Spark's page of an application: out of the template, or what Spark says. The caller frees; NULL: there is none. */
char *spark_ui_url(const struct spark_settings *s, const char *app_id, const char *said, bool ended);
