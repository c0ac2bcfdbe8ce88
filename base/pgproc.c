#include "base/pgproc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { EXIT_NOT_STARTED = 126 };

bool pgproc_find_user(const char *name, struct pgproc_user *out, struct err *err)
{
    if (geteuid() != 0) {
        *out = (struct pgproc_user){ .uid = geteuid(), .gid = getegid(), .name = "this user" };
        return true;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (!entry && errno)
        return err_set_errno(err, "cannot look up user \"%s\"", name);
    if (!entry || entry->pw_uid == 0)
        return err_set(err, ERR_SYSTEM, "PostgreSQL does not run as root and there is no other user \"%s\"", name);
    *out = (struct pgproc_user){ .change = true, .uid = entry->pw_uid, .gid = entry->pw_gid, .name = name };
    return true;
}

/* In the child; only calls that are safe between fork and exec. */
static bool become(const struct pgproc_user *user)
{
    if (!user->change)
        return true;
    return setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0;
}

/* Walks down the path as the user; the child's exit status is the length of the part that may not be entered, 0 for
 * none. */
static void search_and_exit(const struct pgproc_user *user, char *path, int report)
{
    uint32_t refused = 0;
    bool ok = become(user);
    for (size_t i = 1; ok && !refused; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char kept = path[i];
        path[i] = '\0';
        if (access(path, X_OK) != 0)
            refused = (uint32_t)i;
        path[i] = kept;
        if (kept == '\0')
            break;
    }
    ssize_t written = write(report, &refused, sizeof refused);
    _exit(ok && written == (ssize_t)sizeof refused ? 0 : EXIT_NOT_STARTED);
}

bool pgproc_check_search(const struct pgproc_user *user, const char *path, struct err *err)
{
    int ends[2];
    uint32_t refused = 0;
    if (!user->change)
        return true;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(err, "cannot make a pipe");
    AUTO(mem_free) char *copy = mem_strdup(path);
    pid_t child = fork();
    if (child == 0)
        search_and_exit(user, copy, ends[1]);
    close(ends[1]);
    bool ok = child > 0 && read(ends[0], &refused, sizeof refused) == (ssize_t)sizeof refused;
    close(ends[0]);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    if (!ok)
        return err_set(err, ERR_SYSTEM, "cannot become user \"%s\"", user->name);
    if (refused)
        return err_set(err, ERR_SYSTEM,
                       "user \"%s\", whom PostgreSQL runs as, may not enter directory \"%.*s\"; "
                       "choose another data directory or \"chmod a+x\" it",
                       user->name, (int)refused, path);
    return true;
}

/* In the child: everything between fork and exec. */
static void start_and_exit(const struct pgproc_user *user, const char *const *argv, int log, bool die_with_us,
                           pid_t parent)
{
    static const struct sigaction by_default = { .sa_handler = SIG_DFL };
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);
    bool ok = null >= 0 && dup2(null, 0) == 0 && dup2(log, 1) == 1 && dup2(log, 2) == 2;
    ok = ok && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
    /* A session of its own: the Ctrl-C that stops us must not stop the database before us. */
    ok = ok && setsid() > 0 && become(user) && chdir("/") == 0;
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &by_default, NULL);
    sigemptyset(&none);
    ok = ok && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (ok && die_with_us) {
        /* After the change of user, which clears it. A parent that died before has sent nothing. */
        ok = prctl(PR_SET_PDEATHSIG, SIGINT) == 0 && getppid() == parent;
    }
    if (ok)
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(EXIT_NOT_STARTED);
}

bool pgproc_start(const struct pgproc_user *user, const char *const *argv, const char *log_path, bool die_with_us,
                  pid_t *out_pid, struct err *err)
{
    pid_t self = getpid();
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (log < 0)
        return err_set_errno(err, "cannot open log file \"%s\"", log_path);
    pid_t child = fork();
    if (child == 0)
        start_and_exit(user, argv, log, die_with_us, self);
    close(log);
    if (child < 0)
        return err_set_errno(err, "cannot start \"%s\"", argv[0]);
    *out_pid = child;
    return true;
}

/* A child that was reaped elsewhere has ended, too. */
bool pgproc_ended(pid_t child)
{
    pid_t got = waitpid(child, NULL, WNOHANG);
    return got == child || (got < 0 && errno == ECHILD && kill(child, 0) != 0 && errno == ESRCH);
}

static bool reap(pid_t pid)
{
    (void)waitpid(pid, NULL, WNOHANG); /* ECHILD when it is not ours */
    return true;
}

bool pgproc_wait(pid_t pid, int64_t timeout_us)
{
    int64_t end = clock_mono_us() + timeout_us, left;
    int fd = pidfd_open(pid, 0);
    if (fd < 0)
        return reap(pid);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int ready = 0;
    while (ready <= 0 && (left = end - clock_mono_us()) > 0) {
        ready = poll(&p, 1, (int)(left / 1000 > INT_MAX ? INT_MAX : left / 1000 + 1));
        if (ready < 0 && errno != EINTR)
            break;
    }
    close(fd);
    return ready > 0 && reap(pid);
}

void pgproc_last_line(const char *path, char *out, size_t room)
{
    char tail[2048];
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
    ssize_t n = pread(fd, tail, sizeof tail, from);
    close(fd);
    struct str line = str_trim((struct str){ tail, n > 0 ? (size_t)n : 0 });
    const char *line_end = line.n ? memrchr(line.p, '\n', line.n) : NULL;
    if (line_end)
        line = (struct str){ line_end + 1, line.n - (size_t)(line_end + 1 - line.p) };
    size_t keep = line.n < room ? line.n : room - 1;
    memcpy(out, line.p, keep);
    out[keep] = '\0';
}

bool pgproc_run(const struct pgproc_user *user, const char *const *argv, const char *log_path, struct err *err)
{
    pid_t child;
    int status;
    if (!pgproc_start(user, argv, log_path, true, &child, err))
        return false;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set_errno(err, "cannot wait for \"%s\"", argv[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    char line[160];
    pgproc_last_line(log_path, line, sizeof line);
    return err_set(err, ERR_SYSTEM, "\"%s\" failed: %s", argv[0], line);
}
