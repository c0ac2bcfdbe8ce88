#include "trainer/kernels/items/sums_out.h"

#include "trainer/kernels/items/items.h"

enum { GATHERED_MAX = 1 << 21, TICK_RECORDS = 1 << 16 };

void sums_out_open(struct sums_out *o, struct task *t, uint32_t numbers)
{
    *o = (struct sums_out){ .task = t, .numbers = numbers, .parts = task_parts(t) };
    pair_sums_init(&o->sums);
}

void sums_out_close(struct sums_out *o)
{
    pair_sums_release(&o->sums);
}

bool sums_out_add(struct sums_out *o, uint64_t key, double sum, struct err *err)
{
    if (o->sums.count == GATHERED_MAX && !sums_out_flush(o, err))
        return false;
    pair_sums_add(&o->sums, key, 1, sum);
    return true;
}

bool sums_out_flush(struct sums_out *o, struct err *err)
{
    pair_sums_sort(&o->sums);
    for (uint32_t i = 0; i < o->sums.count; i++) {
        const struct pair_sum *e = &o->sums.entries[i];
        const struct str record = { (const char *)e, sizeof *e };
        if (!task_emit(o->task, items_part(pair_first(e->key), o->numbers, o->parts), record, err) ||
            (i % TICK_RECORDS == 0 && !task_tick(o->task, 0, err)))
            return false;
    }
    pair_sums_clear(&o->sums);
    return true;
}

bool sums_in(struct task *t, struct pair_sums *out, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++) {
        struct str block;
        for (bool end = false;;) {
            if (!task_next(t, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!pair_sums_add_bytes(out, block))
                return err_set(err, ERR_SYSTEM, "sums of pairs are damaged");
            if (!task_tick(t, block.n / sizeof(struct pair_sum), err))
                return false;
        }
    }
    pair_sums_sort(out);
    return true;
}
