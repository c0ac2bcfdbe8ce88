#include "trainer/kernels/queries/query_each.h"

enum { LISTS_BYTES = 64 << 10 };

static bool each_of_block(struct str block, struct arena *lists, query_each_fn fn, void *arg, uint64_t *out_count,
                          struct err *err)
{
    for (*out_count = 0; block.n; ++*out_count) {
        struct query_record q;
        struct str bytes;
        arena_reset(lists);
        if (!query_record_read(&block, lists, &q, &bytes))
            return err_set(err, ERR_INVALID, "a record of a query is damaged");
        if (!fn(arg, &q, bytes, err))
            return false;
    }
    return true;
}

static bool each_of_input(struct task *t, size_t input, struct arena *lists, query_each_fn fn, void *arg,
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
        if (!each_of_block(block, lists, fn, arg, &count, err) || !task_tick(t, count, err))
            return false;
    }
}

bool query_each(struct task *t, query_each_fn fn, void *arg, struct err *err)
{
    struct arena lists;
    bool ok = true;
    arena_init(&lists, LISTS_BYTES);
    for (size_t i = 0; ok && i < task_inputs(t); i++)
        ok = each_of_input(t, i, &lists, fn, arg, err);
    arena_release(&lists);
    return ok;
}
