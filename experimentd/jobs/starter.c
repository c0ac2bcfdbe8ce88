#include "experimentd/jobs/starter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pgproc.h"

extern char **environ;

enum { ENVIRONMENT_MAX = 4096, CMDLINE_MAX = 4096, LOG_DAYS = 30 };

struct child {
    struct child *next;
    char run[UUID_TEXT_MAX];
    pid_t pid;
};

struct failure {
    struct failure *next;
    char run[UUID_TEXT_MAX];
    unsigned count;
};

struct starter {
    char *trainer, *dir;
    char *own[8]; /* variables of ours, "NAME=value" */
    size_t own_count;
    struct child *children;
    struct failure *failures;
};

/* ---- what a coordinator is told ---- */

/* These are ours to say; all other variables are handed on. */
static const char *const ours[] = { "EXPERIMENTD_CONFIG=", "EXPERIMENTD_DATABASE_URL=", "EXPERIMENTD_DATA_DIR=",
                                    "EXPERIMENTD_ARCHIVE_DIR=", "EXPERIMENTD_LOST_AFTER=" };

static bool is_ours(const char *variable)
{
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

static void say(struct starter *s, const char *name, const char *value)
{
    if (*value)
        s->own[s->own_count++] = mem_printf("%s%s", name, value);
}

/* Of runs that went wrong, long ago. */
static void sweep_logs(const char *dir)
{
    int64_t old_s = clock_now_us() / US_PER_SECOND - LOG_DAYS * INT64_C(86400);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        size_t n = strlen(e->d_name);
        if (n == UUID_TEXT_MAX + 3 && strcmp(e->d_name + n - 4, ".log") == 0 &&
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_mtime < old_s)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d)
        (void)closedir(d);
}

struct starter *starter_new(const struct starter_options *o, struct err *err)
{
    AUTO(starter_free) struct starter *s = mem_zalloc(sizeof *s);
    AUTO(mem_free) char *lost_after = mem_printf("%.3f", (double)o->lost_after_us / 1e6);
    s->trainer = mem_strdup(o->trainer);
    s->dir = mem_printf("%s/jobs", o->data_dir);
    say(s, ours[0], o->config);
    say(s, ours[1], o->url);
    say(s, ours[2], o->data_dir);
    say(s, ours[3], o->archive_dir);
    say(s, ours[4], lost_after);
    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST) {
        (void)err_set_errno(err, "cannot make directory \"%s\"", s->dir);
        return NULL;
    }
    sweep_logs(s->dir);
    return TAKE(s);
}

void starter_free(struct starter *s)
{
    if (!s)
        return;
    for (struct child *c; (c = s->children); mem_free(c))
        s->children = c->next;
    for (struct failure *f; (f = s->failures); mem_free(f))
        s->failures = f->next;
    for (size_t i = 0; i < s->own_count; i++)
        mem_free(s->own[i]);
    mem_free(s->trainer);
    mem_free(s->dir);
    mem_free(s);
}

/* ---- starting ---- */

static void fill_environment(const struct starter *s, char **out)
{
    size_t n = 0;
    for (char **e = environ; *e && n < ENVIRONMENT_MAX - COUNT_OF(s->own) - 1; e++)
        if (!is_ours(*e))
            out[n++] = *e;
    for (size_t i = 0; i < s->own_count; i++)
        out[n++] = s->own[i];
    out[n] = NULL;
}

/* No signal is blocked in it, none ignored; nothing is open but its own three. */
static int spawn(const struct starter *s, const char *run, const char *log, pid_t *out)
{
    char *argv[] = { s->trainer, (char *)(uintptr_t) "run", (char *)(uintptr_t) "--run", (char *)(uintptr_t)run, NULL };
    char **environment = mem_alloc(ENVIRONMENT_MAX * sizeof *environment);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    fill_environment(s, environment);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    (void)posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    (void)posix_spawnattr_setflags(&attributes,
                                   (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    int failed = posix_spawn(out, s->trainer, &files, &attributes, argv, environment);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    mem_free(environment);
    return failed;
}

bool starter_start(struct starter *s, const char *run, struct err *err)
{
    AUTO(mem_free) char *log = mem_printf("%s/%s.log", s->dir, run);
    pid_t pid;
    errno = spawn(s, run, log, &pid);
    if (errno)
        return err_set_errno(err, "cannot start \"%s\"", s->trainer);
    struct child *c = mem_zalloc(sizeof *c);
    (void)snprintf(c->run, sizeof c->run, "%s", run);
    c->pid = pid;
    c->next = s->children;
    s->children = c;
    return true;
}

bool starter_has(const struct starter *s, struct str run)
{
    for (const struct child *c = s->children; c; c = c->next)
        if (str_eq_c(run, c->run))
            return true;
    return false;
}

/* ---- runs that were started in vain ---- */

static struct failure **find_failure(struct starter *s, struct str run)
{
    struct failure **at = &s->failures;
    while (*at && !str_eq_c(run, (*at)->run))
        at = &(*at)->next;
    return at;
}

unsigned starter_failures(const struct starter *s, struct str run)
{
    for (const struct failure *f = s->failures; f; f = f->next)
        if (str_eq_c(run, f->run))
            return f->count;
    return 0;
}

void starter_note_failure(struct starter *s, const char *run, bool failed)
{
    struct failure **at = find_failure(s, str_of(run)), *f = *at;
    if (failed && !f) {
        f = *at = mem_zalloc(sizeof *f);
        (void)snprintf(f->run, sizeof f->run, "%s", run);
    }
    if (failed) {
        f->count++;
    } else if (f) {
        *at = f->next;
        mem_free(f);
    }
}

/* ---- ends ---- */

static void describe(const struct starter *s, const char *run, int status, char out[STARTER_TEXT_MAX])
{
    AUTO(mem_free) char *log = mem_printf("%s/%s.log", s->dir, run);
    char line[120] = "";
    bool killed = WIFSIGNALED(status), fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (fine)
        (void)unlink(log); /* run_log has it */
    else
        pgproc_last_line(log, line, sizeof line);
    (void)snprintf(out, STARTER_TEXT_MAX, "the coordinator ended with %s %d%s%s", killed ? "signal" : "status",
                   killed ? WTERMSIG(status) : WEXITSTATUS(status), line[0] ? ": " : "", line);
}

bool starter_ended(struct starter *s, struct starter_end *out)
{
    for (struct child **at = &s->children; *at; at = &(*at)->next) {
        struct child *c = *at;
        int status;
        if (waitpid(c->pid, &status, WNOHANG) != c->pid)
            continue;
        *out = (struct starter_end){ .pid = c->pid };
        (void)snprintf(out->run, sizeof out->run, "%s", c->run);
        describe(s, c->run, status, out->text);
        *at = c->next;
        mem_free(c);
        return true;
    }
    return false;
}

/* A pid alone may be somebody else's by now. */
static bool names_run(pid_t pid, const char *run)
{
    char path[64], text[CMDLINE_MAX];
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && memmem(text, (size_t)n, run, strlen(run));
}

static size_t signal_all(const char *const *runs, const pid_t *pids, size_t count, int number)
{
    size_t alive = 0;
    for (size_t i = 0; i < count; i++) {
        if (pids[i] <= 0 || waitpid(pids[i], NULL, WNOHANG) == pids[i] || !names_run(pids[i], runs[i]))
            continue;
        alive++;
        if (number)
            (void)kill(pids[i], number);
    }
    return alive;
}

void starter_end_all(const char *const *runs, const pid_t *pids, size_t count, int64_t patience_us)
{
    const struct timespec step = { .tv_nsec = 20000000 };
    int64_t until = clock_mono_us() + patience_us;
    size_t alive = signal_all(runs, pids, count, SIGTERM);
    while (alive && clock_mono_us() < until) {
        (void)nanosleep(&step, NULL);
        alive = signal_all(runs, pids, count, 0);
    }
    while (alive) {
        alive = signal_all(runs, pids, count, SIGKILL);
        (void)nanosleep(&step, NULL);
    }
}
