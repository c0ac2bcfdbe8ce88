/* "unit_items.day@1": the signals of one day and range of buckets → what each unit did with each document, or query, in a
 * part for each range of the split. Memory: the pairs of the split. */
#include "base/clock.h"
#include "model/query_text.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/signals/day_signals.h"
#include "trainer/kernels/units/unit_items.h"

enum { RECORD_MAX = 64 << 10, DOC_BYTES_MAX = 1024 };
enum { AT, TYPE, UNIT, ITEM, DOC };

struct reading {
    struct task *task;
    const struct unit_items_params *params;
    struct day_split split;
    struct unit_item_day *day;
    struct arena arena; /* of a batch */
    uint64_t rows;
};

/* The different texts of a batch's columns, as they are wanted: each is looked at once, when a row first has it. */
struct texts {
    int8_t *types;                   /* place in the weights, -1: none; TYPE_UNKNOWN: not looked at yet */
    struct pair_text *units, *items; /* hash 0: not looked at yet */
};
enum { TYPE_UNKNOWN = 127 };

static struct texts texts_of(struct reading *r, const struct archive_vector *columns)
{
    arena_reset(&r->arena);
    struct texts t = { .types = arena_alloc(&r->arena, columns[TYPE].texts_count + 1),
                       .units = arena_zalloc(&r->arena, (columns[UNIT].texts_count + 1) * sizeof *t.units),
                       .items = arena_zalloc(&r->arena, (columns[ITEM].texts_count + 1) * sizeof *t.items) };
    memset(t.types, TYPE_UNKNOWN, columns[TYPE].texts_count + 1);
    return t;
}

static int type_at(const struct reading *r, struct texts *t, const struct archive_vector *v, uint32_t row)
{
    int8_t *type = &t->types[v->codes[row]];
    if (*type == TYPE_UNKNOWN)
        *type = (int8_t)signal_weights_find(&r->params->weights, text_at(v, row));
    return *type;
}

static const struct pair_text *unit_at(struct texts *t, const struct archive_vector *v, uint32_t row)
{
    struct pair_text *unit = &t->units[v->codes[row]];
    if (unit->hash == 0)
        *unit = pair_text_of(text_at(v, row));
    return unit;
}

static struct str item_text(struct reading *r, struct str raw)
{
    char text[QUERY_TEXT_MAX];
    return r->params->queries ? arena_str(&r->arena, query_text(raw, text)) : str_cut(raw, DOC_BYTES_MAX);
}

static const struct pair_text *item_at(struct reading *r, struct texts *t, const struct archive_vector *v, uint32_t row)
{
    struct pair_text *item = &t->items[v->codes[row]];
    if (item->hash == 0)
        *item = pair_text_of(item_text(r, text_at(v, row)));
    return item;
}

static bool add_signals(void *arg, const struct archive_batch *batch, struct err *err)
{
    (void)err;
    struct reading *r = arg;
    const struct archive_vector *c = batch->columns;
    struct texts t = texts_of(r, c);
    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t row = batch->rows[i];
        int type = text_at(&c[ITEM], row).p ? type_at(r, &t, &c[TYPE], row) : -1;
        if (type < 0)
            continue;
        const struct pair_text *item = item_at(r, &t, &c[ITEM], row);
        struct str doc = r->params->queries ? text_at(&c[DOC], row) : (struct str){ NULL, 0 };
        if (item->text.n)
            unit_item_day_add(r->day, (uint32_t)type, c[AT].ints[row], unit_at(&t, &c[UNIT], row), item,
                              str_cut(doc, DOC_BYTES_MAX));
    }
    return true;
}

static bool read_signals(struct reading *r, struct err *err)
{
    const bool queries = r->params->queries;
    const struct archive_column columns[] = { { STR("at"), ARCHIVE_TIME },
                                              { STR("type"), ARCHIVE_TEXT },
                                              { STR("unit"), ARCHIVE_TEXT },
                                              { queries ? STR("query") : STR("doc"), ARCHIVE_TEXT },
                                              { STR("doc"), ARCHIVE_TEXT } };
    const struct day_signals signals = { .task = r->task,
                                         .archive = r->params->archive,
                                         .split = r->split,
                                         .columns = columns,
                                         .columns_count = queries ? DOC + 1 : DOC,
                                         .where = queries ? "query is not null" : "doc is not null" };
    return day_signals_read(&signals, add_signals, r, err);
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
    struct task *t = w->reading->task;
    return buf_ok(&w->b, "what a unit did with an item", err) &&
           task_emit(t, day_split_part(&w->reading->split, i->unit, task_parts(t)), buf_str(&w->b), err);
}

static bool run(struct task *t, struct err *err)
{
    struct unit_items_params p;
    struct reading r = { .task = t, .params = &p };
    if (!unit_items_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &r.split, err))
        return false;
    struct writing w = { .reading = &r, .rules = unit_items_rules(&p) };
    r.day = unit_item_day_new(&w.rules, (r.split.day + 1) * US_PER_DAY);
    arena_init(&r.arena, 1 << 20);
    buf_init(&w.b, RECORD_MAX);
    bool ok = read_signals(&r, err) && unit_item_day_each(r.day, emit, &w, err);
    buf_release(&w.b);
    arena_release(&r.arena);
    unit_item_day_free(r.day);
    return ok;
}

const struct kernel kernel_unit_items_day = { UNIT_ITEMS_DAY_KERNEL, run };
