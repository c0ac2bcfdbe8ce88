#include "trainer/jobs/matrix.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/params.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/matrix/items.h"
#include "trainer/kernels/matrix/matrix.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/units/unit_items.h"

enum { CELLS_OF_AN_ITEM = 64 /* that the work for an item is worth, whoever had it */ };
#define ITEMS_BLOB_MAX ((size_t)4 << 30)

struct opening {
    struct matrix *m;
    struct day_plan days;
    struct day_rules rules;
    struct unit_items_params params;
    struct str text; /* of the params */
    int64_t min_item_units, min_unit_items, min_units;
    int units_pass;
};

/* ---- parameters ---- */

/* Not every job has it. */
static int64_t whole_or(const struct run_context *run, const char *name, int64_t fallback)
{
    return run->param(run, name) ? run_whole(run, name) : fallback;
}

static bool read_params(struct opening *o, struct err *err)
{
    const struct run_context *run = o->m->run;
    struct unit_items_params *out = &o->params;
    out->archive = str_of(run->archive_dir);
    out->weights_text = str_of(run->param(run, "weights"));
    out->half_life_us = (int64_t)(run_real(run, "half_life_days") * (double)US_PER_DAY);
    out->limits = (struct unit_item_limits){ .order = UNIT_ITEM_BY_WEIGHT,
                                             .minimum = MATRIX_WEIGHT_MIN,
                                             .top = (uint32_t)run_whole(run, "max_unit_items") };
    o->min_item_units = run_whole(run, "min_item_units");
    o->min_unit_items = run_whole(run, "min_unit_items");
    o->min_units = whole_or(run, "min_units", 1);
    return signal_weights_read(out->weights_text, o->m->arena, &out->weights, err) ||
           err_prefix(err, "parameter \"weights\": ");
}

static bool plan_days(struct opening *o, struct err *err)
{
    struct matrix *m = o->m;
    const struct run_context *run = m->run;
    int32_t as_of = run_day(run, "as_of", clock_day(o->days.now_us)), days = (int32_t)run_whole(run, "days");
    m->until = as_of - (int32_t)run_whole(run, "holdout_days");
    m->from = days ? m->until - days + 1 : INT32_MIN;
    m->eval_from = m->until + 1;
    m->eval_until = as_of;
    if (!day_plan_days(&o->days, m->from, as_of, err))
        return false;
    m->days_count = o->days.days_count;
    o->params.as_of_us = (m->until + 1) * US_PER_DAY;
    o->rules = (struct day_rules){ .kernel = UNIT_ITEMS_DAY_KERNEL,
                                   .by_unit = true,
                                   .program = unit_items_program(&o->params, m->arena) };
    return unit_items_params_write(&o->params, m->arena, &o->text, err);
}

/* ---- items ---- */

/* Of all ranges: texts with the units that had them. */
struct tally {
    struct intern texts;
    uint32_t *units, room;
};

static void tally_add(struct tally *t, struct str text, uint32_t units)
{
    uint32_t at = intern_add(&t->texts, text);
    if (at >= t->room) {
        uint32_t room = t->texts.room;
        t->units = mem_realloc(t->units, room * sizeof *t->units);
        memset(t->units + t->room, 0, (room - t->room) * sizeof *t->units);
        t->room = room;
    }
    t->units[at] += units;
}

static bool tally_results(struct tally *t, const struct engine_result *result, struct err *err)
{
    for (uint32_t i = 0; i < result->count; i++) {
        struct str rest = buf_str(&result->parts[i]), text;
        uint32_t units;
        while (rest.n) {
            if (!record_take_text(&rest, &text) || !record_take(&rest, &units, sizeof units))
                return err_set(err, ERR_SYSTEM, "the items of range %u are damaged", i);
            tally_add(t, text, units);
        }
    }
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return pair_text_compare(*x, *y);
}

static bool make_blob(struct matrix *m, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, ITEMS_BLOB_MAX);
    matrix_items_write(&b, m->item_texts, m->items);
    if (!buf_ok(&b, "the texts of the items", err))
        return false;
    m->items_blob = engine_blob(m->run->engine, buf_str(&b), err);
    return m->items_blob >= 0;
}

static bool number_items(struct opening *o, const struct engine_result *result, struct err *err)
{
    struct matrix *m = o->m;
    struct tally t = { .room = 0 };
    intern_init(&t.texts);
    bool ok = tally_results(&t, result, err);
    struct str *texts = arena_alloc(m->arena, (t.texts.count + 1) * sizeof *texts);
    m->items = 0;
    for (uint32_t i = 0; i < t.texts.count; i++)
        if (t.units[i] >= o->min_item_units)
            texts[m->items++] = arena_str(m->arena, t.texts.texts[i]);
    if (m->items)
        qsort(texts, m->items, sizeof *texts, by_bytes);
    m->item_texts = texts;
    mem_free(t.units);
    intern_release(&t.texts);
    return ok && make_blob(m, err);
}

/* ---- rows ---- */

static bool add_counts(struct matrix *m, uint32_t range, struct str result, uint32_t *units, double *weights,
                       uint64_t *first_unit, uint64_t *cells, struct err *err)
{
    struct matrix_counts c;
    const size_t items = m->items;
    if (result.n != sizeof c + items * (sizeof *units + sizeof *weights))
        return err_set(err, ERR_SYSTEM, "the counts of range %u are damaged", range);
    memcpy(&c, result.p, sizeof c);
    const char *p = result.p + sizeof c;
    for (size_t i = 0; i < items; i++) {
        double w;
        uint32_t n;
        memcpy(&w, p + i * sizeof w, sizeof w);
        memcpy(&n, p + items * sizeof w + i * sizeof n, sizeof n);
        weights[i] += w;
        units[i] += n;
    }
    first_unit[range + 1] = first_unit[range] + c.units;
    cells[range] = c.cells;
    m->units += c.units;
    m->cells += c.cells;
    m->held_out += c.held_out;
    m->held_units += c.held_units;
    return true;
}

static bool add_results(struct matrix *m, const struct engine_result *result, struct err *err)
{
    uint32_t *units = arena_zalloc(m->arena, (m->items + 1) * sizeof *units);
    double *weights = arena_zalloc(m->arena, (m->items + 1) * sizeof *weights);
    uint64_t *first_unit = arena_zalloc(m->arena, (m->ranges + 1) * sizeof *first_unit);
    uint64_t *cells = arena_zalloc(m->arena, m->ranges * sizeof *cells);
    m->units = m->cells = m->held_out = m->held_units = 0;
    for (uint32_t i = 0; i < m->ranges; i++)
        if (!add_counts(m, i, buf_str(&result->parts[i]), units, weights, first_unit, cells, err))
            return false;
    m->item_units = units;
    m->item_weights = weights;
    m->range_first_unit = first_unit;
    m->range_cells = cells;
    return true;
}

static bool enough(const struct opening *o, struct err *err)
{
    const struct matrix *m = o->m;
    return (m->units >= (uint64_t)o->min_units && m->items >= 2) ||
           run_too_little(m->run, err,
                          "%" PRIu64 " units with at least %" PRId64 " items, and %" PRIu32
                          " items that at least %" PRId64 " units had; at least %" PRId64
                          " units and 2 items are needed",
                          m->units, o->min_unit_items > 1 ? o->min_unit_items : 1, m->items,
                          o->min_item_units > 1 ? o->min_item_units : 1, o->min_units);
}

/* ---- passes ---- */

static bool pass_units(struct opening *o, struct err *err)
{
    struct matrix *m = o->m;
    struct engine_split *splits = arena_alloc(m->arena, m->ranges * sizeof *splits);
    struct engine_result result;
    for (uint32_t i = 0; i < m->ranges; i++)
        splits[i] = day_plan_range(&o->days, i);
    const struct engine_pass pass = { .name = "units",
                                      .kernel = MATRIX_UNITS_KERNEL,
                                      .params = o->text,
                                      .snapshot = o->days.snapshot,
                                      .splits = splits,
                                      .splits_count = m->ranges,
                                      .input_pass = o->days.pass,
                                      .out = ENGINE_DATASET,
                                      .parts = 2,
                                      .reads_database = true };
    o->units_pass = m->run->passes;
    if (!run_pass(m->run, &pass, &result, err))
        return false;
    bool ok = number_items(o, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool pass_rows(struct opening *o, struct err *err)
{
    struct matrix *m = o->m;
    struct engine_split *splits = arena_zalloc(m->arena, m->ranges * sizeof *splits);
    struct engine_result result;
    for (uint32_t i = 0; i < m->ranges; i++) {
        struct engine_input *inputs = arena_alloc(m->arena, 2 * sizeof *inputs);
        inputs[0] = (struct engine_input){ i, 0 };
        inputs[1] = (struct engine_input){ i, 1 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(m->arena, "%u", i), .weight = 1, .inputs = inputs, .inputs_count = 2
        };
    }
    const struct engine_pass pass = {
        .name = "rows",
        .kernel = MATRIX_ROWS_KERNEL,
        .params = arena_printf(m->arena, "{\"min_unit_items\":%" PRId64 "}", o->min_unit_items),
        .splits = splits,
        .splits_count = m->ranges,
        .input_pass = o->units_pass,
        .out = ENGINE_DATASET,
        .blobs = &m->items_blob,
        .blobs_count = 1,
    };
    m->pass = m->run->passes;
    if (!run_pass(m->run, &pass, &result, err))
        return false;
    bool ok = add_results(m, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool compute(void *arg, struct err *err)
{
    struct opening *o = arg;
    if (!day_plan_pass(&o->days, &o->rules, "days", o->text, err) || !pass_units(o, err) || !pass_rows(o, err))
        return false;
    engine_drop(o->m->run->engine, o->units_pass);
    return true;
}

bool matrix_open(struct matrix *m, struct run_context *run, struct arena *arena, struct err *err)
{
    struct opening o = { .m = m };
    *m = (struct matrix){ .run = run, .arena = arena, .items_blob = -1, .pass = -1, .by_item_pass = -1 };
    bool ok = read_params(&o, err) && day_plan_open(&o.days, run, arena, NULL, 0, err);
    m->ranges = o.days.ranges;
    ok = ok && plan_days(&o, err) && day_plan_compute(&o.days, &o.rules, compute, &o, err) && enough(&o, err);
    day_plan_close(&o.days);
    if (ok)
        run_say(run,
                "%" PRIu64 " units with %" PRIu64 " interactions with %" PRIu32 " items, from %zu days; %" PRIu64
                " later ones of %" PRIu64 " units",
                m->units, m->cells, m->items, m->days_count, m->held_out, m->held_units);
    return ok;
}

void matrix_close(struct matrix *m)
{
    if (m->run && m->items_blob >= 0) /* it may never have been opened */
        engine_blob_drop(m->run->engine, m->items_blob);
    m->items_blob = -1;
}

struct engine_split matrix_range(const struct matrix *m, uint32_t range)
{
    struct engine_input *inputs = arena_zalloc(m->arena, sizeof *inputs);
    inputs->split = range;
    return (struct engine_split){ .desc = arena_printf(m->arena, "%u %" PRIu64 " %" PRIu64, range,
                                                       m->range_first_unit[range],
                                                       m->range_first_unit[range + 1] - m->range_first_unit[range]),
                                  .weight = m->range_cells[range] + 1,
                                  .inputs = inputs,
                                  .inputs_count = 1 };
}

/* ---- by item ---- */

/* Items are cut where the work done is nearest to a share of it. */
static void cut_items(struct matrix *m)
{
    uint32_t *firsts = arena_zalloc(m->arena, (m->ranges + 1) * sizeof *firsts), part = 1;
    uint64_t total = m->cells + (uint64_t)CELLS_OF_AN_ITEM * m->items, done = 0;
    for (uint32_t i = 0; i < m->items; i++) {
        done += m->item_units[i] + CELLS_OF_AN_ITEM;
        while (part < m->ranges && done * m->ranges >= total * part)
            firsts[part++] = i + 1;
    }
    while (part <= m->ranges)
        firsts[part++] = m->items;
    m->parts = m->ranges;
    m->part_first_item = firsts;
}

static bool pass_scatter(struct matrix *m, int *out_pass, struct err *err)
{
    struct engine_split *splits = arena_alloc(m->arena, m->ranges * sizeof *splits);
    for (uint32_t i = 0; i < m->ranges; i++)
        splits[i] = matrix_range(m, i);
    const struct str firsts = { (const char *)m->part_first_item, (m->parts + 1) * sizeof *m->part_first_item };
    int blob = engine_blob(m->run->engine, firsts, err);
    if (blob < 0)
        return false;
    const struct engine_pass pass = { .name = "scatter",
                                      .kernel = MATRIX_SCATTER_KERNEL,
                                      .splits = splits,
                                      .splits_count = m->ranges,
                                      .input_pass = m->pass,
                                      .out = ENGINE_DATASET,
                                      .parts = m->parts,
                                      .blobs = &blob,
                                      .blobs_count = 1 };
    bool ok = run_pass_numbered(m->run, &pass, out_pass, err);
    engine_blob_drop(m->run->engine, blob);
    return ok;
}

static bool pass_columns(struct matrix *m, int scattered, struct err *err)
{
    struct engine_split *splits = arena_zalloc(m->arena, m->parts * sizeof *splits);
    for (uint32_t p = 0; p < m->parts; p++) {
        struct engine_input *inputs = arena_alloc(m->arena, m->ranges * sizeof *inputs);
        for (uint32_t i = 0; i < m->ranges; i++)
            inputs[i] = (struct engine_input){ i, p };
        splits[p] = matrix_part(m, p);
        splits[p].inputs = inputs;
        splits[p].inputs_count = m->ranges;
    }
    const struct engine_pass pass = { .name = "columns",
                                      .kernel = MATRIX_COLUMNS_KERNEL,
                                      .splits = splits,
                                      .splits_count = m->parts,
                                      .input_pass = scattered,
                                      .out = ENGINE_DATASET };
    return run_pass_numbered(m->run, &pass, &m->by_item_pass, err);
}

bool matrix_transpose(struct matrix *m, struct err *err)
{
    int scattered;
    if (m->units > UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "%" PRIu64 " units are more than the matrix can number by item", m->units);
    cut_items(m);
    if (!pass_scatter(m, &scattered, err) || !pass_columns(m, scattered, err))
        return false;
    engine_drop(m->run->engine, scattered);
    return true;
}

struct engine_split matrix_part(const struct matrix *m, uint32_t part)
{
    struct engine_input *inputs = arena_zalloc(m->arena, sizeof *inputs);
    inputs->split = part;
    return (struct engine_split){ .desc = arena_printf(m->arena, "%u %u %u", part, m->part_first_item[part],
                                                       m->part_first_item[part + 1] - m->part_first_item[part]),
                                  .weight = m->part_first_item[part + 1] - m->part_first_item[part] + 1,
                                  .inputs = inputs,
                                  .inputs_count = 1 };
}
