/* "item_triples.count@1": see items.h. Apriori's step from pairs to triples: a set is only frequent when all of its parts are. */
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/sums_out.h"
#include "trainer/kernels/matrix/rows.h"

struct counting {
    struct task *task;
    struct sums_out out;
    const uint64_t *pairs; /* keys, ascending */
    uint32_t pairs_count;
};

/* The pair's number, or UINT32_MAX. */
static uint32_t find(const struct counting *c, uint32_t a, uint32_t b)
{
    const uint64_t key = pair_key(a, b);
    uint32_t from = 0, to = c->pairs_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (c->pairs[middle] < key)
            from = middle + 1;
        else
            to = middle;
    }
    return from < c->pairs_count && c->pairs[from] == key ? from : UINT32_MAX;
}

/* Items of a row are ascending, so a < b < c. */
static bool add_row(struct counting *c, const struct matrix_row *row, struct err *err)
{
    for (uint32_t i = 0; i < row->count; i++)
        for (uint32_t j = i + 1; j < row->count; j++) {
            uint32_t pair = find(c, row->items[i], row->items[j]);
            for (uint32_t k = j + 1; pair != UINT32_MAX && k < row->count; k++)
                if (find(c, row->items[j], row->items[k]) != UINT32_MAX &&
                    find(c, row->items[i], row->items[k]) != UINT32_MAX &&
                    !sums_out_add(&c->out, pair_key(pair, row->items[k]), 0, err))
                    return false;
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
    struct str blob = task_blob(t, 0);
    struct counting c = { .task = t,
                          .pairs = (const void *)blob.p,
                          .pairs_count = (uint32_t)(blob.n / sizeof(uint64_t)) };
    sums_out_open(&c.out, t, c.pairs_count + 1);
    bool ok = add_rows(&c, err) && sums_out_flush(&c.out, err);
    sums_out_close(&c.out);
    return ok;
}

const struct kernel kernel_item_triples_count = { ITEM_TRIPLES_COUNT_KERNEL, run };
