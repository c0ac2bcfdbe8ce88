/* "item_pairs.similar@1": see items.h. */
#include "base/json.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/similar.h"
#include "trainer/kernels/items/sums_out.h"

enum { LIST_BYTES_MAX = 64 << 20 };

struct listing {
    struct task *task;
    struct similar_rules rules;
    struct str items; /* struct similar_item of each */
    int64_t min_units, top;
    struct best best;
    struct buf list;
};

static bool read_params(struct listing *l, struct err *err)
{
    struct json_reader r;
    struct str by = { NULL, 0 };
    int64_t units = 0;
    json_auto_t *root = json_parse(task_params(l->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "similarity", JSON_REQUIRED, &by, NULL);
    (void)json_get_double(&r, "shrink", JSON_REQUIRED, &l->rules.shrink);
    (void)json_get_i64(&r, "units", JSON_REQUIRED, &units);
    (void)json_get_i64(&r, "min_units", JSON_REQUIRED, &l->min_units);
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &l->top);
    l->rules.units = (uint64_t)units;
    l->rules.by = SIMILAR_COSINE;
    while (by.p && l->rules.by < SIMILAR_COUNT && !str_eq_c(by, similar_names[l->rules.by]))
        l->rules.by++;
    if (l->rules.by == SIMILAR_COUNT)
        (void)json_fail(&r, "similarity", "is \"" STR_FMT "\"", STR_ARG(str_cut(by, 60)));
    return json_reader_close(&r, err);
}

static struct similar_item item_at(const struct listing *l, uint32_t number)
{
    struct similar_item i;
    memcpy(&i, l->items.p + (size_t)number * sizeof i, sizeof i);
    return i;
}

static bool write_list(struct listing *l, uint32_t item, struct err *err)
{
    if (l->best.count == 0)
        return true;
    best_sort(&l->best);
    buf_clear(&l->list);
    buf_add(&l->list, &item, sizeof item);
    buf_add(&l->list, &l->best.count, sizeof l->best.count);
    for (uint32_t i = 0; i < l->best.count; i++) {
        const float score = (float)l->best.entries[i].score;
        buf_add(&l->list, &l->best.entries[i].number, sizeof(uint32_t));
        buf_add(&l->list, &l->best.entries[i].extra, sizeof(uint32_t));
        buf_add(&l->list, &score, sizeof score);
    }
    best_clear(&l->best);
    return buf_ok(&l->list, "a list of similar items", err) && task_collect(l->task, buf_str(&l->list), err);
}

static bool write_lists(struct listing *l, const struct pair_sums *sums, struct err *err)
{
    for (uint32_t i = 0; i < sums->count; i++) {
        const struct pair_sum *e = &sums->entries[i];
        uint32_t a = pair_first(e->key), b = pair_second(e->key);
        if (e->count >= (uint64_t)l->min_units) {
            struct similar_item ia = item_at(l, a), ib = item_at(l, b);
            double score = similar_score(&l->rules, &ia, &ib, e->count, e->sum);
            if (score > 0)
                best_add(&l->best, score, b, (uint32_t)e->count);
        }
        bool last = i + 1 == sums->count || pair_first(sums->entries[i + 1].key) != a;
        if (last && (!write_list(l, a, err) || !task_tick(l->task, 0, err)))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct listing l = { .task = t, .items = task_blob(t, 0) };
    struct pair_sums sums;
    if (!read_params(&l, err))
        return false;
    best_init(&l.best, (uint32_t)l.top, task_arena(t));
    pair_sums_init(&sums);
    buf_init(&l.list, LIST_BYTES_MAX);
    bool ok = sums_in(t, &sums, err) && write_lists(&l, &sums, err);
    buf_release(&l.list);
    pair_sums_release(&sums);
    return ok;
}

const struct kernel kernel_item_pairs_similar = { ITEM_PAIRS_SIMILAR_KERNEL, run };
