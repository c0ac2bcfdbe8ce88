#include "trainer/kernels/serps/serp_each.h"

static bool each_of_block(struct serp_reader *r, struct str block, serp_each_fn fn, void *arg, uint64_t *out_count,
                          struct err *err)
{
    for (*out_count = 0; block.n; ++*out_count) {
        bool whole;
        if (!serp_reader_take(r, &block, &whole))
            return err_set(err, ERR_INVALID, "a record of what was shown is damaged");
        if (whole && !fn(arg, &r->q, err))
            return false;
    }
    return true;
}

static bool each_of_input(struct task *t, size_t input, struct serp_reader *r, serp_each_fn fn, void *arg,
                          struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t count;
        bool end;
        if (!task_next(t, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!each_of_block(r, block, fn, arg, &count, err) || !task_tick(t, count, err))
            return false;
    }
}

bool serp_each(struct task *t, serp_each_fn fn, void *arg, struct err *err)
{
    struct serp_reader r;
    bool ok = true;
    serp_reader_init(&r, false);
    for (size_t i = 0; ok && i < task_inputs(t); i++)
        ok = each_of_input(t, i, &r, fn, arg, err);
    serp_reader_release(&r);
    return ok;
}
