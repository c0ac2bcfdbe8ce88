#include "trainer/engine/task.h"
#include "trainer/kernels/clicks/clicks.h"

static bool add_input(struct task *t, struct click_weights *w, size_t input, int32_t day, struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t events;
        bool end;
        if (!task_next(t, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!click_weights_add(w, day, block, &events, err) || !task_tick(t, events, err))
            return false;
    }
}

/* desc: "PART RANGES DAY DAY …" */
static bool add_days(struct task *t, struct click_weights *w, struct err *err)
{
    struct str rest = task_desc(t), word;
    uint32_t ranges;
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &word) || !parse_u32(word, &ranges, NULL))
        return err_set(err, ERR_INVALID, "the split is not PART RANGES DAY …");
    for (size_t i = 0; i < task_inputs(t); i += ranges) {
        int64_t day;
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, NULL))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        for (size_t range = 0; range < ranges && i + range < task_inputs(t); range++)
            if (!add_input(t, w, i + range, (int32_t)day, err))
                return false;
    }
    return true;
}

struct click_weights *clicks_sum(struct task *t, const struct click_rules *rules, struct err *err)
{
    struct marked_hashes *marked = arena_alloc(task_arena(t), sizeof *marked);
    if (!marked_of_run(t, marked, err))
        return NULL;
    AUTO(click_weights_free) struct click_weights *w = click_weights_new(rules, marked);
    return add_days(t, w, err) ? TAKE(w) : NULL;
}
