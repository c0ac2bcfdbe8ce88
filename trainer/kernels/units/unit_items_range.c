/* "unit_items.range@1": the records of all days of a range of buckets → each unit's documents or queries, as rows of binary COPY. Memory: the
 * pairs of the range. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/units/unit_items.h"
#include "trainer/kernels/units/unit_items_reading.h"

enum { ROW_MAX = 64 << 10, JSON_MAX = 32 << 10, TICK_ROWS = 4096 };

struct reading {
    struct task *task;
    const struct unit_items_params *params;
    struct unit_item_rules rules;
    struct unit_item_total *totals;
    struct buf row, json;
    uint64_t rows;
};

static void add(void *arg, int32_t day, const struct unit_item *i)
{
    struct reading *r = arg;
    unit_item_total_add(r->totals, i, r->params->as_of_us - (day + 1) * US_PER_DAY);
}

/* ---- rows out ---- */

static struct str counts_of(struct reading *r, const struct unit_item *i)
{
    struct jsonw w;
    buf_clear(&r->json);
    jsonw_init(&w, &r->json);
    jsonw_open(&w, NULL, '{');
    for (uint32_t k = 0; k < r->params->weights.count; k++)
        if (i->sums[k].count)
            jsonw_i64(&w, r->params->weights.types[k].p, (int64_t)i->sums[k].count);
    jsonw_close(&w);
    return buf_str(&r->json);
}

static struct str docs_of(struct reading *r, const struct unit_item *i)
{
    char at[CLOCK_TEXT_MAX];
    struct jsonw w;
    buf_clear(&r->json);
    jsonw_init(&w, &r->json);
    jsonw_open(&w, NULL, '[');
    for (uint32_t k = 0; k < i->docs_count; k++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "doc", i->docs[k].doc);
        jsonw_text(&w, "at", clock_format(i->docs[k].at_us, at));
        jsonw_close(&w);
    }
    jsonw_close(&w);
    return buf_str(&r->json);
}

static int64_t count_of(const struct reading *r, const struct unit_item *i, struct str type)
{
    int k = signal_weights_find(&r->params->weights, type);
    return k < 0 ? 0 : (int64_t)i->sums[k].count;
}

static bool put(void *arg, const struct unit_item *i, uint32_t rank, struct err *err)
{
    struct reading *r = arg;
    struct buf *b = &r->row;
    int64_t signals = 0;
    for (uint32_t k = 0; k < r->params->weights.count; k++)
        signals += (int64_t)i->sums[k].count;
    buf_clear(b);
    pg_copy_row(b, r->params->queries ? 11 : 8);
    pg_copy_i16(b, (int16_t)hash_bucket(i->unit));
    pg_copy_text(b, i->unit);
    pg_copy_text(b, i->item);
    pg_copy_i32(b, (int32_t)rank);
    pg_copy_double(b, i->weight);
    pg_copy_i64(b, signals);
    pg_copy_time(b, i->last_us);
    pg_copy_jsonb(b, counts_of(r, i));
    if (r->params->queries) {
        pg_copy_i64(b, count_of(r, i, STR("request")));
        pg_copy_i64(b, count_of(r, i, STR("click")));
        pg_copy_jsonb(b, docs_of(r, i));
    }
    return buf_ok(b, "a row", err) && buf_ok(&r->json, "a row's JSON", err) && task_put(r->task, buf_str(b), err) &&
           (++r->rows % TICK_ROWS != 0 || task_tick(r->task, 0, err));
}

static bool run(struct task *t, struct err *err)
{
    struct unit_items_params p;
    struct reading r = { .task = t, .params = &p };
    if (!unit_items_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    r.rules = unit_items_rules(&p);
    r.totals = unit_item_total_new(&r.rules);
    buf_init(&r.row, ROW_MAX);
    buf_init(&r.json, JSON_MAX);
    bool ok = unit_items_read(t, &r.rules, add, &r, err) && unit_item_total_each(r.totals, &p.limits, put, &r, err);
    buf_release(&r.row);
    buf_release(&r.json);
    unit_item_total_free(r.totals);
    return ok;
}

const struct kernel kernel_unit_items_range = { UNIT_ITEMS_RANGE_KERNEL, run };
