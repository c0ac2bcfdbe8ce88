/* The job "sql": a select of somebody's over the signals of each day → one table of all days.
 *
 * Pass "days": PostgreSQL runs the select over each day (and range of buckets, when units are a key), in the run's snapshot and read only; its rows are
 * kept as long as the day is as it was. Pass "total" puts the days together by the measures, and the table is published whole. */
#include <inttypes.h>

#include "base/clock.h"
#include "trainer/jobs/day_plan.h"
#include "trainer/jobs/params.h"
#include "trainer/jobs/sql_table.h"
#include "trainer/kernels/sql/sql_view.h"

enum { ARENA_FIRST = 1 << 16, STATEMENT_MAX = SQL_SELECT_MAX + 16384, PROGRAM_MAX = 128 << 10, NAME_SHOWN = 60 };

static const struct pg_stmt plan_statements[] = {
    { "sql_marked", 0,
      "select coalesce(md5(string_agg(unit, E'\\n' order by unit collate \"C\")), '') from marked_units where mark <> "
      "0" },
};

/* Types of PostgreSQL by their number in pg_type, which never changes. */
static const struct {
    Oid oid;
    enum rollup_type type;
} types[] = { { 16, ROLLUP_BOOL },   { 20, ROLLUP_WHOLE },  { 21, ROLLUP_WHOLE },  { 23, ROLLUP_WHOLE },
              { 700, ROLLUP_REAL },  { 701, ROLLUP_REAL },  { 1700, ROLLUP_REAL }, { 18, ROLLUP_TEXT },
              { 19, ROLLUP_TEXT },   { 25, ROLLUP_TEXT },   { 1042, ROLLUP_TEXT }, { 1043, ROLLUP_TEXT },
              { 2950, ROLLUP_TEXT }, { 1184, ROLLUP_TIME }, { 1082, ROLLUP_DATE } };

struct plan {
    struct run_context *run;
    struct arena arena;
    struct day_plan days;
    struct day_rules rules;
    struct sql_params params;
    struct sql_table table;
    struct str text; /* of the params */
    int pass;        /* of the rows */
};

/* ---- parameters ---- */

static bool read_params(struct plan *p, struct err *err)
{
    const char *measures = p->run->param(p->run, "measures"), *marked = p->run->param(p->run, "marked");
    p->params = (struct sql_params){ .archive = str_of(p->run->archive_dir),
                                     .select = str_of(p->run->param(p->run, "select")),
                                     .keys = str_of(p->run->param(p->run, "keys")),
                                     .measures = measures ? str_of(measures) : STR(""),
                                     .timeout_s = run_whole(p->run, "select_seconds") };
    for (int i = 0; i < SQL_MARKS_COUNT; i++)
        if (strcmp(marked, sql_marks_names[i]) == 0)
            p->params.marks = (enum sql_marks)i;
    return sql_select_check(p->params.select, err);
}

/* ---- the select's columns ---- */

static bool column_of(const PGresult *r, int i, struct rollup_column *out, struct arena *arena, struct err *err)
{
    const char *name = PQfname(r, i);
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    out->name = arena_str(arena, str_of(name));
    if (n == 0 || name[n] || n > ROLLUP_NAME_MAX)
        return err_set(err, ERR_INVALID,
                       "select: column %d is named \"%.60s\": give it a name of small letters, digits and _", i + 1,
                       name);
    for (size_t t = 0; t < COUNT_OF(types); t++)
        if (types[t].oid == PQftype(r, i)) {
            out->type = types[t].type;
            return true;
        }
    return err_set(err, ERR_INVALID,
                   "select: column \"%.*s\" is of no type that is known here: cast it to a number, text, boolean, date "
                   "or timestamptz",
                   NAME_SHOWN, name);
}

static bool take_columns(struct plan *p, const PGresult *r, struct err *err)
{
    struct rollup_column *columns = arena_zalloc(&p->arena, ((size_t)PQnfields(r) + 1) * sizeof *columns);
    for (int i = 0; i < PQnfields(r); i++)
        if (!column_of(r, i, &columns[i], &p->arena, err))
            return false;
    p->params.columns = columns;
    p->params.columns_count = (size_t)PQnfields(r);
    return true;
}

/* What the database says of the select, over a day that has no rows. */
static bool describe(struct plan *p, struct err *err)
{
    const struct sql_view none = { .split = { 0, 0, 0 }, .marks = p->params.marks };
    AUTO(buf_release) struct buf b;
    buf_init(&b, STATEMENT_MAX);
    sql_view_statement(&b, &none, p->params.select, NULL);
    if (!buf_ok(&b, "the statement of a day", err) ||
        !sql_view_check(p->days.pg, buf_str(&b), p->params.timeout_s, err))
        return false;
    AUTO(pg_result_free) PGresult *prepared = PQprepare(p->days.pg->conn, "sql_select", b.p, 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        return pg_err(p->days.pg->conn, prepared, "select", err);
    AUTO(pg_result_free) PGresult *r = PQdescribePrepared(p->days.pg->conn, "sql_select");
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return pg_err(p->days.pg->conn, r, "select", err);
    return take_columns(p, r, err) && sql_params_make(&p->params, &p->arena, err);
}

/* ---- the plan ---- */

/* Records of days know nothing of marks where units are a key: the total leaves those units out. Else all that are marked are part of what days
 * depend on. */
static bool make_program(struct plan *p, struct err *err)
{
    AUTO(buf_release) struct buf b;
    const struct rollup *r = &p->params.rollup;
    buf_init(&b, PROGRAM_MAX);
    buf_addf(&b, "%s %zu " STR_FMT, sql_marks_names[p->params.marks], p->params.select.n, STR_ARG(p->params.select));
    for (uint32_t c = 0; c < r->columns_count; c++)
        buf_addf(&b, " " STR_FMT " %d", STR_ARG(r->columns[c].name), r->columns[c].type);
    buf_addf(&b, " %u", r->keys_count);
    if (p->params.marks == SQL_MARKED_UNITS && !p->params.of_units) {
        AUTO(pg_result_free) PGresult *marked = pg_run(p->days.pg, &plan_statements[0], NULL, err);
        if (!marked)
            return false;
        buf_addf(&b, " " STR_FMT, STR_ARG(pg_get(marked, 0, 0)));
    }
    p->rules = (struct day_rules){ .kernel = SQL_DAY_KERNEL,
                                   .program = arena_str(&p->arena, buf_str(&b)),
                                   .parts = p->params.of_units ? 1 : SQL_PARTS };
    return buf_ok(&b, "what the days depend on", err);
}

static bool make_plan(struct plan *p, struct err *err)
{
    int32_t as_of = run_day(p->run, "as_of", clock_day(p->days.now_us));
    int32_t days = (int32_t)run_whole(p->run, "days");
    if (!describe(p, err) || !sql_params_write(&p->params, &p->arena, &p->text, err) || !make_program(p, err) ||
        !sql_table_make(p->run, p->run->param(p->run, "table"), &p->params, &p->arena, &p->table, err))
        return false;
    if (!p->params.of_units)
        p->days.ranges = 1;
    return day_plan_days(&p->days, days ? as_of - days + 1 : INT32_MIN, as_of, err);
}

/* ---- passes ---- */

static bool pass_total(struct plan *p, struct err *err)
{
    uint32_t count = p->params.of_units ? p->days.ranges : SQL_PARTS;
    struct engine_split *splits = arena_alloc(&p->arena, count * sizeof *splits);
    for (uint32_t i = 0; i < count; i++)
        splits[i] = p->params.of_units ? day_plan_range(&p->days, i) : day_plan_part(&p->days, i);
    struct engine_pass pass = { .name = "total",
                                .kernel = SQL_TOTAL_KERNEL,
                                .params = p->text,
                                .snapshot = p->days.snapshot,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = p->days.pass,
                                .out = ENGINE_PUBLISH,
                                .table = p->table.target,
                                .columns = p->table.columns.p,
                                .reads_database = true };
    return run_pass_numbered(p->run, &pass, &p->pass, err);
}

static bool compute(void *arg, struct err *err)
{
    struct plan *p = arg;
    return day_plan_pass(&p->days, &p->rules, "days", p->text, err) && pass_total(p, err);
}

static bool publish(struct plan *p, struct err *err)
{
    size_t n = p->days.days_count;
    const int32_t days[] = { n ? p->days.days[0] : 0, n ? p->days.days[n - 1] : 0 };
    uint64_t rows;
    if (!run_publish_begin(p->run, err) ||
        !sql_table_publish(p->run, &p->table, &p->params, engine_staging(p->run->engine, p->pass), n ? days : NULL,
                           &rows, err))
        return false;
    run_result(p->run, "{\"rows\":%" PRIu64 ",\"days\":%zu,\"table\":\"aggregations.%s\"}", rows, n, p->table.name);
    if (!run_publish_end(p->run, err))
        return false;
    run_say(p->run, "sql: %" PRIu64 " rows of aggregations.%s, of %zu days", rows, p->table.name, n);
    return true;
}

/* ---- the job ---- */

static bool run_sql(struct run_context *run, struct err *err)
{
    struct plan p = { .run = run };
    arena_init(&p.arena, ARENA_FIRST);
    bool ok = read_params(&p, err) &&
              day_plan_open(&p.days, run, &p.arena, plan_statements, COUNT_OF(plan_statements), err) &&
              make_plan(&p, err) && day_plan_compute(&p.days, &p.rules, compute, &p, err) && publish(&p, err);
    day_plan_close(&p.days);
    arena_release(&p.arena);
    return ok;
}

const struct job job_sql = { "sql", run_sql };
