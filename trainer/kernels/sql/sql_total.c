/* "sql.total@1": the records of all days, of a range of buckets or of a part of the keys → rows of the output table. Memory: its groups. */
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/marked.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/sql/sql_day.h"

enum { ROW_MAX = 4 << 20, TICK_ROWS = 4096 };

struct totalling {
    struct task *task;
    const struct sql_params *params;
    struct marked marked; /* where units are a key */
    int unit;             /* which one; -1: none */
    struct rollup_total *total;
    struct buf row;
    uint64_t rows;
};

/* ---- days in ---- */

static bool read_marks(struct totalling *t, struct err *err)
{
    struct str rest = task_desc(t->task), lo, hi;
    uint32_t from, to;
    if (t->unit < 0 || t->params->marks != SQL_MARKED_UNITS)
        return true;
    if (!str_split(&rest, ' ', &lo) || !str_split(&rest, ' ', &hi) || !parse_u32(lo, &from, NULL) ||
        !parse_u32(hi, &to, NULL))
        return err_set(err, ERR_INVALID, "the split names no buckets");
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(t->task, err);
    return pg && marked_read(pg, from, to, task_arena(t->task), &t->marked, err);
}

static bool add_input(struct totalling *t, size_t input, struct err *err)
{
    struct str block;
    bool end = false;
    for (;;) {
        uint64_t rows = 0;
        if (!task_next(t->task, input, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; rows++)
            if (!rollup_total_add(t->total, &block, err))
                return false;
        if (!task_tick(t->task, rows, err))
            return false;
    }
}

/* ---- rows out ---- */

static void put_value(struct buf *b, enum rollup_type type, const struct rollup_value *v)
{
    if (v->null) {
        pg_copy_null(b);
        return;
    }
    switch (type) {
    case ROLLUP_REAL:
        pg_copy_double(b, v->d);
        break;
    case ROLLUP_TEXT:
        pg_copy_text(b, v->s);
        break;
    case ROLLUP_BOOL:
        buf_add_be32(b, 1);
        buf_add_byte(b, (char)v->i);
        break;
    case ROLLUP_DATE:
        pg_copy_i32(b, (int32_t)v->i); /* as it came: days since 2000 */
        break;
    default:
        pg_copy_i64(b, v->i); /* as it came: µs since 2000 */
    }
}

static bool put_row(void *arg, const struct rollup_value *row, struct err *err)
{
    struct totalling *t = arg;
    const struct rollup *r = &t->params->rollup;
    if (t->unit >= 0 && marked_has(&t->marked, row[t->unit].s))
        return true;
    buf_clear(&t->row);
    pg_copy_row(&t->row, r->keys_count + r->measures_count);
    for (uint32_t k = 0; k < r->keys_count; k++)
        put_value(&t->row, r->columns[k].type, &row[k]);
    for (uint32_t m = 0; m < r->measures_count; m++)
        put_value(&t->row, r->measures[m].type, &row[r->keys_count + m]);
    return buf_ok(&t->row, "a row", err) && task_put(t->task, buf_str(&t->row), err) &&
           (++t->rows % TICK_ROWS != 0 || task_tick(t->task, 0, err));
}

static bool run(struct task *task, struct err *err)
{
    struct sql_params p;
    if (!sql_params_read(task_params(task), &p, task_arena(task), err))
        return false;
    struct totalling t = {
        .task = task, .params = &p, .unit = rollup_key(&p.rollup, STR("unit")), .total = rollup_total_new(&p.rollup)
    };
    buf_init(&t.row, ROW_MAX);
    bool ok = read_marks(&t, err);
    for (size_t i = 0; ok && i < task_inputs(task); i++)
        ok = add_input(&t, i, err);
    ok = ok && rollup_total_each(t.total, put_row, &t, err);
    buf_release(&t.row);
    rollup_total_free(t.total);
    return ok;
}

const struct kernel kernel_sql_total = { SQL_TOTAL_KERNEL, run };
