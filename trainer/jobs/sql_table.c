#include "trainer/jobs/sql_table.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/unit_rows.h"

enum { SQL_MAX = 64 << 10 };

enum stmt { READ_TABLE, NOTE_TABLE, LOCK_NAME, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    /* Its columns, null when there is none; and whether it is ours. */
    [READ_TABLE] = { "sql_table_read", 1,
                     "select (select string_agg(format('\"%s\" %s', attname, format_type(atttypid, null)), ', ' order "
                     "by attnum) from "
                     "pg_attribute where attrelid = to_regclass('aggregations.' || $1) and attnum > 0 and not "
                     "attisdropped), "
                     "exists (select 1 from aggregation_tables where name = $1)" },
    [NOTE_TABLE] = { "sql_table_note", 7,
                     "insert into aggregation_tables (name, of_units, params, run, rows, from_day, to_day) values ($1, "
                     "$2, $3::jsonb, $4::uuid, $5, $6, $7) "
                     "on conflict (name) do update set of_units = excluded.of_units, params = excluded.params, run = "
                     "excluded.run, "
                     "rows = excluded.rows, from_day = excluded.from_day, to_day = excluded.to_day, published_at = "
                     "now()" },
    /* One run at a time makes or publishes a table. */
    [LOCK_NAME] = { "sql_table_lock", 1, "select pg_advisory_xact_lock(hashtext('aggregations.' || $1))" },
};

static bool execute(struct run_context *run, enum stmt stmt, const char *const *params, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[stmt], params, err);
    return r != NULL;
}

/* ---- making ---- */

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[0] >= 'a' && name[0] <= 'z' && !name[n] && n <= SQL_TABLE_NAME_MAX;
}

/* "\"query\" text, \"n\" bigint", as READ_TABLE gives it; or the names alone. */
static struct str columns_of(const struct rollup *r, bool types, struct arena *arena)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, SQL_MAX);
    for (uint32_t i = 0; i < r->keys_count + r->measures_count; i++) {
        bool key = i < r->keys_count;
        struct str name = key ? r->columns[i].name : r->measures[i - r->keys_count].name;
        enum rollup_type type = key ? r->columns[i].type : r->measures[i - r->keys_count].type;
        buf_addf(&b, "%s\"" STR_FMT "\"%s%s", i ? ", " : "", STR_ARG(name), types ? " " : "",
                 types ? rollup_type_names[type] : "");
    }
    return arena_str(arena, buf_str(&b));
}

/* A hash index takes keys of any length; deletions of units need theirs. */
static bool create(struct run_context *run, const char *target, const struct sql_params *p, struct str columns,
                   struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct str key = p->of_units ? STR("unit") : p->rollup.columns[0].name;
    buf_init(&b, SQL_MAX);
    buf_addf(&b, "create table %s (" STR_FMT "); create index on %s using hash (\"" STR_FMT "\")", target,
             STR_ARG(columns), target, STR_ARG(key));
    return buf_ok(&b, "the statement of a table", err) && pg_exec(run->pg, b.p, err);
}

static bool drop(struct run_context *run, const char *target, struct err *err)
{
    AUTO(mem_free) char *sql = mem_printf("drop table if exists %s", target);
    return pg_exec(run->pg, sql, err);
}

static bool make(struct run_context *run, const struct sql_params *p, struct sql_table *t, struct str shape,
                 struct err *err)
{
    const char *params[] = { t->name };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &statements[READ_TABLE], params, err);
    if (!r)
        return false;
    struct str there = pg_get(r, 0, 0);
    if (there.p && !pg_get_bool(r, 0, 1))
        return err_set(err, ERR_INVALID, "parameter \"table\": aggregations.%s is there, and was not made by this job",
                       t->name);
    t->other = there.p && !str_eq(there, shape);
    (void)snprintf(t->target, sizeof t->target, "aggregations.%s%s", t->name, t->other ? "__new" : "");
    if (t->other && !drop(run, t->target, err))
        return false;
    const char *note[] = { t->name, p->of_units ? "true" : "false", "{}", run->id, "0", NULL, NULL };
    return (there.p && !t->other) ||
           (create(run, t->target, p, shape, err) && (there.p || execute(run, NOTE_TABLE, note, err)));
}

bool sql_table_make(struct run_context *run, const char *name, const struct sql_params *p, struct arena *arena,
                    struct sql_table *out, struct err *err)
{
    *out = (struct sql_table){ .name = name, .columns = columns_of(&p->rollup, false, arena) };
    if (!is_name(name))
        return err_set(err, ERR_INVALID,
                       "parameter \"table\": \"%.60s\" is not a name of at most %d small letters, digits and _ that "
                       "begins with a letter",
                       name, SQL_TABLE_NAME_MAX);
    const char *params[] = { name };
    if (!pg_begin(run->pg, err))
        return false;
    if (execute(run, LOCK_NAME, params, err) && make(run, p, out, columns_of(&p->rollup, true, arena), err))
        return pg_commit(run->pg, err);
    pg_rollback(run->pg);
    return false;
}

/* ---- publishing ---- */

static bool take_place(struct run_context *run, const struct sql_table *t, struct err *err)
{
    AUTO(mem_free)
    char *sql = mem_printf("drop table aggregations.%s; alter table %s rename to %s", t->name, t->target, t->name);
    return pg_exec(run->pg, sql, err);
}

static bool move_rows(struct run_context *run, const struct sql_table *t, const struct sql_params *p,
                      const char *staging, uint64_t *out_rows, struct err *err)
{
    AUTO(mem_free)
    char *lock = mem_printf("lock table %s in share row exclusive mode; delete from %s", t->target, t->target);
    AUTO(mem_free)
    char *insert = mem_printf(
        "insert into %s (%s) select %s from %s s%s", t->target, t->columns.p, t->columns.p, staging,
        p->of_units ? " where not exists (select 1 from unit_deletions d where d.unit = s.unit and "
                      "d.state <> 'done')"
                    : "");
    const struct pg_stmt stmt = { "sql_table_rows", 0, insert };
    if (!pg_exec(run->pg, lock, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &stmt, NULL, err);
    return r && parse_u64(str_of(PQcmdTuples(r)), out_rows, err) && unit_rows_drop(run, staging, err) &&
           (!t->other || take_place(run, t, err));
}

static bool note(struct run_context *run, const struct sql_table *t, const struct sql_params *p, const int32_t *days,
                 uint64_t rows, struct err *err)
{
    char count[24], day[2][CLOCK_TEXT_MAX];
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, SQL_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "select", p->select);
    jsonw_str(&w, "keys", p->keys);
    jsonw_str(&w, "measures", p->measures);
    jsonw_text(&w, "marked", sql_marks_names[p->marks]);
    jsonw_close(&w);
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)rows);
    const char *params[] = { t->name,
                             p->of_units ? "true" : "false",
                             b.p,
                             run->id,
                             count,
                             days ? clock_format_day(days[0], day[0]) : NULL,
                             days ? clock_format_day(days[1], day[1]) : NULL };
    return buf_ok(&b, "the parameters", err) && execute(run, NOTE_TABLE, params, err);
}

bool sql_table_publish(struct run_context *run, const struct sql_table *t, const struct sql_params *p,
                       const char *staging, const int32_t *days, uint64_t *out_rows, struct err *err)
{
    const char *params[] = { t->name };
    return execute(run, LOCK_NAME, params, err) && move_rows(run, t, p, staging, out_rows, err) &&
           note(run, t, p, days, *out_rows, err);
}
