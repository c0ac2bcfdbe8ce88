#include "trainer/spark/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "trainer/spark/bundle.h"

enum { STOP_US = 30000000, KILL_US = 5000000, OVERHEAD_MB = 512, EXECUTOR_CORES_MAX = 1024 };
#define SECRET_FILE "experimentd-database-url"

/* What spark-submit and what it starts see of our environment. */
static const char *const inherited[] = { "PATH",
                                         "HOME",
                                         "USER",
                                         "LANG",
                                         "LC_ALL",
                                         "TZ",
                                         "TMPDIR",
                                         "JAVA_HOME",
                                         "SPARK_HOME",
                                         "SPARK_CONF_DIR",
                                         "SPARK_LOCAL_IP",
                                         "SPARK_LOCAL_DIRS",
                                         "HADOOP_CONF_DIR",
                                         "YARN_CONF_DIR",
                                         "HADOOP_USER_NAME",
                                         "KUBECONFIG",
                                         "KRB5CCNAME",
                                         "PGPASSFILE",
                                         "PGSERVICEFILE",
                                         "PGSSLROOTCERT",
                                         "PGSSLCERT",
                                         "PGSSLKEY",
                                         "JAVA_TOOL_OPTIONS",
                                         "SPARK_SUBMIT_OPTS",
                                         "EXPERIMENTD_SEARCH_SECRETS",
                                         "EXPERIMENTD_SEARCH_CA_FILE" };

/* ---- settings ---- */

static bool is_cluster(const struct spark_settings *s)
{
    return strcmp(s->deploy_mode, "cluster") == 0;
}

bool spark_settings_check(const struct spark_settings *s, const char *database_url, struct err *err)
{
    struct str rest = str_of(s->conf), pair;
    if (!*s->master)
        return err_set(err, ERR_INVALID, "engine spark: give setting \"spark.master\", such as spark://HOST:7077");
    if (!is_cluster(s) && strcmp(s->deploy_mode, "client") != 0)
        return err_set(err, ERR_INVALID, "setting \"spark.deploy_mode\" is \"%s\", not client or cluster",
                       s->deploy_mode);
    if (strchr(s->python, '/') && s->python[0] != '/')
        return err_set(err, ERR_INVALID,
                       "setting \"spark.python\" is \"%s\": executors, which run elsewhere, need a whole path",
                       s->python);
    while (str_split(&rest, ' ', &pair))
        if (pair.n && (!memchr(pair.p, '=', pair.n) || !str_starts(pair, STR("spark."))))
            return err_set(err, ERR_INVALID, "setting \"spark.conf\": \"" STR_FMT "\" is not spark.KEY=VALUE",
                           STR_ARG(pair));
    if (strstr(database_url, "host=/") || (!strstr(database_url, "host") && !strstr(database_url, "://")))
        return err_set(err, ERR_INVALID,
                       "engine spark: workers on other hosts cannot reach a PostgreSQL that has only a Unix socket; "
                       "give --database-url with a host");
    return true;
}

char *spark_ui_url(const struct spark_settings *s, const char *app_id, const char *said, bool ended)
{
    if (ended && *s->history_url)
        return mem_printf("%s/history/%s/", s->history_url, app_id);
    const char *hole = strstr(s->ui_url_template, "{app_id}");
    if (hole)
        return mem_printf("%.*s%s%s", (int)(hole - s->ui_url_template), s->ui_url_template, app_id,
                          hole + strlen("{app_id}"));
    return *s->ui_url_template ? mem_strdup(s->ui_url_template) : said && *said ? mem_strdup(said) : NULL;
}

/* ---- the command ---- */

static void word(struct spark_words *w, char *text)
{
    if (w->count + 2 > w->room) {
        w->room = w->room ? 2 * w->room : 64;
        w->at = mem_realloc(w->at, w->room * sizeof *w->at);
    }
    w->at[w->count++] = text;
    w->at[w->count] = NULL;
}

static void words(struct spark_words *w, const char *first, const char *second)
{
    word(w, mem_strdup(first));
    word(w, mem_strdup(second));
}

void spark_words_free(struct spark_words *w)
{
    for (size_t i = 0; i < w->count; i++)
        mem_free(w->at[i]);
    mem_free(w->at);
    *w = (struct spark_words){ 0 };
}

static void conf(struct spark_words *w, const char *key, const char *value)
{
    word(w, mem_strdup("--conf"));
    word(w, mem_printf("%s=%s", key, value));
}

/* The value that the operator gave to a key of Spark's, or NULL; points into the setting. */
static struct str given(const struct spark_settings *s, const char *key)
{
    struct str rest = str_of(s->conf), pair, found = { 0 };
    size_t n = strlen(key);
    while (str_split(&rest, ' ', &pair))
        if (pair.n > n && memcmp(pair.p, key, n) == 0 && pair.p[n] == '=')
            found = (struct str){ pair.p + n + 1, pair.n - n - 1 };
    return found;
}

/* Memory of Python and of the workers is no JVM's: YARN and Kubernetes have to be told. After a loss a worker may have twice the memory. */
static void memory_conf(const struct spark_settings *s, const struct spark_run *run, struct spark_words *w)
{
    uint32_t cores = 1;
    struct str text = given(s, "spark.executor.cores");
    if (text.n && (!parse_u32(text, &cores, NULL) || cores > EXECUTOR_CORES_MAX))
        cores = 1;
    AUTO(mem_free) char *value = mem_printf("%um", cores * (run->memory_mb + OVERHEAD_MB / 2) + OVERHEAD_MB);
    conf(w, "spark.executor.memoryOverhead", value);
}

/* What we ask of Spark; docs/spark.md says why. */
static void our_conf(const struct spark_settings *s, const struct spark_run *run, struct spark_words *w)
{
    static const struct {
        const char *key, *value;
    } fixed[] = {
        { "spark.api.mode", "classic" },
        { "spark.speculation", "true" },
        { "spark.speculation.minTaskRuntime", "30s" },
        { "spark.task.reaper.enabled", "true" },
        { "spark.task.reaper.killTimeout", "120s" },
        { "spark.python.worker.reuse", "true" },
        { "spark.ui.showConsoleProgress", "false" },
    };
    AUTO(mem_free) char *attempts = mem_printf("%u", run->max_attempts);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        conf(w, fixed[i].key, fixed[i].value);
    conf(w, "spark.task.maxFailures", attempts);
    memory_conf(s, run, w);
    if (*s->python)
        conf(w, "spark.pyspark.python", s->python);
    if (run->workers) {
        AUTO(mem_free) char *cores = mem_printf("%u", run->workers);
        conf(w, "spark.cores.max", cores);
    }
}

static void their_conf(const struct spark_settings *s, struct spark_words *w)
{
    struct str rest = str_of(s->conf), pair;
    while (str_split(&rest, ' ', &pair))
        if (pair.n) {
            word(w, mem_strdup("--conf"));
            word(w, mem_strndup(pair.p, pair.n));
        }
}

static char *own_program(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return n > 0 ? mem_strndup(path, (size_t)n) : mem_strdup("trainer");
}

void spark_words_make(const struct spark_settings *s, const struct spark_run *run, const char *folder,
                      const char *archive, struct spark_words *out)
{
    *out = (struct spark_words){ 0 };
    word(out, mem_strdup(s->submit));
    words(out, "--master", s->master);
    words(out, "--deploy-mode", s->deploy_mode);
    word(out, mem_strdup("--name"));
    word(out, mem_printf("experimentd %s %s", run->job, run->id));
    our_conf(s, run, out);
    their_conf(s, out);
    word(out, mem_strdup("--py-files"));
    word(out, mem_printf("%s/frames.py,%s/task.py", folder, folder));
    word(out, mem_strdup("--archives"));
    word(out, mem_printf("%s/%s#experimentd", folder, archive));
    if (is_cluster(s)) {
        word(out, mem_strdup("--files"));
        word(out, mem_printf("%s/secret/%s/%s", run->dir, run->id, SECRET_FILE));
    }
    word(out, mem_printf("%s/driver.py", folder));
    if (!is_cluster(s)) { /* there the bundle's program is the coordinator */
        word(out, mem_strdup("--trainer"));
        word(out, own_program());
    }
    word(out, mem_strdup("--"));
    for (size_t i = 0; run->arguments[i]; i++)
        word(out, mem_strdup(run->arguments[i]));
}

/* ---- the environment ---- */

static char **environment(const struct spark_settings *s, const struct spark_run *run)
{
    struct spark_words w = { 0 };
    for (size_t i = 0; i < COUNT_OF(inherited); i++)
        if (getenv(inherited[i]))
            word(&w, mem_printf("%s=%s", inherited[i], getenv(inherited[i])));
    if (*s->python) {
        word(&w, mem_printf("PYSPARK_PYTHON=%s", s->python));
        word(&w, mem_printf("PYSPARK_DRIVER_PYTHON=%s", s->python));
    }
    if (!is_cluster(s))
        word(&w, mem_printf("EXPERIMENTD_DATABASE_URL=%s", run->database_url));
    return w.at;
}

/* ---- the process ---- */

static bool make_dir(const char *path, struct err *err)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || err_set_errno(err, "cannot make directory \"%s\"", path);
}

/* For cluster mode, where no environment of ours reaches the driver: a file that only we can read, shipped by --files. */
static bool write_secret(const struct spark_run *run, struct err *err)
{
    AUTO(mem_free) char *all = mem_printf("%s/secret", run->dir);
    AUTO(mem_free) char *dir = mem_printf("%s/%s", all, run->id);
    AUTO(mem_free) char *path = mem_printf("%s/" SECRET_FILE, dir);
    if (!make_dir(all, err) || !make_dir(dir, err))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(run->database_url);
    bool ok = fd >= 0 && write(fd, run->database_url, n) == (ssize_t)n;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok || err_set_errno(err, "cannot write \"%s\"", path);
}

static void remove_secret(const struct spark_run *run)
{
    AUTO(mem_free) char *dir = mem_printf("%s/secret/%s", run->dir, run->id);
    AUTO(mem_free) char *path = mem_printf("%s/" SECRET_FILE, dir);
    (void)unlink(path);
    (void)rmdir(dir);
}

/* In the child. What Spark says goes to its log, what the driver and the coordinator say to our standard error. */
static void become_submit(char *const *argv, char *const *envp, int log_fd)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    (void)dup2(log_fd, STDERR_FILENO);
    execvpe(argv[0], argv, envp);
    (void)dprintf(STDERR_FILENO, "cannot start \"%s\": %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* SIGINT and SIGTERM ask once, politely; the second one, or half a minute, ends the whole group. */
static int wait_for_end(const struct spark_run *run, pid_t pid, const sigset_t *signals)
{
    int status, asked = 0, sent = 0;
    int64_t asked_us = 0, sent_us = 0;
    while (waitpid(pid, &status, WNOHANG) != pid) {
        int got = sigtimedwait(signals, NULL, &(struct timespec){ .tv_nsec = 200000000 });
        int64_t now = clock_mono_us();
        if (got == SIGINT || got == SIGTERM) {
            if (asked++ == 0)
                run->on_stop(run->arg);
            asked_us = asked == 1 ? now : asked_us;
        }
        bool now_or_never = asked > 1 || (asked && now - asked_us > STOP_US);
        if (now_or_never && (sent == 0 || now - sent_us > KILL_US)) {
            (void)kill(-pid, sent++ == 0 ? SIGTERM : SIGKILL);
            sent_us = now;
        }
    }
    (void)kill(-pid, SIGKILL); /* whoever of the group is left */
    return status;
}

static void last_lines(const char *path, struct err *err)
{
    char text[sizeof err->text / 2] = "";
    FILE *f = fopen(path, "re");
    if (f && fseek(f, -(long)sizeof text + 1, SEEK_END) != 0)
        rewind(f);
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        (void)fclose(f);
    struct str last = str_trim((struct str){ text, n });
    const char *line = memrchr(last.p, '\n', last.n);
    if (line)
        last = (struct str){ line + 1, last.n - (size_t)(line + 1 - last.p) };
    err_set(err, ERR_SYSTEM, "spark-submit ended before the coordinator began: " STR_FMT, STR_ARG(str_cut(last, 120)));
}

static bool start_and_wait(const struct spark_settings *s, const struct spark_run *run, char *const *argv, int log_fd,
                           int *out_status, struct err *err)
{
    sigset_t signals, before;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    char **envp = environment(s, run);
    pid_t pid = fork();
    if (pid == 0)
        become_submit(argv, envp, log_fd);
    bool ok = pid > 0 || err_set_errno(err, "cannot start spark-submit");
    if (ok)
        *out_status = wait_for_end(run, pid, &signals);
    for (char **at = envp; *at; at++)
        mem_free(*at);
    mem_free(envp);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}

bool spark_submit(const struct spark_settings *s, const struct spark_run *run, int *out_status, struct err *err)
{
    char archive[64];
    AUTO(mem_free) char *logs = mem_printf("%s/log", run->dir);
    AUTO(mem_free) char *log = mem_printf("%s/%s.log", logs, run->id);
    if (!make_dir(run->dir, err) || !make_dir(logs, err))
        return false;
    AUTO(mem_free) char *folder = bundle_make(run->dir, archive, err);
    if (!folder || (is_cluster(s) && !write_secret(run, err)))
        return false;
    int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return err_set_errno(err, "cannot write \"%s\"", log);
    struct spark_words argv;
    spark_words_make(s, run, folder, archive, &argv);
    bool ok = start_and_wait(s, run, argv.at, log_fd, out_status, err);
    spark_words_free(&argv);
    (void)close(log_fd);
    remove_secret(run);
    if (ok && (!WIFEXITED(*out_status) || WEXITSTATUS(*out_status) != 0))
        last_lines(log, err); /* for a caller who finds that no coordinator has taken the run */
    return ok;
}
