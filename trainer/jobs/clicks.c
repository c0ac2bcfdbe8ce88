/* The job "clicks": clicks, carts, purchases … → the weight of each document for each query.
 *
 * Pass 1 over (day × bucket range) gathers the events of a day by query and leaves them in parts; what it makes of days that are as they were is kept
 * from an earlier run. Pass 2, a split for each part, adds them up day after day, without units that are marked. All rows are published together, in
 * place of those that were there. Whether days were kept or read, and into how many ranges they were cut, the rows are the same to the last bit. */
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/clicks_plan.h"
#include "trainer/jobs/params.h"

enum stmt { LOCK, DELETE, TAKE_ROWS, CURRENT, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    /* Two runs at once: what the second one deletes has to be what the first one wrote, so it looks only when that is there. */
    [LOCK] = { "clicks_lock", 0, "select pg_advisory_xact_lock(hashtext('experimentd query_doc_weights'))" },
    [DELETE] = { "clicks_delete", 0, "delete from query_doc_weights" },
    [TAKE_ROWS] = { "clicks_take", 2,
                    "select staging_take('query_doc_weights', '" CLICKS_COLUMN_NAMES "', $1::uuid, $2::int)" },
    [CURRENT] = { "clicks_current", 4,
                  "insert into query_doc_weights_current (run, as_of, params, rows) values ($1::uuid, $2::date, "
                  "$3::jsonb, $4::bigint) on conflict (singleton) do update set run = excluded.run, as_of = "
                  "excluded.as_of, params = excluded.params, rows = excluded.rows, published_at = now()" },
};

struct clicks {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct clicks_plan plan;
    uint32_t window;  /* days; 0: all */
    int weights_pass; /* its number */
};

/* ---- parameters ---- */

/* What readers of the table are told. */
static bool write_told(const struct clicks *c, struct buf *b, struct err *err)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "weights", '{');
    for (uint32_t i = 0; i < c->plan.rules.types_count; i++)
        jsonw_double(&w, arena_cstr((struct arena *)(uintptr_t)&c->arena, c->plan.rules.types[i]),
                     c->plan.rules.weights[i]);
    jsonw_close(&w);
    jsonw_double(&w, "half_life_days", c->plan.rules.half_life_days);
    jsonw_double(&w, "position_power", c->plan.rules.position_power);
    jsonw_i64(&w, "days", c->window);
    jsonw_i64(&w, "min_signals", (int64_t)c->plan.rules.min_signals);
    jsonw_i64(&w, "top", c->plan.rules.top);
    jsonw_str(&w, "filters", c->plan.filters);
    jsonw_close(&w);
    return buf_ok(b, "the parameters", err);
}

/* ---- passes ---- */

/* Its rows go to a staging table. */
static bool pass_weights(struct clicks *c, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&c->arena, CLICKS_PARTS * sizeof *splits);
    for (uint32_t i = 0; i < CLICKS_PARTS; i++)
        splits[i] = day_plan_part(&c->days, i);
    const struct engine_pass pass = { .name = "weights",
                                      .kernel = "clicks.weights@1",
                                      .params = c->plan.merging,
                                      .snapshot = c->days.snapshot,
                                      .reads_database = true, /* which units are marked */
                                      .splits = splits,
                                      .splits_count = CLICKS_PARTS,
                                      .input_pass = c->days.pass,
                                      .out = ENGINE_PUBLISH,
                                      .table = "query_doc_weights",
                                      .columns = CLICKS_COLUMN_NAMES };
    return run_pass_numbered(c->run, &pass, &c->weights_pass, err);
}

/* ---- publishing ---- */

static bool write_current(struct clicks *c, const char *rows, const char *as_of, struct err *err)
{
    AUTO(buf_release) struct buf told;
    buf_init(&told, CLICKS_JSON_MAX);
    if (!write_told(c, &told, err))
        return false;
    const char *params[] = { c->run->id, as_of, told.p, rows };
    AUTO(pg_result_free) PGresult *r = pg_run(c->run->pg, &statements[CURRENT], params, err);
    return r != NULL;
}

static bool publish(struct clicks *c, struct err *err)
{
    char as_of[CLOCK_TEXT_MAX];
    const char *pass[] = { c->run->id, arena_printf(&c->arena, "%d", c->weights_pass).p };
    if (!run_publish_begin(c->run, err))
        return false;
    AUTO(pg_result_free) PGresult *l = pg_run(c->run->pg, &statements[LOCK], NULL, err);
    AUTO(pg_result_free) PGresult *d = l ? pg_run(c->run->pg, &statements[DELETE], NULL, err) : NULL;
    AUTO(pg_result_free) PGresult *t = d ? pg_run(c->run->pg, &statements[TAKE_ROWS], pass, err) : NULL;
    const char *rows = t ? PQgetvalue(t, 0, 0) : "";
    if (!t || !write_current(c, rows, clock_format_day(c->plan.rules.as_of, as_of), err))
        return false;
    run_result(c->run, "{\"rows\":%s,\"as_of\":\"%s\",\"days\":%zu,\"splits\":%zu,\"kept\":%zu}", rows, as_of,
               c->days.days_count, c->days.days_count * c->days.ranges, day_plan_kept(&c->days));
    if (!run_publish_end(c->run, err))
        return false;
    run_say(c->run, "clicks: %s weights as of the end of %s", rows, as_of);
    return true;
}

/* ---- the job ---- */

static bool compute(void *arg, struct err *err)
{
    struct clicks *c = arg;
    return day_plan_pass(&c->days, &c->plan.day_rules, "days", c->plan.params, err) && pass_weights(c, err) &&
           publish(c, err);
}

static bool plan_and_compute(struct clicks *c, struct err *err)
{
    if (!day_plan_open(&c->days, c->run, &c->arena, NULL, 0, err))
        return false;
    int32_t as_of = run_day(c->run, "as_of", clock_day(c->days.now_us));
    c->window = (uint32_t)run_whole(c->run, "days");
    int32_t from = c->window ? as_of - (int32_t)c->window + 1 : INT32_MIN;
    return clicks_plan_read(&c->plan, c->run, &c->arena, as_of, err) && day_plan_days(&c->days, from, as_of, err) &&
           day_plan_compute(&c->days, &c->plan.day_rules, compute, c, err);
}

static bool run_clicks(struct run_context *run, struct err *err)
{
    struct clicks c = { .run = run };
    arena_init(&c.arena, 1 << 16);
    bool ok = plan_and_compute(&c, err);
    day_plan_close(&c.days);
    arena_release(&c.arena);
    return ok;
}

const struct job job_clicks = { "clicks", run_clicks };
