/* "sql.day@1": somebody's select over the rows of a day, run by PostgreSQL in the run's snapshot, read only → records by parts of their keys. Memory:
 * what the select gives for the day. */
#include "trainer/kernels/sql/sql_day.h"

#include <math.h>

#include "base/hash.h"
#include "base/pgout.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/sql/sql_view.h"

enum { STATEMENT_MAX = SQL_SELECT_MAX + 16384, TICK_ROWS = 4096 };

struct reading {
    struct task *task;
    const struct sql_params *params;
    struct sql_view view;
    struct rollup_day *day;
    uint64_t rows;
};

static bool tick(void *arg, struct err *err)
{
    const struct reading *r = arg;
    return task_tick(r->task, 0, err);
}

/* ---- rows ---- */

static struct rollup_value value_of(enum rollup_type type, struct str field)
{
    struct rollup_value v = { .null = !field.p };
    if (v.null)
        return v;
    switch (type) {
    case ROLLUP_REAL:
        v.d = pg_field_double(field);
        v.null = isnan(v.d);
        break;
    case ROLLUP_TEXT:
        v.s = field;
        break;
    case ROLLUP_BOOL:
        v.i = field.n == 1 && field.p[0];
        break;
    default:
        v.i = pg_field_i64(field);
    }
    return v;
}

/* A unit is in one range alone; one that the select made up would be in none or in several. */
static bool check_unit(const struct reading *r, const struct rollup_value *row, struct err *err)
{
    const struct rollup_value *unit = &row[rollup_key(&r->params->rollup, STR("unit"))];
    unsigned bucket = unit->null ? BUCKET_COUNT : hash_bucket(unit->s);
    return (bucket >= r->view.split.lo && bucket <= r->view.split.hi) ||
           err_set(err, ERR_INVALID, "select: its column \"unit\" is not the unit of the rows that it reads");
}

static bool add_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct reading *r = arg;
    const struct rollup *of = &r->params->rollup;
    struct rollup_value row[ROLLUP_COLUMNS_MAX];
    if (count != of->columns_count)
        return err_set(err, ERR_DB, "select: a row has %zu fields, not %u", count, of->columns_count);
    for (uint32_t c = 0; c < of->columns_count; c++)
        row[c] = value_of(of->columns[c].type, fields[c]);
    if (r->params->of_units && !check_unit(r, row, err))
        return false;
    if (!rollup_day_add(r->day, row, err))
        return err_prefix(err, "select: ");
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

/* ---- the select ---- */

static bool run_select(struct reading *r, struct pg *pg, struct err *err)
{
    AUTO(buf_release) struct buf statement;
    buf_init(&statement, STATEMENT_MAX);
    sql_view_statement(&statement, &r->view, r->params->select, &r->params->rollup);
    if (!buf_ok(&statement, "the statement of a day", err) ||
        !sql_view_check(pg, buf_str(&statement), r->params->timeout_s, err))
        return false;
    AUTO(mem_free) char *copy = mem_printf("copy (%s) to stdout (format binary)", statement.p);
    return pg_copy_out_waiting(pg, copy, "select", add_row, tick, r, err);
}

/* With rows of files the select runs on a connection of its own, on which the transaction writes at first: temporary tables. */
static bool read_archived(struct reading *r, struct pg *from, struct err *err)
{
    AUTO(pg_close) struct pg *to = pg_open(task_database_url(r->task), "trainer worker", NULL, 0, err);
    return to && run_snapshot_enter_writing(to, task_snapshot(r->task), err) &&
           sql_view_load(from, to, r->params->archive.p, &r->view, tick, r, err) && run_select(r, to, err);
}

static bool read_day(struct reading *r, struct err *err)
{
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    return pg && sql_view_look(pg, &r->view, r->params->select, err) &&
           (sql_view_is_archived(&r->view) ? read_archived(r, pg, err) : run_select(r, pg, err)) &&
           task_tick(r->task, r->rows % TICK_ROWS, err);
}

static bool emit(void *arg, struct str record, uint64_t hash, struct err *err)
{
    struct reading *r = arg;
    return task_emit(r->task, (uint32_t)(hash >> 32) % task_parts(r->task), record, err);
}

static bool run(struct task *t, struct err *err)
{
    struct sql_params p;
    struct reading r = { .task = t, .params = &p };
    if (!sql_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &r.view.split, err))
        return false;
    r.view.marks = p.marks;
    r.view.of_units = p.of_units;
    r.day = rollup_day_new(&p.rollup);
    bool ok = read_day(&r, err) && rollup_day_each(r.day, emit, &r, err);
    rollup_day_free(r.day);
    return ok;
}

const struct kernel kernel_sql_day = { SQL_DAY_KERNEL, run };
