/* "unit_items.day@1": the signals of one day and range of buckets → what each unit did with each document, or query. Memory: the pairs of the
 * split. */
#include "archive/scan.h"
#include "base/clock.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/query_text.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/units/unit_items.h"

enum { TICK_ROWS = 4096, RECORD_MAX = 64 << 10, DOC_BYTES_MAX = 1024 };
enum { AT, TYPE, UNIT, ITEM, DOC };

struct reading {
    struct task *task;
    const struct unit_items_params *params;
    struct unit_item_day *day;
    uint64_t rows;
};

static bool add_signal(void *arg, const struct archive_value *row, struct err *err)
{
    struct reading *r = arg;
    const struct unit_items_params *p = r->params;
    char text[QUERY_TEXT_MAX];
    int type = row[ITEM].null ? -1 : signal_weights_find(&p->weights, row[TYPE].s);
    if (type >= 0) {
        struct str item = p->queries ? query_text(row[ITEM].s, text) : str_cut(row[ITEM].s, DOC_BYTES_MAX);
        struct str doc = p->queries && !row[DOC].null ? str_cut(row[DOC].s, DOC_BYTES_MAX) : (struct str){ NULL, 0 };
        if (item.n)
            unit_item_day_add(r->day, (uint32_t)type, row[AT].i, row[UNIT].s, item, doc);
    }
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

static bool read_signals(struct reading *r, const struct day_split *split, struct err *err)
{
    const bool queries = r->params->queries;
    const struct archive_column columns[] = { { STR("at"), ARCHIVE_TIME },
                                              { STR("type"), ARCHIVE_TEXT },
                                              { STR("unit"), ARCHIVE_TEXT },
                                              { queries ? STR("query") : STR("doc"), ARCHIVE_TEXT },
                                              { STR("doc"), ARCHIVE_TEXT } };
    const struct archive_scan scan = { .table = "signals",
                                       .columns = columns,
                                       .columns_count = queries ? DOC + 1 : DOC,
                                       .from_us = split->day * US_PER_DAY,
                                       .to_us = (split->day + 1) * US_PER_DAY,
                                       .lo = split->lo,
                                       .hi = split->hi,
                                       .where = queries ? "query is not null" : "doc is not null" };
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && archive_scan(pg, r->params->archive.p, &scan, add_signal, r, err) &&
           task_tick(r->task, r->rows % TICK_ROWS, err);
}

struct writing {
    struct reading *reading;
    struct unit_item_rules rules;
    struct buf b;
};

static bool emit(void *arg, const struct unit_item *i, struct err *err)
{
    struct writing *w = arg;
    buf_clear(&w->b);
    unit_item_write(&w->b, i, &w->rules);
    return buf_ok(&w->b, "what a unit did with an item", err) && task_emit(w->reading->task, 0, buf_str(&w->b), err);
}

static bool run(struct task *t, struct err *err)
{
    struct unit_items_params p;
    struct day_split split;
    if (!unit_items_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p };
    struct writing w = { .reading = &r, .rules = unit_items_rules(&p) };
    r.day = unit_item_day_new(&w.rules, (split.day + 1) * US_PER_DAY);
    buf_init(&w.b, RECORD_MAX);
    bool ok = read_signals(&r, &split, err) && unit_item_day_each(r.day, emit, &w, err);
    buf_release(&w.b);
    unit_item_day_free(r.day);
    return ok;
}

const struct kernel kernel_unit_items_day = { UNIT_ITEMS_DAY_KERNEL, run };
