#include "trainer/engine/task.h"
#include "trainer/kernels/click_models/click_models.h"

struct reading {
    struct task *task;
    struct arena arena; /* of a query */
    struct buf gathered;
    click_each_fn fn;
    void *arg;
};

static bool each_of_block(struct reading *r, struct str block, uint64_t *out_count, struct err *err)
{
    for (*out_count = 0; block.n; ++*out_count) {
        struct click_query q;
        bool whole;
        if (!click_query_take(&r->gathered, &block, &r->arena, &whole, &q))
            return err_set(err, ERR_INVALID, "a query of the click models is damaged");
        if (!whole)
            continue;
        if (!r->fn(r->arg, &q, err))
            return false;
        arena_reset(&r->arena);
    }
    return true;
}

static bool each_of_input(struct reading *r, size_t input, struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t count;
        bool end;
        if (!task_next(r->task, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!each_of_block(r, block, &count, err) || !task_tick(r->task, count, err))
            return false;
    }
}

bool click_each(struct task *t, click_each_fn fn, void *arg, struct err *err)
{
    struct reading r = { .task = t, .fn = fn, .arg = arg };
    bool ok = true;
    arena_init(&r.arena, 1 << 20);
    buf_init(&r.gathered, CLICK_QUERY_BYTES_MAX);
    for (size_t i = 0; ok && i < task_inputs(t); i++)
        ok = each_of_input(&r, i, err);
    arena_release(&r.arena);
    buf_release(&r.gathered);
    return ok;
}

bool click_blob(struct task *t, size_t i, void *out, size_t bytes, struct err *err)
{
    struct str blob = task_blob(t, i);
    if (blob.n != bytes)
        return err_set(err, ERR_SYSTEM, "a blob of the click models has %zu bytes, not %zu", blob.n, bytes);
    memcpy(out, blob.p, bytes);
    return true;
}
