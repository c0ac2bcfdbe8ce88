/* "click_models.em@1": queries with their parameters → the same, improved; and what improves the parameters that they share. */
#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"

struct improving {
    struct task *task;
    struct click_globals g;
    struct click_work *work;
    struct click_counts *counts;
    struct buf scratch;
};

static bool emit(void *arg, struct str record, struct err *err)
{
    struct improving *w = arg;
    return task_emit(w->task, 0, record, err);
}

static bool improve(void *arg, struct click_query *q, struct err *err)
{
    struct improving *w = arg;
    click_em_step(q, &w->g, w->work, w->counts);
    return click_query_write(q, &w->scratch, emit, w, err);
}

static bool run(struct task *t, struct err *err)
{
    struct improving w = { .task = t };
    if (!click_blob(t, 0, &w.g, sizeof w.g, err))
        return false;
    AUTO(click_work_free) struct click_work *work = click_work_new(&w.g);
    w.work = work;
    w.counts = arena_zalloc(task_arena(t), sizeof *w.counts);
    buf_init(&w.scratch, CLICK_QUERY_BYTES_MAX);
    bool ok = click_each(t, improve, &w, err) &&
              task_collect(t, (struct str){ (const char *)w.counts, sizeof *w.counts }, err);
    buf_release(&w.scratch);
    return ok;
}

const struct kernel kernel_click_em = { CLICK_EM_KERNEL, run };
