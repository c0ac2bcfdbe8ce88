#include "trainer/kernels/task_blocks.h"

bool task_blocks_of(struct task *t, size_t input, task_block_fn fn, void *arg, struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t rows = 0;
        bool end;
        if (!task_next(t, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!fn(arg, block, &rows, err) || !task_tick(t, rows, err))
            return false;
    }
}

bool task_blocks(struct task *t, task_block_fn fn, void *arg, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++)
        if (!task_blocks_of(t, i, fn, arg, err))
            return false;
    return true;
}

struct by_day {
    task_day_fn fn;
    void *arg;
    int32_t day;
};

static bool take_block(void *arg, struct str block, uint64_t *out_rows, struct err *err)
{
    const struct by_day *b = arg;
    return b->fn(b->arg, b->day, block, out_rows, err);
}

bool task_blocks_by_day(struct task *t, task_day_fn fn, void *arg, struct err *err)
{
    struct by_day by = { .fn = fn, .arg = arg };
    struct str rest = task_desc(t), word;
    uint32_t ranges;
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &word) || !parse_u32(word, &ranges, NULL) ||
        ranges == 0)
        return err_set(err, ERR_INVALID, "the split is not PART RANGES DAY …");
    for (size_t i = 0; i < task_inputs(t); i++) {
        int64_t day = by.day;
        if (i % ranges == 0 && (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, NULL)))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        by.day = (int32_t)day;
        if (!task_blocks_of(t, i, take_block, &by, err))
            return false;
    }
    return true;
}

bool task_emit_record(void *task, uint32_t part, struct str record, struct err *err)
{
    return task_emit(task, part, record, err);
}
