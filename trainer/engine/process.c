#include "trainer/engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    NICE = 10,
    PIPE_BYTES = 1 << 20,
    READ_BYTES = 256 << 10,
    TURN_BYTES = 1 << 20, /* of one worker in one turn of the loop */
    LINE_MAX_BYTES = 4096
};
enum { TO, FROM, ERRORS };

/* ---- starting ---- */

static void set_oom_score(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "500", 3);
    close(fd);
}

/* In the child. */
static void become_worker(const int fds[3], pid_t parent)
{
    char text[16];
    sigset_t none;
    (void)snprintf(text, sizeof text, "%d", (int)parent);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 3; i++)
        (void)dup2(fds[i], i);
    set_oom_score();
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    execl("/proc/self/exe", "trainer", "worker", text, (char *)NULL);
    _exit(127);
}

static void close_pair(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Three pipes: ours are to[1], from[0], errors[0]. */
static bool make_pipes(int pipes[3][2], struct err *err)
{
    for (int i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            while (i-- > 0)
                close_pair(pipes[i]);
            return err_set_errno(err, "cannot make a pipe");
        }
    return true;
}

static pid_t start(int fds[3], struct err *err)
{
    int pipes[3][2];
    pid_t parent = getpid();
    if (!make_pipes(pipes, err))
        return -1;
    const int theirs[3] = { pipes[TO][0], pipes[FROM][1], pipes[ERRORS][1] };
    fds[TO] = pipes[TO][1];
    fds[FROM] = pipes[FROM][0];
    fds[ERRORS] = pipes[ERRORS][0];
    pid_t pid = fork();
    if (pid == 0)
        become_worker(theirs, parent);
    for (int i = 0; i < 3; i++) {
        close(theirs[i]);
        if (pid < 0)
            close(fds[i]);
        else
            (void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    if (pid < 0)
        err_set_errno(err, "cannot start a worker process");
    else
        (void)fcntl(fds[FROM], F_SETPIPE_SZ, PIPE_BYTES);
    return pid;
}

/* ---- reading and writing ---- */

/* Up to `most` bytes that are there; *out_end: there will be none any more. */
static void read_some(int fd, struct buf *into, size_t most, bool *out_end)
{
    *out_end = false;
    for (size_t got = 0; got < most;) {
        char *to = buf_reserve(into, READ_BYTES);
        ssize_t n = to ? read(fd, to, READ_BYTES) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        *out_end = n == 0;
        if (n <= 0)
            return;
        into->n += (size_t)n;
        got += (size_t)n;
    }
}

static void take_frames(struct process *p)
{
    struct frame f;
    size_t size, used = 0;
    enum frame_state state;
    while ((state = frame_read((struct str){ buf_str(&p->in).p + used, p->in.n - used }, &f, &size)) == FRAME_WHOLE) {
        p->heard_us = clock_mono_us();
        p->owner->on_frame(p->owner->arg, p, &f);
        used += size;
    }
    if (used)
        buf_consume(&p->in, used);
    if (state != FRAME_BAD)
        return;
    (void)snprintf(p->why, sizeof p->why, "it sent what is no frame");
    buf_clear(&p->in);
    (void)kill(p->pid, SIGKILL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct process *p = arg;
    bool end;
    read_some(fd, &p->in, TURN_BYTES, &end);
    if (end)
        (void)event_del(p->readable); /* its end comes as SIGCHLD */
    take_frames(p);
}

static void take_lines(struct process *p, bool last)
{
    struct str rest = buf_str(&p->line), line;
    while (rest.n && (last || rest.n >= LINE_MAX_BYTES || memchr(rest.p, '\n', rest.n))) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n < LINE_MAX_BYTES ? rest.n : LINE_MAX_BYTES;
        line = str_cut((struct str){ rest.p, n }, LINE_MAX_BYTES);
        p->owner->on_line(p->owner->arg, p, line);
        n += end ? 1 : 0;
        rest = (struct str){ rest.p + n, rest.n - n };
    }
    buf_consume(&p->line, p->line.n - rest.n);
}

static void on_errors(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct process *p = arg;
    bool end;
    read_some(fd, &p->line, TURN_BYTES, &end);
    if (end)
        (void)event_del(p->errors);
    take_lines(p, end);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct process *p = arg;
    ssize_t n = p->out.n ? write(fd, p->out.p, p->out.n) : 0;
    if (n > 0)
        buf_consume(&p->out, (size_t)n);
    if (p->out.n && (n > 0 || errno == EAGAIN || errno == EINTR))
        (void)event_add(p->writable, NULL);
}

void process_send(struct process *p, const struct frame *f)
{
    frame_write(&p->out, f);
    (void)event_add(p->writable, NULL);
}

/* ---- life ---- */

bool process_start(struct process *p, const struct process_owner *owner, struct err *err)
{
    int fds[3];
    pid_t pid = start(fds, err);
    if (pid < 0)
        return false;
    *p = (struct process){
        .owner = owner, .number = p->number, .pid = pid, .split = NO_SPLIT, .heard_us = clock_mono_us()
    };
    memcpy(p->fds, fds, sizeof fds);
    buf_init(&p->in, (size_t)2 * FRAME_PAYLOAD_MAX);
    buf_init(&p->out, (size_t)2 * FRAME_PAYLOAD_MAX);
    buf_init(&p->line, TURN_BYTES + READ_BYTES + LINE_MAX_BYTES);
    p->writable = event_new(owner->base, fds[TO], EV_WRITE, on_writable, p);
    p->readable = event_new(owner->base, fds[FROM], EV_READ | EV_PERSIST, on_readable, p);
    p->errors = event_new(owner->base, fds[ERRORS], EV_READ | EV_PERSIST, on_errors, p);
    (void)event_add(p->readable, NULL);
    (void)event_add(p->errors, NULL);
    log_debug("worker_started", "pid=%d", (int)pid);
    return true;
}

static void release(struct process *p)
{
    event_free(p->writable);
    event_free(p->readable);
    event_free(p->errors);
    for (int i = 0; i < 3; i++)
        close(p->fds[i]);
    buf_release(&p->in);
    buf_release(&p->out);
    buf_release(&p->line);
    p->pid = 0;
}

void process_ended(struct process *p)
{
    bool end;
    read_some(p->fds[FROM], &p->in, SIZE_MAX, &end);
    take_frames(p);
    read_some(p->fds[ERRORS], &p->line, TURN_BYTES, &end);
    take_lines(p, true);
    release(p);
}

void process_kill(struct process *p)
{
    (void)kill(p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    release(p);
}
