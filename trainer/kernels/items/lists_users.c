/* "item_lists.users@1": see items.h. */
#include "base/json.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/items/item_lists.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/matrix/rows.h"
#include "trainer/kernels/record.h"

struct telling {
    struct task *task;
    struct item_lists lists;
    struct item_taste taste;
    struct best best;
    struct buf out;
    int64_t top;
};

static bool read_params(struct telling *l, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(l->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &l->top);
    return json_reader_close(&r, err) && item_lists_read(task_blob(l->task, 0), &l->lists, err);
}

static void put_item(struct buf *b, uint32_t item, float value)
{
    record_put(b, &item, sizeof item);
    record_put(b, &value, sizeof value);
}

static bool tell(struct telling *l, const struct matrix_row *row, struct err *err)
{
    item_taste_best(&l->taste, &l->lists, row->items, row->weights, row->count, &l->best);
    buf_clear(&l->out);
    record_put_text(&l->out, row->unit);
    record_put(&l->out, &l->best.count, sizeof l->best.count);
    for (uint32_t i = 0; i < l->best.count; i++)
        put_item(&l->out, l->best.entries[i].number, (float)l->best.entries[i].score);
    record_put(&l->out, &row->count, sizeof row->count);
    for (uint32_t i = 0; i < row->count; i++)
        put_item(&l->out, row->items[i], row->weights[i]);
    return buf_ok(&l->out, "what a unit would like", err) && task_collect(l->task, buf_str(&l->out), err);
}

static bool tell_all(struct telling *l, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, l->task, 0);
    while (ok && !end)
        ok = matrix_row_next(&rows, &row, &end, err) && (end || tell(l, &row, err));
    matrix_rows_close(&rows);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct telling l = { .task = t };
    if (!read_params(&l, err))
        return false;
    item_taste_init(&l.taste, l.lists.items, task_arena(t));
    best_init(&l.best, (uint32_t)l.top, task_arena(t));
    buf_init(&l.out, TASK_COLLECT_MAX);
    bool ok = tell_all(&l, err);
    buf_release(&l.out);
    return ok;
}

const struct kernel kernel_item_lists_users = { ITEM_LISTS_USERS_KERNEL, run };
