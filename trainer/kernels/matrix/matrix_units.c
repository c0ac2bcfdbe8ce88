/* "matrix.units@1": the records of all days of a range → its items, and its rows by numbers of its own. Memory: the pairs of the range. */
#include "base/clock.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/matrix/matrix.h"
#include "trainer/kernels/matrix/rows.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/units/unit_items.h"
#include "trainer/kernels/units/unit_items_reading.h"

enum { PART_ITEMS, PART_ROWS };

/* What a unit had later: by unit in the order of units. */
struct later {
    struct str unit;
    uint32_t item;
};

struct units {
    struct task *task;
    struct unit_items_params params;
    struct unit_item_rules rules;
    struct unit_item_total *trained, *later;
    struct intern items;
    uint32_t *item_units, item_units_room;
    struct later *held;
    size_t held_count, held_room, held_at;
    /* The row that is being gathered. */
    struct str unit;
    uint32_t count, numbers[MATRIX_UNIT_ITEMS_MAX], held_numbers[MATRIX_UNIT_ITEMS_MAX];
    float weights[MATRIX_UNIT_ITEMS_MAX];
    int64_t last_us[MATRIX_UNIT_ITEMS_MAX];
    struct buf record;
};

/* ---- days in ---- */

static void add(void *arg, int32_t day, const struct unit_item *i)
{
    struct units *u = arg;
    int64_t age_us = u->params.as_of_us - (day + 1) * US_PER_DAY;
    unit_item_total_add(age_us >= 0 ? u->trained : u->later, i, age_us);
}

/* ---- rows out ---- */

static bool note_later(void *arg, const struct unit_item *i, uint32_t rank, struct err *err)
{
    struct units *u = arg;
    (void)rank;
    (void)err;
    if (u->held_count == u->held_room) {
        u->held_room = u->held_room ? 2 * u->held_room : 1024;
        u->held = mem_realloc(u->held, u->held_room * sizeof *u->held);
    }
    u->held[u->held_count++] = (struct later){ i->unit, intern_add(&u->items, i->item) };
    return true;
}

/* Later items of units before this one are of units that had nothing in the training days. */
static uint32_t held_of(struct units *u)
{
    uint32_t n = 0;
    while (u->held_at < u->held_count && pair_text_compare(u->held[u->held_at].unit, u->unit) < 0)
        u->held_at++;
    while (u->held_at < u->held_count && str_eq(u->held[u->held_at].unit, u->unit))
        u->held_numbers[n++] = u->held[u->held_at++].item;
    return n;
}

static bool emit_row(struct units *u, struct err *err)
{
    struct matrix_row row = { .unit = u->unit,
                              .count = u->count,
                              .items = u->numbers,
                              .weights = u->weights,
                              .last_us = u->last_us,
                              .held_items = u->held_numbers };
    if (!u->count)
        return true;
    row.held = held_of(u);
    u->count = 0;
    buf_clear(&u->record);
    matrix_row_write(&u->record, &row);
    return buf_ok(&u->record, "what a unit had", err) && task_emit(u->task, PART_ROWS, buf_str(&u->record), err);
}

static void count_item(struct units *u, uint32_t number)
{
    if (number >= u->item_units_room) {
        uint32_t room = u->items.room;
        u->item_units = mem_realloc(u->item_units, room * sizeof *u->item_units);
        memset(u->item_units + u->item_units_room, 0, (room - u->item_units_room) * sizeof *u->item_units);
        u->item_units_room = room;
    }
    u->item_units[number]++;
}

static bool add_cell(void *arg, const struct unit_item *i, uint32_t rank, struct err *err)
{
    struct units *u = arg;
    if (rank == 1 && !emit_row(u, err))
        return false;
    u->unit = i->unit;
    u->numbers[u->count] = intern_add(&u->items, i->item);
    u->weights[u->count] = (float)i->weight;
    u->last_us[u->count] = i->last_us;
    count_item(u, u->numbers[u->count++]);
    return true;
}

static bool emit_items(struct units *u, struct err *err)
{
    for (uint32_t i = 0; i < u->items.count; i++) {
        buf_clear(&u->record);
        record_put_text(&u->record, u->items.texts[i]);
        if (!task_emit(u->task, PART_ITEMS, buf_str(&u->record), err))
            return false;
        uint32_t units = i < u->item_units_room ? u->item_units[i] : 0;
        record_put(&u->record, &units, sizeof units);
        if (units && !task_collect(u->task, buf_str(&u->record), err))
            return false;
    }
    return buf_ok(&u->record, "an item", err);
}

static bool run(struct task *t, struct err *err)
{
    struct units *u = arena_zalloc(task_arena(t), sizeof *u);
    u->task = t;
    if (!unit_items_params_read(task_params(t), &u->params, task_arena(t), err))
        return false;
    u->rules = unit_items_rules(&u->params);
    u->trained = unit_item_total_new(&u->rules);
    u->later = unit_item_total_new(&u->rules);
    intern_init(&u->items);
    buf_init(&u->record, MATRIX_RECORD_MAX);
    bool ok = unit_items_read(t, &u->rules, add, u, err) &&
              unit_item_total_each(u->later, &u->params.limits, note_later, u, err) &&
              unit_item_total_each(u->trained, &u->params.limits, add_cell, u, err) && emit_row(u, err) &&
              emit_items(u, err);
    buf_release(&u->record);
    mem_free(u->item_units);
    mem_free(u->held);
    intern_release(&u->items);
    unit_item_total_free(u->trained);
    unit_item_total_free(u->later);
    return ok;
}

const struct kernel kernel_matrix_units = { MATRIX_UNITS_KERNEL, run };
