#include "trainer/kernels/units/unit_items_reading.h"

#include "trainer/kernels/marked.h"
#include "trainer/kernels/run_snapshot.h"

struct reading {
    struct task *task;
    const struct unit_item_rules *rules;
    struct marked marked;
    unit_items_record_fn fn;
    void *arg;
};

static bool read_marks(struct reading *r, struct str lo, struct str hi, struct err *err)
{
    uint32_t from, to;
    if (!parse_u32(lo, &from, err) || !parse_u32(hi, &to, err))
        return false;
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && marked_read(pg, from, to, task_arena(r->task), &r->marked, err);
}

static bool add_block(struct reading *r, struct str block, int32_t day, uint64_t *rows, struct err *err)
{
    struct unit_item_doc docs[UNIT_ITEM_DOCS];
    struct unit_item i;
    for (; block.n; ++*rows) {
        if (!unit_item_read(&block, r->rules, docs, &i))
            return err_set(err, ERR_SYSTEM, "a record of a unit and an item is damaged");
        if (!marked_has(&r->marked, i.unit))
            r->fn(r->arg, day, &i);
    }
    return true;
}

static bool add_day(struct reading *r, size_t input, int32_t day, struct err *err)
{
    struct str block;
    bool end = false;
    for (;;) {
        uint64_t rows = 0;
        if (!task_next(r->task, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!add_block(r, block, day, &rows, err) || !task_tick(r->task, rows, err))
            return false;
    }
}

bool unit_items_read(struct task *t, const struct unit_item_rules *rules, unit_items_record_fn fn, void *arg,
                     struct err *err)
{
    struct reading r = { .task = t, .rules = rules, .fn = fn, .arg = arg };
    struct str rest = task_desc(t), lo, hi, word;
    if (!str_split(&rest, ' ', &lo) || !str_split(&rest, ' ', &hi))
        return err_set(err, ERR_INVALID, "the split names no buckets");
    if (!read_marks(&r, lo, hi, err))
        return false;
    for (size_t i = 0; i < task_inputs(t); i++) {
        int64_t day;
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, NULL))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        if (!add_day(&r, i, (int32_t)day, err))
            return false;
    }
    return true;
}
