#include "trainer/kernels/click_models/click_models.h"
#include "trainer/kernels/task_blocks.h"

struct reading {
    struct arena arena; /* of a query */
    struct buf gathered;
    click_each_fn fn;
    void *arg;
};

static bool each_of_block(void *arg, struct str block, uint64_t *out_rows, struct err *err)
{
    struct reading *r = arg;
    for (*out_rows = 0; block.n; ++*out_rows) {
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

bool click_each(struct task *t, click_each_fn fn, void *arg, struct err *err)
{
    struct reading r = { .fn = fn, .arg = arg };
    arena_init(&r.arena, 1 << 20);
    buf_init(&r.gathered, CLICK_QUERY_BYTES_MAX);
    bool ok = task_blocks(t, each_of_block, &r, err);
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
