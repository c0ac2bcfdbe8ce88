/* "item_pairs.count@1": see items.h. */
#include "base/json.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/sums_out.h"
#include "trainer/kernels/matrix/rows.h"

struct counting {
    struct task *task;
    struct sums_out out;
    int64_t items;
    bool weighted, both;
    double *squares;
};

static bool read_params(struct counting *c, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(c->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "items", JSON_REQUIRED, &c->items);
    (void)json_get_bool(&r, "weighted", JSON_REQUIRED, &c->weighted);
    (void)json_get_bool(&r, "both", JSON_REQUIRED, &c->both);
    return json_reader_close(&r, err);
}

static bool add_row(struct counting *c, const struct matrix_row *row, struct err *err)
{
    for (uint32_t i = 0; i < row->count; i++) {
        double wi = c->weighted ? (double)row->weights[i] : 1;
        c->squares[row->items[i]] += wi * wi;
        for (uint32_t j = i + 1; j < row->count; j++) {
            double product = c->weighted ? wi * (double)row->weights[j] : 1;
            if (!sums_out_add(&c->out, pair_key(row->items[i], row->items[j]), product, err) ||
                (c->both && !sums_out_add(&c->out, pair_key(row->items[j], row->items[i]), product, err)))
                return false;
        }
    }
    return true;
}

static bool add_rows(struct counting *c, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, c->task, 0);
    while (ok && !end)
        ok = matrix_row_next(&rows, &row, &end, err) && (end || add_row(c, &row, err));
    matrix_rows_close(&rows);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct counting c = { .task = t };
    if (!read_params(&c, err))
        return false;
    c.squares = arena_zalloc(task_arena(t), (size_t)(c.items + 1) * sizeof *c.squares);
    sums_out_open(&c.out, t, (uint32_t)c.items);
    const struct str squares = { (const char *)c.squares, (size_t)c.items * sizeof *c.squares };
    bool ok = add_rows(&c, err) && sums_out_flush(&c.out, err) && task_collect(t, squares, err);
    sums_out_close(&c.out);
    return ok;
}

const struct kernel kernel_item_pairs_count = { ITEM_PAIRS_COUNT_KERNEL, run };
