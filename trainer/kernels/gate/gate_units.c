#include <stdlib.h>

#include "base/json.h"
#include "model/recommend.h"
#include "trainer/kernels/gate/gate.h"
#include "trainer/kernels/matrix/items.h"
#include "trainer/kernels/matrix/rows.h"

struct gating {
    struct task *task;
    struct matrix_items items;
    const uint32_t *item_units;
    uint64_t units;
    struct recommender models[2]; /* candidate, champion */
    int models_count;
    struct gate_counts counts;
    uint32_t *in_lists[2]; /* of each item */
    struct arena unit;     /* until the next one */
};

/* ---- opening ---- */

static bool open_model(struct gating *g, int i, size_t blob, struct err *err)
{
    struct artifact a;
    return (artifact_read(task_blob(g->task, blob), &a, err) &&
            recommender_open(&a, &g->models[i], task_arena(g->task), err)) ||
           err_prefix(err, i ? "the champion: " : "the candidate: ");
}

static bool read_params(struct gating *g, bool *out_champion, struct err *err)
{
    json_int_t units;
    int champion;
    json_auto_t *root = json_parse(task_params(g->task), err);
    if (!root)
        return false;
    if (json_unpack(root, "{s:I,s:b}", "units", &units, "champion", &champion) != 0 || units < 1)
        return err_set(err, ERR_INVALID, "params of the gate cannot be read");
    g->units = (uint64_t)units;
    *out_champion = champion;
    return true;
}

static bool open_gating(struct gating *g, struct err *err)
{
    struct arena *arena = task_arena(g->task);
    bool champion;
    if (!read_params(g, &champion, err) || !matrix_items_read(task_blob(g->task, GATE_BLOB_ITEMS), &g->items, err) ||
        !open_model(g, 0, GATE_BLOB_CANDIDATE, err) || (champion && !open_model(g, 1, GATE_BLOB_CHAMPION, err)))
        return false;
    struct str units = task_blob(g->task, GATE_BLOB_ITEM_UNITS);
    if (units.n != g->items.count * sizeof *g->item_units)
        return err_set(err, ERR_INVALID, "the gate's units of items are not of these items");
    uint32_t *copy = arena_alloc(arena, units.n + 1);
    memcpy(copy, units.p, units.n);
    g->item_units = copy;
    g->models_count = champion ? 2 : 1;
    for (int i = 0; i < 2; i++)
        g->in_lists[i] = arena_zalloc(arena, (g->items.count + 1) * sizeof *g->in_lists[i]);
    return true;
}

/* ---- a unit ---- */

struct past {
    uint32_t item;
    float weight;
    int64_t last_us;
};

/* The last first, as the daemon gives a history. */
static int by_time(const void *va, const void *vb)
{
    const struct past *a = va, *b = vb;
    if (a->last_us != b->last_us)
        return a->last_us > b->last_us ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static void history_of(struct gating *g, const struct matrix_row *row, struct recommend_request *out)
{
    struct past *past = arena_alloc(&g->unit, row->count * sizeof *past);
    struct recommend_event *history = arena_alloc(&g->unit, row->count * sizeof *history);
    struct str *exclude = arena_alloc(&g->unit, row->count * sizeof *exclude);
    for (uint32_t i = 0; i < row->count; i++)
        past[i] = (struct past){ row->items[i], row->weights[i], row->last_us[i] };
    qsort(past, row->count, sizeof *past, by_time);
    for (uint32_t i = 0; i < row->count; i++) {
        exclude[i] = matrix_item_text(&g->items, past[i].item);
        history[i] = (struct recommend_event){ exclude[i], (double)past[i].weight };
    }
    out->history = history;
    out->history_count = row->count < RECOMMEND_HISTORY_MAX ? row->count : RECOMMEND_HISTORY_MAX;
    out->exclude = exclude; /* the history may be longer than what is looked at */
    out->exclude_count = row->count;
}

static void list_of(struct gating *g, int model, const struct recommend_request *q, struct unit_list *out)
{
    struct recommend_answer a;
    recommend(&g->models[model], q, &g->unit, &a);
    out->count = a.count;
    g->counts.lists[model] += a.count > 0;
    for (size_t i = 0; i < a.count; i++) {
        out->items[i] = UNIT_SCORES_OUTSIDE;
        if (matrix_item_find(&g->items, a.items[i].item, &out->items[i]))
            g->in_lists[model][out->items[i]]++;
        else
            g->counts.outside[model]++;
    }
}

static bool judge(struct gating *g, const struct matrix_row *row, struct err *err)
{
    struct recommend_request q = {
        .of = RECOMMEND_USER, .id = row->unit, .n = UNIT_SCORES_K, .exclude_seen = true, .fill = true
    };
    double scores[2][SCORE_COUNT];
    history_of(g, row, &q);
    for (int i = 0; i < g->models_count; i++) {
        struct unit_list list;
        list_of(g, i, &q, &list);
        if (!unit_scores_of(&list, row->held_items, row->held_new, g->item_units, g->units, scores[i], err))
            return false;
    }
    for (int s = 0; s < SCORE_COUNT; s++)
        moments2_add(&g->counts.m[s], scores[0][s], scores[g->models_count - 1][s]);
    return true;
}

/* ---- the kernel ---- */

static bool judge_rows(struct gating *g, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok;
    matrix_rows_open(&rows, g->task, 0);
    while ((ok = matrix_row_next(&rows, &row, &end, err)) && !end) {
        if (row.held_new == 0)
            continue;
        arena_reset(&g->unit);
        if (!(ok = judge(g, &row, err)))
            break;
    }
    matrix_rows_close(&rows);
    return ok;
}

static bool collect(struct gating *g, struct err *err)
{
    struct str counts = { (const char *)&g->counts, sizeof g->counts };
    if (!task_collect(g->task, counts, err))
        return false;
    for (int i = 0; i < 2; i++) {
        struct str lists = { (const char *)g->in_lists[i], g->items.count * sizeof *g->in_lists[i] };
        if (!task_collect(g->task, lists, err))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct gating *g = arena_zalloc(task_arena(t), sizeof *g);
    g->task = t;
    arena_init(&g->unit, 1 << 18);
    bool ok = open_gating(g, err) && judge_rows(g, err) && collect(g, err);
    arena_release(&g->unit);
    return ok;
}

const struct kernel kernel_gate_units = { GATE_UNITS_KERNEL, run };
