/* The local engine: worker processes under one libevent loop. A worker gets one task at a time; a crash, an error or a stall costs the
 * attempt and the process; the split is tried again on a fresh one after 0.2 s · 2^k. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/engine.h"
#include "trainer/engine/frame.h"
#include "trainer/engine/task.h"

enum {
    WORKERS_MAX = 256,
    TICK_US = 200000,
    READ_BYTES = 256 << 10,
    BACKOFF_US = 200000,
    KILL_WAIT_US = 2000000,
    NICE = 10
};
#define NO_SPLIT UINT32_MAX

struct proc {
    struct engine *engine;
    pid_t pid;         /* 0: none */
    int in_fd, out_fd; /* we write to in, read from out */
    struct event *readable, *writable;
    struct buf in, out;
    uint32_t split; /* NO_SPLIT: idle */
    int64_t heard_us;
    bool result_seen;
    char why[200]; /* of the last ERROR frame */
};

enum split_state { SPLIT_WAITS, SPLIT_RUNS, SPLIT_DONE };

struct split {
    enum split_state state;
    uint32_t attempts;
    int64_t not_before_us;
    uint64_t rows; /* of the attempt under way, then of the one that counted */
};

/* The files of a pass. */
struct datasets {
    char **paths;
    uint32_t count, parts;
};

struct engine {
    struct engine_options options;
    struct event_base *base;
    struct event *tick, *child, *interrupt, *terminate;
    struct proc procs[WORKERS_MAX];
    int pass_number;
    struct datasets *datasets; /* of each pass */
    const struct engine_pass *pass;
    struct split *splits;
    uint32_t *order; /* heaviest first */
    struct engine_result *result;
    uint32_t done;
    bool cancelled, failed;
    struct err err;
};

static char *spool_path(const struct engine *e, int pass, uint32_t split)
{
    return mem_printf("%s/p%d.s%u", e->options.spool_dir, pass, split);
}

static char *attempt_path(const struct engine *e, uint32_t split, uint32_t attempt)
{
    return mem_printf("%s/p%d.s%u.a%u", e->options.spool_dir, e->pass_number, split, attempt);
}

static void stop_pass(struct engine *e)
{
    (void)event_base_loopbreak(e->base);
}

static void fail_pass(struct engine *e, enum err_kind kind, uint32_t split, const char *why)
{
    if (e->failed)
        return;
    e->failed = true;
    err_set(&e->err, kind, "pass \"%s\", split %u, attempt %u: %s", e->pass->name, split, e->splits[split].attempts,
            why);
    stop_pass(e);
}

/* ---- processes ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

static void child_body(int in_fd, int out_fd, pid_t parent)
{
    char text[16];
    sigset_t none;
    (void)snprintf(text, sizeof text, "%d", (int)parent);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(in_fd, STDIN_FILENO);
    (void)dup2(out_fd, STDOUT_FILENO);
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    execl("/proc/self/exe", "trainer", "worker", text, (char *)NULL);
    _exit(127);
}

static bool start_proc(struct engine *e, struct proc *p, struct err *err)
{
    int to[2], from[2];
    pid_t parent = getpid();
    if (pipe2(to, O_CLOEXEC) != 0)
        return err_set_errno(err, "cannot make a pipe");
    if (pipe2(from, O_CLOEXEC) != 0) {
        close(to[0]);
        close(to[1]);
        return err_set_errno(err, "cannot make a pipe");
    }
    pid_t pid = fork();
    if (pid == 0)
        child_body(to[0], from[1], parent);
    close(to[0]);
    close(from[1]);
    if (pid < 0) {
        close(to[1]);
        close(from[0]);
        return err_set_errno(err, "cannot start a worker process");
    }
    (void)fcntl(to[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(from[0], F_SETFL, O_NONBLOCK);
    *p = (struct proc){
        .engine = e, .pid = pid, .in_fd = to[1], .out_fd = from[0], .split = NO_SPLIT, .heard_us = clock_mono_us()
    };
    buf_init(&p->in, (size_t)2 * FRAME_PAYLOAD_MAX);
    buf_init(&p->out, (size_t)2 * FRAME_PAYLOAD_MAX);
    p->readable = event_new(e->base, p->out_fd, EV_READ | EV_PERSIST, on_readable, p);
    p->writable = event_new(e->base, p->in_fd, EV_WRITE, on_writable, p);
    (void)event_add(p->readable, NULL);
    log_debug("worker_started", "pid=%d", (int)pid);
    return true;
}

static void release_proc(struct proc *p)
{
    event_free(p->readable);
    event_free(p->writable);
    close(p->in_fd);
    close(p->out_fd);
    buf_release(&p->in);
    buf_release(&p->out);
    p->pid = 0;
}

static void describe_end(int status, const char *said, char out[256])
{
    if (WIFSIGNALED(status))
        (void)snprintf(out, 256, "the worker was ended by signal %d%s%s", WTERMSIG(status), *said ? ": " : "", said);
    else
        (void)snprintf(out, 256, "%s (exit code %d)", *said ? said : "the worker ended", WEXITSTATUS(status));
}

/* The attempt is lost. Bad data and bugs are final; the rest is tried again. */
static void lose_attempt(struct engine *e, uint32_t split, int status, const char *said)
{
    char why[256];
    struct split *s = &e->splits[split];
    AUTO(mem_free) char *path = attempt_path(e, split, s->attempts);
    bool final = WIFEXITED(status) && (WEXITSTATUS(status) == WORKER_BAD_DATA || WEXITSTATUS(status) == WORKER_BUG ||
                                       WEXITSTATUS(status) == WORKER_OTHER_BUILD);
    describe_end(status, said, why);
    (void)unlink(path);
    if (final || s->attempts >= e->options.max_attempts) {
        fail_pass(e, final ? ERR_INVALID : ERR_SYSTEM, split, why);
        return;
    }
    log_warn("split_retried", "pass=%s split=%u attempt=%u reason=\"%s\"", e->pass->name, split, s->attempts, why);
    s->state = SPLIT_WAITS;
    s->rows = 0;
    s->not_before_us = clock_mono_us() + (int64_t)(BACKOFF_US * pow(2, s->attempts - 1));
    e->result->counters.retries++;
}

static void proc_ended(struct engine *e, struct proc *p, int status)
{
    uint32_t split = p->split;
    char why[sizeof p->why];
    memcpy(why, p->why, sizeof why);
    log_debug("worker_ended", "pid=%d status=%d split=%d", (int)p->pid, status, split == NO_SPLIT ? -1 : (int)split);
    release_proc(p);
    if (split != NO_SPLIT && e->pass)
        lose_attempt(e, split, status, why);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    for (unsigned i = 0; i < e->options.workers; i++) {
        struct proc *p = &e->procs[i];
        int status;
        if (p->pid && waitpid(p->pid, &status, WNOHANG) == p->pid) {
            on_readable(p->out_fd, EV_READ, p); /* what it said before it ended */
            proc_ended(e, p, status);
        }
    }
}

/* ---- frames from workers ---- */

static bool commit_spool(struct engine *e, uint32_t split)
{
    AUTO(mem_free) char *from = attempt_path(e, split, e->splits[split].attempts);
    char *to = e->datasets[e->pass_number].paths[split] = spool_path(e, e->pass_number, split);
    return e->pass->out != ENGINE_DATASET || rename(from, to) == 0;
}

static const char *made_path(const struct engine *e, uint32_t split)
{
    return e->datasets[e->pass_number].paths[split];
}

static void split_done(struct engine *e, struct proc *p, struct str payload)
{
    uint32_t split = p->split;
    struct split *s = &e->splits[split];
    if (!commit_spool(e, p->split)) {
        fail_pass(e, ERR_SYSTEM, p->split, "its spool file cannot be renamed");
        return;
    }
    json_auto_t *done = json_loadb(payload.p, payload.n, 0, NULL);
    s->rows = (uint64_t)json_integer_value(json_object_get(done, "rows"));
    s->state = SPLIT_DONE;
    e->done++;
    p->split = NO_SPLIT;
    if (e->pass->out == ENGINE_DATASET && e->pass->on_dataset)
        e->pass->on_dataset(e->pass->on_dataset_arg, split, made_path(e, split));
    if (e->done == e->pass->splits_count)
        stop_pass(e);
}

static void take_frame(struct engine *e, struct proc *p, const struct frame *f)
{
    p->heard_us = clock_mono_us();
    if (f->type == FRAME_HELLO)
        return;
    if (p->split == NO_SPLIT || f->a != p->split || f->b != e->splits[p->split].attempts)
        return; /* of an attempt that no longer counts */
    switch (f->type) {
    case FRAME_PROGRESS:
        if (f->payload.n == sizeof(uint64_t))
            memcpy(&e->splits[p->split].rows, f->payload.p, sizeof(uint64_t));
        break;
    case FRAME_RESULT:
        buf_add_str(&e->result->parts[p->split], f->payload);
        break;
    case FRAME_DONE:
        split_done(e, p, f->payload);
        break;
    case FRAME_ERROR:
        (void)snprintf(p->why, sizeof p->why, STR_FMT, (int)(f->payload.n < 190 ? f->payload.n : 190), f->payload.p);
        break;
    default:
        break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct proc *p = arg;
    struct frame f;
    size_t size;
    for (;;) {
        char *to = buf_reserve(&p->in, READ_BYTES);
        ssize_t n = to ? read(fd, to, READ_BYTES) : 0;
        if (n <= 0) {
            if (n == 0)
                (void)event_del(p->readable); /* its end comes as SIGCHLD */
            break;
        }
        p->in.n += (size_t)n;
    }
    size_t used = 0;
    enum frame_state state;
    while ((state = frame_read((struct str){ p->in.p + used, p->in.n - used }, &f, &size)) == FRAME_WHOLE) {
        if (p->engine->pass)
            take_frame(p->engine, p, &f);
        used += size;
    }
    if (used)
        buf_consume(&p->in, used);
    if (state == FRAME_BAD && p->in.n)
        (void)kill(p->pid, SIGKILL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct proc *p = arg;
    ssize_t n = p->out.n ? write(fd, p->out.p, p->out.n) : 0;
    if (n > 0)
        buf_consume(&p->out, (size_t)n);
    if (p->out.n && (n > 0 || errno == EAGAIN || errno == EINTR))
        (void)event_add(p->writable, NULL);
}

/* ---- giving out work ---- */

const char *engine_dataset(const struct engine *e, int pass, uint32_t split)
{
    assert(pass >= 0 && pass < e->pass_number && split < e->datasets[pass].count);
    return e->datasets[pass].paths[split];
}

static json_t *inputs_of(const struct engine *e, const struct engine_split *s)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < s->inputs_count; i++) {
        const char *path = engine_dataset(e, e->pass->input_pass, s->inputs[i].split);
        json_array_append_new(inputs, json_pack("{s:s, s:i, s:i}", "path", path, "part", (int)s->inputs[i].part,
                                                "parts", (int)e->datasets[e->pass->input_pass].parts));
    }
    return inputs;
}

static const char *text_of(struct str s)
{
    return s.p ? s.p : "";
}

static void give(struct engine *e, struct proc *p, uint32_t split)
{
    const struct engine_split *s = &e->pass->splits[split];
    uint32_t attempt = ++e->splits[split].attempts;
    AUTO(mem_free) char *spool = e->pass->out == ENGINE_DATASET ? attempt_path(e, split, attempt) : NULL;
    json_t *task = json_pack("{s:s, s:s%, s:s%, s:s%, s:s, s:s?, s:i, s:o}", "kernel", e->pass->kernel, "params",
                             e->pass->params.p, e->pass->params.n, "desc", s->desc.p, s->desc.n, "snapshot",
                             text_of(e->pass->snapshot), e->pass->snapshot.n, "database_url", e->options.database_url,
                             "spool", spool, "parts", (int)e->datasets[e->pass_number].parts, "inputs",
                             inputs_of(e, s));
    assert(task);
    char *text = json_dumps(task, JSON_COMPACT);
    struct frame f = { .type = FRAME_TASK, .a = split, .b = attempt, .payload = str_of(text) };
    frame_write(&p->out, &f);
    mem_free(text);
    json_decref(task);
    buf_clear(&e->result->parts[split]); /* what a lost attempt had sent */
    p->split = split;
    p->why[0] = '\0';
    p->heard_us = clock_mono_us();
    e->splits[split].state = SPLIT_RUNS;
    e->result->counters.attempts++;
    (void)event_add(p->writable, NULL);
}

static uint32_t next_split(const struct engine *e)
{
    int64_t now = clock_mono_us();
    for (uint32_t i = 0; i < e->pass->splits_count; i++) {
        uint32_t split = e->order[i];
        if (e->splits[split].state == SPLIT_WAITS && e->splits[split].not_before_us <= now)
            return split;
    }
    return NO_SPLIT;
}

static void give_out(struct engine *e)
{
    for (unsigned i = 0; i < e->options.workers && !e->failed; i++) {
        struct proc *p = &e->procs[i];
        uint32_t split = p->pid && p->split != NO_SPLIT ? NO_SPLIT : next_split(e);
        if (split == NO_SPLIT)
            continue;
        if (!p->pid && !start_proc(e, p, &e->err)) {
            e->failed = true;
            stop_pass(e);
            return;
        }
        give(e, p, split);
    }
}

static void check_stalls(struct engine *e)
{
    int64_t now = clock_mono_us();
    for (unsigned i = 0; i < e->options.workers; i++) {
        struct proc *p = &e->procs[i];
        if (!p->pid || p->split == NO_SPLIT || now - p->heard_us < e->options.stall_us)
            continue;
        (void)snprintf(p->why, sizeof p->why, "it said nothing for %.0f s", (double)e->options.stall_us / 1e6);
        (void)kill(p->pid, SIGKILL);
        p->heard_us = now;
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    uint64_t rows = 0;
    if (!e->pass)
        return;
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        rows += e->splits[i].rows;
    check_stalls(e);
    if (e->options.on_progress && !e->options.on_progress(e->options.arg, e->pass->name, e->done, e->pass->splits_count,
                                                          rows, e->result->counters.retries)) {
        e->cancelled = true;
        stop_pass(e);
    }
}

static void on_cancel(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    e->cancelled = true;
    stop_pass(e);
}

/* ---- a pass ---- */

static const struct engine_split *sorting; /* qsort has no argument; the coordinator has one thread */

static int heavier(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorting[x].weight != sorting[y].weight)
        return sorting[x].weight > sorting[y].weight ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void prepare_datasets(struct engine *e, const struct engine_pass *pass)
{
    e->datasets = mem_realloc(e->datasets, (size_t)(e->pass_number + 1) * sizeof *e->datasets);
    struct datasets *d = &e->datasets[e->pass_number];
    *d = (struct datasets){ mem_zalloc((pass->splits_count + 1) * sizeof *d->paths), pass->splits_count,
                            pass->parts ? pass->parts : 1 };
    for (uint32_t i = 0; i < pass->splits_count; i++) {
        if (!pass->splits[i].kept)
            continue;
        d->paths[i] = mem_strdup(pass->splits[i].kept);
        e->splits[i].state = SPLIT_DONE;
        e->done++;
    }
}

static void prepare(struct engine *e, const struct engine_pass *pass, struct engine_result *out)
{
    *out = (struct engine_result){ .count = pass->splits_count };
    out->parts = mem_zalloc(pass->splits_count * sizeof *out->parts);
    e->pass = pass;
    e->result = out;
    e->done = 0;
    e->failed = false;
    e->splits = mem_zalloc(pass->splits_count * sizeof *e->splits);
    e->order = mem_alloc(pass->splits_count * sizeof *e->order);
    for (uint32_t i = 0; i < pass->splits_count; i++) {
        buf_init(&out->parts[i], TASK_COLLECT_MAX);
        e->order[i] = i;
    }
    prepare_datasets(e, pass);
    sorting = pass->splits;
    qsort(e->order, pass->splits_count, sizeof *e->order, heavier);
}

static void kill_all(struct engine *e)
{
    for (unsigned i = 0; i < e->options.workers; i++) {
        struct proc *p = &e->procs[i];
        if (!p->pid)
            continue;
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
        release_proc(p);
    }
}

bool engine_run(struct engine *e, const struct engine_pass *pass, struct engine_result *out, struct err *err)
{
    int64_t began = clock_mono_us();
    prepare(e, pass, out);
    while (e->done < pass->splits_count && !e->failed && !e->cancelled) {
        give_out(e);
        if (!e->failed)
            (void)event_base_loop(e->base, EVLOOP_ONCE);
    }
    for (uint32_t i = 0; i < pass->splits_count; i++)
        out->counters.rows_in += e->splits[i].rows;
    out->counters.seconds = (double)(clock_mono_us() - began) / 1e6;
    e->pass = NULL;
    e->pass_number++;
    mem_free(e->splits);
    mem_free(e->order);
    if (e->done == pass->splits_count && !e->failed)
        return true;
    kill_all(e);
    engine_result_release(out);
    if (e->cancelled)
        return err_set(err, ERR_CONFLICT, "cancelled");
    *err = e->err;
    return false;
}

void engine_result_release(struct engine_result *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        buf_release(&r->parts[i]);
    mem_free(r->parts);
    r->parts = NULL;
    r->count = 0;
}

/* ---- life ---- */

static void remove_spool(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.')
            (void)unlink(path);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(dir);
}

struct engine *engine_open(const struct engine_options *options, struct err *err)
{
    if (options->workers < 1 || options->workers > WORKERS_MAX) {
        err_set(err, ERR_INVALID, "%u workers: must be 1 to %d", options->workers, WORKERS_MAX);
        return NULL;
    }
    if (mkdir(options->spool_dir, 0700) != 0 && errno != EEXIST) {
        err_set_errno(err, "cannot make spool directory \"%s\"", options->spool_dir);
        return NULL;
    }
    struct engine *e = mem_zalloc(sizeof *e);
    e->options = *options;
    e->base = event_base_new();
    e->tick = event_new(e->base, -1, EV_PERSIST, on_tick, e);
    e->child = evsignal_new(e->base, SIGCHLD, on_child, e);
    e->interrupt = evsignal_new(e->base, SIGINT, on_cancel, e);
    e->terminate = evsignal_new(e->base, SIGTERM, on_cancel, e);
    (void)event_add(e->tick, &(struct timeval){ .tv_usec = TICK_US });
    (void)event_add(e->child, NULL);
    (void)event_add(e->interrupt, NULL);
    (void)event_add(e->terminate, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return e;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    kill_all(e); /* idle ones hold nothing that a BYE would save */
    remove_spool(e->options.spool_dir);
    event_free(e->tick);
    event_free(e->child);
    event_free(e->interrupt);
    event_free(e->terminate);
    event_base_free(e->base);
    for (int pass = 0; pass < e->pass_number; pass++) {
        for (uint32_t i = 0; i < e->datasets[pass].count; i++)
            mem_free(e->datasets[pass].paths[i]);
        mem_free(e->datasets[pass].paths);
    }
    mem_free(e->datasets);
    mem_free(e);
}
