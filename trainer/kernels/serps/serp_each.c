#include "trainer/kernels/serps/serp_each.h"

#include "trainer/kernels/task_blocks.h"

struct reading {
    struct serp_reader reader;
    serp_each_fn fn;
    void *arg;
};

static bool each_of_block(void *arg, struct str block, uint64_t *out_rows, struct err *err)
{
    struct reading *r = arg;
    for (*out_rows = 0; block.n; ++*out_rows) {
        bool whole;
        if (!serp_reader_take(&r->reader, &block, &whole))
            return err_set(err, ERR_INVALID, "a record of what was shown is damaged");
        if (whole && !r->fn(r->arg, &r->reader.q, err))
            return false;
    }
    return true;
}

bool serp_each(struct task *t, serp_each_fn fn, void *arg, struct err *err)
{
    struct reading r = { .fn = fn, .arg = arg };
    serp_reader_init(&r.reader, false);
    bool ok = task_blocks(t, each_of_block, &r, err);
    serp_reader_release(&r.reader);
    return ok;
}
