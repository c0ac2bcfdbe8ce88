/* The local engine: worker processes under the engine's loop. A worker gets one task at a time; a crash, an error or a stall costs the
 * attempt and the process. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/pass.h"
#include "trainer/engine/process.h"
#include "trainer/engine/retry.h"

enum { CANCEL_WAIT_US = 5000000, CANCEL_STEP_US = 50000 };

struct local {
    struct engine *engine;
    struct process_owner owner;
    struct event *child;
    struct process *processes;
};

static unsigned count_of(const struct local *l)
{
    return l->engine->options.workers;
}

static bool is_busy(const struct process *p)
{
    return p->pid && p->split != NO_SPLIT;
}

static unsigned busy(const struct local *l)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count_of(l); i++)
        n += is_busy(&l->processes[i]);
    return n;
}

/* ---- what workers say ---- */

static void on_frame(void *arg, struct process *p, const struct frame *f)
{
    struct engine *e = ((struct local *)arg)->engine;
    if (!e->pass || p->split == NO_SPLIT || f->a != p->split || f->b != e->splits[p->split].attempts)
        return; /* HELLO, or of an attempt that no longer counts */
    uint32_t split = p->split;
    switch (f->type) {
    case FRAME_PROGRESS:
        if (f->payload.n == sizeof(uint64_t))
            memcpy(&e->splits[split].rows, f->payload.p, sizeof(uint64_t));
        break;
    case FRAME_RESULT:
        pass_result(e, split, f->payload);
        break;
    case FRAME_DONE:
        p->split = NO_SPLIT;
        pass_done(e, split, f->payload);
        break;
    case FRAME_ERROR:
        (void)snprintf(p->why, sizeof p->why, STR_FMT, STR_ARG(str_cut(f->payload, sizeof p->why - 1)));
        break;
    default:
        break;
    }
}

static void on_line(void *arg, struct process *p, struct str line)
{
    const struct engine_options *o = &((struct local *)arg)->engine->options;
    if (o->on_log)
        o->on_log(o->arg, p->number, line);
    else
        (void)fprintf(stderr, "worker %d: " STR_FMT "\n", p->number, STR_ARG(line));
}

static void on_end(struct local *l, struct process *p, int status)
{
    char why[256];
    process_ended(p);
    uint32_t split = p->split;
    log_debug("worker_ended", "worker=%d status=%d split=%d", p->number, status, split == NO_SPLIT ? -1 : (int)split);
    p->split = NO_SPLIT;
    if (split == NO_SPLIT || !l->engine->pass || l->engine->cancelled)
        return;
    if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof why, "the worker was ended by signal %d%s%s", WTERMSIG(status), *p->why ? ": " : "",
                       p->why);
    else
        (void)snprintf(why, sizeof why, "%s (exit code %d)", *p->why ? p->why : "the worker ended",
                       WEXITSTATUS(status));
    pass_lost(l->engine, split, WIFSIGNALED(status) ? RETRY_SIGNAL : WEXITSTATUS(status), why);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct local *l = arg;
    for (unsigned i = 0; i < count_of(l); i++) {
        struct process *p = &l->processes[i];
        int status;
        if (p->pid && waitpid(p->pid, &status, WNOHANG) == p->pid)
            on_end(l, p, status);
    }
}

/* ---- giving out work ---- */

/* A split that is to run alone waits until nothing else runs; then nothing else is given out until it is done. */
static uint32_t next_split(const struct local *l)
{
    const struct engine *e = l->engine;
    int64_t now = clock_mono_us();
    unsigned others = busy(l);
    for (unsigned i = 0; i < count_of(l); i++)
        if (is_busy(&l->processes[i]) && e->splits[l->processes[i].split].alone)
            return NO_SPLIT;
    for (uint32_t i = 0; i < e->pass->splits_count; i++) {
        const struct split *s = &e->splits[e->order[i]];
        if (s->state == SPLIT_WAITS && s->not_before_us <= now && (!s->alone || others == 0))
            return e->order[i];
    }
    return NO_SPLIT;
}

static void give(struct engine *e, struct process *p, uint32_t split)
{
    AUTO(mem_free) char *task = pass_task(e, split, false);
    struct frame f = { .type = FRAME_TASK, .a = split, .b = e->splits[split].attempts, .payload = str_of(task) };
    p->split = split;
    p->why[0] = '\0';
    p->heard_us = clock_mono_us();
    process_send(p, &f);
}

static void give_out(struct local *l)
{
    struct engine *e = l->engine;
    for (unsigned i = 0; i < count_of(l) && !pass_is_over(e); i++) {
        struct process *p = &l->processes[i];
        uint32_t split = is_busy(p) ? NO_SPLIT : next_split(l);
        if (split == NO_SPLIT)
            continue;
        if (!p->pid && !process_start(p, &l->owner, &e->err)) {
            e->failed = true;
            return;
        }
        give(e, p, split);
    }
}

static void tick(struct engine *e)
{
    struct local *l = e->own;
    int64_t now = clock_mono_us();
    for (unsigned i = 0; i < count_of(l); i++) {
        struct process *p = &l->processes[i];
        if (!is_busy(p) || now - p->heard_us < e->options.stall_us)
            continue;
        (void)snprintf(p->why, sizeof p->why, "it said nothing for %.0f s", (double)e->options.stall_us / 1e6);
        (void)kill(p->pid, SIGKILL);
        p->heard_us = now;
    }
}

/* ---- a pass ---- */

static void kill_busy(struct local *l)
{
    for (unsigned i = 0; i < count_of(l); i++)
        if (is_busy(&l->processes[i]))
            process_kill(&l->processes[i]);
}

/* Workers are asked to end, and ended when they do not. */
static void cancel(struct local *l)
{
    int64_t until_us = clock_mono_us() + CANCEL_WAIT_US;
    for (unsigned i = 0; i < count_of(l); i++) {
        struct process *p = &l->processes[i];
        if (is_busy(p))
            process_send(
                p, &(struct frame){ .type = FRAME_CANCEL, .a = p->split, .b = l->engine->splits[p->split].attempts });
    }
    while (busy(l) && clock_mono_us() < until_us) {
        (void)event_base_loopexit(l->engine->base, &(struct timeval){ .tv_usec = CANCEL_STEP_US });
        (void)event_base_loop(l->engine->base, EVLOOP_ONCE);
    }
}

static void run(struct engine *e)
{
    struct local *l = e->own;
    while (!pass_is_over(e)) {
        give_out(l);
        if (!pass_is_over(e))
            (void)event_base_loop(e->base, EVLOOP_ONCE);
    }
    if (e->cancelled)
        cancel(l);
    kill_busy(l);
}

static bool open_local(struct engine *e, struct err *err)
{
    (void)err;
    struct local *l = e->own = mem_zalloc(sizeof *l);
    l->engine = e;
    l->owner = (struct process_owner){ .base = e->base, .on_frame = on_frame, .on_line = on_line, .arg = l };
    l->processes = mem_zalloc(e->options.workers * sizeof *l->processes);
    for (unsigned i = 0; i < e->options.workers; i++)
        l->processes[i].number = (int)i;
    l->child = evsignal_new(e->base, SIGCHLD, on_child, l);
    (void)event_add(l->child, NULL);
    return true;
}

static void close_local(struct engine *e)
{
    struct local *l = e->own;
    for (unsigned i = 0; i < count_of(l); i++)
        if (l->processes[i].pid)
            process_kill(&l->processes[i]); /* idle ones hold nothing that a BYE would save */
    event_free(l->child);
    mem_free(l->processes);
    mem_free(l);
}

const struct engine_ops engine_local = {
    .name = "local", .shares_disk = true, .open = open_local, .run = run, .tick = tick, .close = close_local
};
