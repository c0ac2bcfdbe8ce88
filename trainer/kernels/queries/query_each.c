#include "trainer/kernels/queries/query_each.h"

#include "trainer/kernels/task_blocks.h"

enum { LISTS_BYTES = 64 << 10 };

struct reading {
    struct arena lists; /* of a record */
    query_each_fn fn;
    void *arg;
};

static bool each_of_block(void *arg, struct str block, uint64_t *out_rows, struct err *err)
{
    struct reading *r = arg;
    for (*out_rows = 0; block.n; ++*out_rows) {
        struct query_record q;
        struct str bytes;
        arena_reset(&r->lists);
        if (!query_record_read(&block, &r->lists, &q, &bytes))
            return err_set(err, ERR_INVALID, "a record of a query is damaged");
        if (!r->fn(r->arg, &q, bytes, err))
            return false;
    }
    return true;
}

bool query_each(struct task *t, query_each_fn fn, void *arg, struct err *err)
{
    struct reading r = { .fn = fn, .arg = arg };
    arena_init(&r.lists, LISTS_BYTES);
    bool ok = task_blocks(t, each_of_block, &r, err);
    arena_release(&r.lists);
    return ok;
}
