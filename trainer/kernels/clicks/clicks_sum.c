#include "trainer/kernels/clicks/clicks.h"
#include "trainer/kernels/task_blocks.h"

static bool add_block(void *weights, int32_t day, struct str block, uint64_t *out_rows, struct err *err)
{
    return click_weights_add(weights, day, block, out_rows, err);
}

struct click_weights *clicks_sum(struct task *t, const struct click_rules *rules, struct err *err)
{
    struct marked_hashes *marked = arena_alloc(task_arena(t), sizeof *marked);
    if (!marked_of_run(t, marked, err))
        return NULL;
    AUTO(click_weights_free) struct click_weights *w = click_weights_new(rules, marked);
    return task_blocks_by_day(t, add_block, w, err) ? TAKE(w) : NULL;
}
