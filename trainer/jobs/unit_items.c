/* The jobs "preferences" and "history": signals → what units like and what they asked.
 *
 * Pass "days" over (day × range of buckets), of which what is as it was is kept (day_plan.h); pass "units" over ranges of buckets puts the days
 * together. A unit is in one range for ever, so no row changes hands. Signals count up to the end of the day `as_of`, and weights are as of then. */
#include <inttypes.h>

#include "base/clock.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/params.h"
#include "trainer/jobs/unit_rows.h"
#include "trainer/kernels/units/unit_items.h"

enum { ARENA_FIRST = 1 << 16 };

static const struct pg_stmt write_current = {
    "unit_items_current", 5,
    "insert into unit_tables_current (of_table, run, as_of, params, rows) values ($1, $2::uuid, $3::date, $4::jsonb, "
    "$5::bigint) "
    "on conflict (of_table) do update set run = excluded.run, as_of = excluded.as_of, params = excluded.params, "
    "rows = excluded.rows, published_at = now()"
};

/* In what the two jobs differ. */
struct kind {
    const char *name, *table, *columns, *words;
    enum unit_item_order order;
    bool queries;
};
static const struct kind preferences = {
    "preferences", "user_item_prefs", UNIT_ITEMS_PREFS_COLUMNS, "documents of units", UNIT_ITEM_BY_WEIGHT, false,
};
static const struct kind history = {
    "history", "user_query_history", UNIT_ITEMS_HISTORY_COLUMNS, "queries of units", UNIT_ITEM_BY_TIME, true,
};

struct plan {
    const struct kind *kind;
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct day_rules rules;
    struct unit_items_params params;
    struct str text; /* of the params */
    int pass;        /* of the rows */
};

/* ---- parameters ---- */

static bool read_params(struct plan *p, struct err *err)
{
    struct unit_items_params *out = &p->params;
    out->archive = str_of(p->run->archive_dir);
    out->queries = p->kind->queries;
    out->weights_text = str_of(p->run->param(p->run, "weights"));
    out->half_life_us = (int64_t)(run_real(p->run, "half_life_days") * (double)US_PER_DAY);
    out->limits = (struct unit_item_limits){ .order = p->kind->order,
                                             .minimum = run_real(p->run, "minimum"),
                                             .top = (uint32_t)run_whole(p->run, "top") };
    return signal_weights_read(out->weights_text, &p->arena, &out->weights, err) ||
           err_prefix(err, "parameter \"weights\": ");
}

static bool plan_days(struct plan *p, struct err *err)
{
    int32_t as_of = run_day(p->run, "as_of", clock_day(p->days.now_us));
    int32_t days = (int32_t)run_whole(p->run, "days");
    if (!day_plan_days(&p->days, days ? as_of - days + 1 : INT32_MIN, as_of, err))
        return false;
    p->params.as_of_us = (as_of + 1) * US_PER_DAY;
    p->rules = (struct day_rules){ .kernel = UNIT_ITEMS_DAY_KERNEL,
                                   .by_unit = true,
                                   .program = unit_items_program(&p->params, &p->arena) };
    return unit_items_params_write(&p->params, &p->arena, &p->text, err);
}

/* ---- passes ---- */

static bool pass_units(struct plan *p, struct err *err)
{
    struct engine_split *splits = arena_alloc(&p->arena, p->days.ranges * sizeof *splits);
    for (uint32_t i = 0; i < p->days.ranges; i++)
        splits[i] = day_plan_range(&p->days, i);
    struct engine_pass pass = { .name = "units",
                                .kernel = UNIT_ITEMS_RANGE_KERNEL,
                                .params = p->text,
                                .snapshot = p->days.snapshot,
                                .splits = splits,
                                .splits_count = p->days.ranges,
                                .input_pass = p->days.pass,
                                .out = ENGINE_PUBLISH,
                                .table = p->kind->table,
                                .columns = p->kind->columns,
                                .reads_database = true };
    return run_pass_numbered(p->run, &pass, &p->pass, err);
}

static bool compute(void *arg, struct err *err)
{
    struct plan *p = arg;
    return day_plan_pass(&p->days, &p->rules, "days", p->text, err) && pass_units(p, err);
}

/* ---- the jobs ---- */

static bool note(struct plan *p, const char *as_of, uint64_t rows, struct err *err)
{
    const char *params[] = { p->kind->table, p->run->id, as_of, p->text.p,
                             arena_printf(&p->arena, "%" PRIu64, rows).p };
    AUTO(pg_result_free) PGresult *r = pg_run(p->run->pg, &write_current, params, err);
    return r != NULL;
}

static bool publish(struct plan *p, struct err *err)
{
    char as_of[CLOCK_TEXT_MAX];
    uint64_t rows;
    (void)clock_format_day(clock_day(p->params.as_of_us) - 1, as_of);
    if (!run_publish_begin(p->run, err) ||
        !unit_rows_replace(p->run, p->kind->table, p->kind->columns, engine_staging(p->run->engine, p->pass), &rows,
                           err) ||
        !note(p, as_of, rows, err))
        return false;
    run_result(p->run, "{\"rows\":%" PRIu64 ",\"days\":%zu,\"as_of\":\"%s\"}", rows, p->days.days_count, as_of);
    if (!run_publish_end(p->run, err))
        return false;
    run_say(p->run, "%s: %" PRIu64 " %s, of %zu days up to %s", p->kind->name, rows, p->kind->words, p->days.days_count,
            as_of);
    return true;
}

static bool run_kind(const struct kind *kind, struct run_context *run, struct err *err)
{
    struct plan p = { .kind = kind, .run = run };
    arena_init(&p.arena, ARENA_FIRST);
    bool ok = read_params(&p, err) && day_plan_open(&p.days, run, &p.arena, NULL, 0, err) && plan_days(&p, err) &&
              day_plan_compute(&p.days, &p.rules, compute, &p, err) && publish(&p, err);
    day_plan_close(&p.days);
    arena_release(&p.arena);
    return ok;
}

static bool run_preferences(struct run_context *run, struct err *err)
{
    return run_kind(&preferences, run, err);
}

static bool run_history(struct run_context *run, struct err *err)
{
    return run_kind(&history, run, err);
}

const struct job job_preferences = { "preferences", run_preferences };
const struct job job_history = { "history", run_history };
