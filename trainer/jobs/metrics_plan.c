#include "trainer/jobs/metrics_plan.h"

#include "archive/changes.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/sql_fact.h"

enum { JSON_MAX = 8 << 20 };

enum stmt { EXPERIMENTS, METRICS, NAMED, FIRST_DAY, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    /* $1: a key, or '' for all. Only those with a unit; days since 1970; nothing counts behind the day on which it was stopped, nor
     * exposures of phases before the current one, in which units may have had other variants; by cohorts the page shows an effect
     * over time, and a bandit compares within them. */
    [EXPERIMENTS] = { "plan_experiments", 1,
                      "select e.key, coalesce((e.stopped_at at time zone 'UTC')::date - date '1970-01-01', "
                      "2147483647), "
                      "case when e.phase > 1 then us(e.phase_started_at) else 0 end, e.kind in ('ab', 'bandit') "
                      "from experiments e "
                      "where ($1 = '' or e.key = $1) and (exists (select 1 from exposures x where x.experiment = "
                      "e.key) "
                      "or exists (select 1 from archived_exposures x where x.experiment = e.key)) "
                      "order by e.key collate \"C\"" },
    [METRICS] = { "plan_metrics", 0, "select key, spec from metrics order by key collate \"C\"" },
    /* $1: a key of an experiment. */
    [NAMED] = { "plan_named", 1,
                "select distinct metric collate \"C\" from experiment_metrics where experiment = $1 order by 1" },
    [FIRST_DAY] = { "plan_first_day", 0,
                    "select least((select (min(at) at time zone 'UTC')::date from exposures), "
                    "(select min(day) from archives where of_table = 'exposures')) - date '1970-01-01'" },
};

/* ---- definitions ---- */

struct definitions {
    const struct run_context *run;
    struct str *keys, *specs;
    uint32_t *numbers; /* in the run's list; PROGRAM_NONE: not named */
    size_t count;
    struct metric_def *defs; /* of the run's list */
    size_t named;
};

static bool read_definitions(struct definitions *d, struct metrics_plan *p, struct pg *pg, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[METRICS], NULL, err);
    if (!r)
        return false;
    d->count = (size_t)PQntuples(r);
    d->keys = arena_alloc(&p->arena, (d->count + 1) * sizeof *d->keys);
    d->specs = arena_alloc(&p->arena, (d->count + 1) * sizeof *d->specs);
    d->numbers = arena_alloc(&p->arena, (d->count + 1) * sizeof *d->numbers);
    d->defs = arena_alloc(&p->arena, (d->count + 1) * sizeof *d->defs);
    for (size_t i = 0; i < d->count; i++) {
        d->keys[i] = arena_str(&p->arena, pg_get(r, (int)i, 0));
        d->specs[i] = arena_str(&p->arena, pg_get(r, (int)i, 1));
        d->numbers[i] = PROGRAM_NONE;
    }
    return true;
}

/* A select may name a table that has gone since it was defined; that must not stop all other metrics. */
static bool select_works(const struct run_context *run, struct pg *pg, const struct metric_def *def, bool *out,
                         struct err *err)
{
    *out = true;
    for (size_t i = 0; i < def->facts_count; i++) {
        struct err why;
        if (def->facts[i].of != FACT_SQL)
            continue;
        if (!pg_exec(pg, "savepoint fact", err))
            return false;
        if (sql_fact_check(pg, def->facts[i].sql, &why))
            continue;
        *out = false;
        run_say(run, "metric \"" STR_FMT "\" is left out: %s", STR_ARG(def->key), why.text);
        if (!pg_exec(pg, "rollback to savepoint fact", err))
            return false;
    }
    return true;
}

/* *out: the metric's place in the run's list; PROGRAM_NONE: it is left out, and why was said. */
static bool number_of(struct definitions *d, struct metrics_plan *p, struct pg *pg, struct str key, uint32_t *out,
                      struct err *err)
{
    size_t i = 0;
    bool works;
    while (i < d->count && !str_eq(d->keys[i], key))
        i++;
    *out = PROGRAM_NONE;
    if (i == d->count)
        return true;
    if (d->numbers[i] == PROGRAM_NONE) {
        struct metric_def *def = &d->defs[d->named];
        if (!metric_parse(d->specs[i], &p->arena, def, err) || !select_works(d->run, pg, def, &works, err))
            return false;
        if (!works)
            return true;
        d->numbers[i] = (uint32_t)d->named++;
    }
    *out = d->numbers[i];
    return true;
}

/* ---- the params ---- */

static bool write_named(struct jsonw *w, struct definitions *d, struct metrics_plan *p, struct pg *pg,
                        size_t experiment, struct err *err)
{
    const char *params[] = { p->keys[experiment].p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[NAMED], params, err);
    if (!r)
        return false;
    jsonw_open(w, "metrics", '[');
    for (int i = 0; i < PQntuples(r); i++) {
        uint32_t number;
        if (!number_of(d, p, pg, pg_get(r, i, 0), &number, err))
            return false;
        if (number != PROGRAM_NONE)
            jsonw_i64(w, NULL, number);
    }
    jsonw_close(w);
    return true;
}

static bool write_experiments(struct jsonw *w, struct definitions *d, struct metrics_plan *p, struct pg *pg,
                              const char *only, struct err *err)
{
    const char *params[] = { only ? only : "" };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[EXPERIMENTS], params, err);
    if (!r)
        return false;
    p->experiments = (size_t)PQntuples(r);
    p->keys = arena_zalloc(&p->arena, (p->experiments + 1) * sizeof *p->keys);
    p->first_us = arena_zalloc(&p->arena, (p->experiments + 1) * sizeof *p->first_us);
    jsonw_open(w, "experiments", '[');
    for (int i = 0; i < (int)p->experiments; i++) {
        p->keys[i] = arena_str(&p->arena, pg_get(r, i, 0));
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", p->keys[i]);
        jsonw_i64(w, "last_day", pg_get_i64(r, i, 1));
        p->first_us[i] = pg_get_i64(r, i, 2);
        jsonw_i64(w, "first_us", p->first_us[i]);
        jsonw_bool(w, "cohorts", pg_get_bool(r, i, 3));
        if (!write_named(w, d, p, pg, (size_t)i, err))
            return false;
        jsonw_close(w);
    }
    jsonw_close(w);
    return true;
}

static void write_definitions(struct jsonw *w, const struct definitions *d)
{
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < d->named; i++) {
        jsonw_open(w, NULL, '{');
        metric_write(w, &d->defs[i]);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static bool plan_day_program(struct metrics_plan *p, const struct definitions *d, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "experiments", '[');
    for (size_t i = 0; i < p->experiments; i++) {
        jsonw_str(&w, NULL, p->keys[i]);
        jsonw_i64(&w, NULL, p->first_us[i]);
    }
    jsonw_close(&w);
    write_definitions(&w, d);
    jsonw_close(&w);
    p->day_program = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the program of a day", err);
}

static bool plan_params(struct metrics_plan *p, const struct run_context *run, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct pg *pg = p->by_day.pg;
    struct definitions d = { .run = run };
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    if (!read_definitions(&d, p, pg, err))
        return false;
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", run->archive_dir);
    jsonw_i64(&w, "data_end_us", p->by_day.now_us);
    if (!write_experiments(&w, &d, p, pg, run->param(run, "experiment"), err))
        return false;
    write_definitions(&w, &d);
    jsonw_close(&w);
    p->params = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the list of experiments", err) && plan_day_program(p, &d, err) &&
           program_make(d.defs, d.named, &p->arena, &p->program, err);
}

bool metrics_plan_params(struct metrics_plan *p, bool want_caps, const struct metrics_cap *caps, size_t count,
                         struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    buf_add(&b, p->params.p, p->params.n - 1); /* all but the closing bracket */
    buf_addf(&b, ",\"want_caps\":%s,\"caps\":", want_caps ? "true" : "false");
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        jsonw_open(&w, NULL, '[');
        jsonw_i64(&w, NULL, caps[i].day);
        jsonw_i64(&w, NULL, caps[i].experiment);
        jsonw_i64(&w, NULL, caps[i].metric);
        jsonw_double(&w, NULL, caps[i].value);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    buf_add_byte(&b, '}');
    *out = arena_str(&p->arena, buf_str(&b));
    return buf_ok(&b, "the caps of metrics", err);
}

/* ---- days ---- */

/* NULL: the data sets of days can be kept. */
static const char *why_not(const struct metrics_plan *p, const struct metrics_reach *r)
{
    if (p->program.facts_of[FACT_SQL])
        return "a metric is made by a select, whose tables may change at any time";
    if (r->ahead_us > US_PER_DAY || r->before_us > US_PER_DAY)
        return "a metric looks further than a day around its day";
    return NULL;
}

/* From the first exposure on, and what covariates need before it. */
static bool plan_days(struct metrics_plan *p, struct err *err)
{
    const struct metrics_reach reach = metrics_day_reach(&p->program);
    AUTO(pg_result_free) PGresult *r = pg_run(p->by_day.pg, &statements[FIRST_DAY], NULL, err);
    if (!r)
        return false;
    p->rules = (struct day_rules){ .kernel = METRICS_DAY_KERNEL,
                                   .by_unit = true,
                                   .program = p->day_program,
                                   .neighbours = reach.before_us > 0 || reach.ahead_us > CHANGES_HEAD_US,
                                   .not_why = why_not(p, &reach) };
    return day_plan_days(&p->by_day, (int32_t)pg_get_i64(r, 0, 0) - (int32_t)p->program.covariate_days, INT32_MAX, err);
}

/* ---- the plan ---- */

void metrics_plan_init(struct metrics_plan *p)
{
    *p = (struct metrics_plan){ .experiments = 0 };
    arena_init(&p->arena, 1 << 16);
}

bool metrics_plan_read(struct metrics_plan *p, struct run_context *run, struct err *err)
{
    return day_plan_open(&p->by_day, run, &p->arena, statements, STMT_COUNT, err) && plan_params(p, run, err) &&
           plan_days(p, err);
}

void metrics_plan_release(struct metrics_plan *p)
{
    day_plan_close(&p->by_day);
    arena_release(&p->arena);
}
