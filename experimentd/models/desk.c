#include "experimentd/models/desk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/mem.h"
#include "experimentd/server.h"

struct desk_task {
    desk_work_fn work;
    desk_done_fn done, free_arg;
    void *arg;
    pthread_t thread;
    int wake_fd;
    _Atomic bool ended;
};

struct desk {
    struct worker *worker;
    struct desk_task *tasks[DESK_TASKS_MAX]; /* NULL: free */
};

struct desk *desk_new(struct worker *w)
{
    struct desk *d = mem_zalloc(sizeof *d);
    d->worker = w;
    return d;
}

static void *run(void *arg)
{
    struct desk_task *t = arg;
    int fd = t->wake_fd; /* the task is the worker's as soon as it has ended */
    uint64_t one = 1;
    t->work(t->arg);
    atomic_store(&t->ended, true);
    (void)!write(fd, &one, sizeof one);
    return NULL;
}

bool desk_run(struct desk *d, desk_work_fn work, desk_done_fn done, desk_done_fn free_arg, void *arg, struct err *err)
{
    size_t i = 0;
    while (i < DESK_TASKS_MAX && d->tasks[i])
        i++;
    if (i == DESK_TASKS_MAX)
        return err_set(err, ERR_BUSY, "%d models are being read already", DESK_TASKS_MAX);
    struct desk_task *t = mem_zalloc(sizeof *t);
    *t = (struct desk_task){ .work = work, .done = done, .free_arg = free_arg, .arg = arg };
    t->wake_fd = d->worker->server->workers[d->worker->index].wake_fd;
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        mem_free(t);
        return err_set(err, ERR_SYSTEM, "cannot start a thread");
    }
    d->tasks[i] = t;
    return true;
}

static void end(struct desk_task *t, bool reply)
{
    (void)pthread_join(t->thread, NULL);
    if (reply)
        t->done(t->arg);
    t->free_arg(t->arg);
    mem_free(t);
}

void desk_turn(struct desk *d)
{
    for (size_t i = 0; i < DESK_TASKS_MAX; i++)
        if (d->tasks[i] && atomic_load(&d->tasks[i]->ended))
            end(TAKE(d->tasks[i]), true);
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DESK_TASKS_MAX; i++)
        if (d->tasks[i])
            end(TAKE(d->tasks[i]), false);
    mem_free(d);
}
