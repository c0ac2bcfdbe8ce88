#include "trainer/kernels/sql/sql_view.h"

#include "archive/scan.h"
#include "archive/table.h"
#include "base/clock.h"
#include "base/pgout.h"

enum { SIGNALS, EXPOSURES, TABLES, PIECE_BYTES = 256 << 10, ROW_MAX = 4 << 20, WHY_MAX = 200, TICK_ROWS = 4096 };
static const char *const tables[TABLES] = { "signals", "exposures" };

static const struct pg_stmt read_lengths = {
    "sql_view_lengths", 1,
    "select attlen from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum"
};
static const struct pg_stmt check_select = { "sql_view_check", 1, "select metric_sql_check($1)" };

/* ---- the text ---- */

/* Whether the select speaks of day_signals, or of day_exposures. */
static bool speaks_of(struct str select, int table)
{
    AUTO(mem_free) char *view = mem_printf("day_%s", tables[table]);
    return memmem(select.p, select.n, view, strlen(view)) != NULL;
}

static struct str without_semicolon(struct str select)
{
    struct str sql = str_trim(select);
    while (sql.n > 0 && sql.p[sql.n - 1] == ';')
        sql = str_trim((struct str){ sql.p, sql.n - 1 });
    return sql;
}

bool sql_select_check(struct str select, struct err *err)
{
    if (select.n > SQL_SELECT_MAX)
        return err_set(err, ERR_INVALID, "select: has %zu bytes, more than %d", select.n, SQL_SELECT_MAX);
    return speaks_of(select, SIGNALS) || speaks_of(select, EXPOSURES) ||
           err_set(err, ERR_INVALID, "select: reads neither day_signals nor day_exposures, the rows of one day");
}

static void add_rows(struct buf *b, const struct sql_view *v, int table, const char *from)
{
    char at[2][CLOCK_TEXT_MAX];
    buf_addf(b, "select * from %s s where s.at >= '%s' and s.at < '%s' and s.bucket between %u and %u", from,
             clock_format(v->split.day * US_PER_DAY, at[0]), clock_format((v->split.day + 1) * US_PER_DAY, at[1]),
             v->split.lo, v->split.hi);
    if (v->marks == SQL_MARKED_ROWS && table == SIGNALS)
        buf_add_c(b, " and s.mark = 0");
    if (v->marks == SQL_MARKED_UNITS && !v->of_units)
        buf_add_c(b, " and not exists (select 1 from marked_units m where m.unit = s.unit and m.mark <> 0)");
}

static void add_view(struct buf *b, const struct sql_view *v, int table)
{
    AUTO(mem_free) char *archived = mem_printf("pg_temp.archived_%s", tables[table]);
    buf_addf(b, "day_%s as not materialized (", tables[table]);
    add_rows(b, v, table, tables[table]);
    if (v->archived[table]) {
        buf_add_c(b, " union all ");
        add_rows(b, v, table, archived);
    }
    buf_add_byte(b, ')');
}

void sql_view_statement(struct buf *b, const struct sql_view *v, struct str select, const struct rollup *r)
{
    bool first = true;
    buf_add_c(b, "with ");
    for (int t = 0; t < TABLES; t++) {
        if (!speaks_of(select, t))
            continue;
        buf_add_c(b, first ? "" : ", ");
        add_view(b, v, t);
        first = false;
    }
    buf_add_c(b, " select ");
    for (uint32_t c = 0; r && c < r->columns_count; c++)
        buf_addf(b, "%sr.\"" STR_FMT "\"::%s", c ? ", " : "", STR_ARG(r->columns[c].name),
                 rollup_type_names[r->columns[c].type]);
    buf_addf(b, "%s from (", r ? "" : "r.*");
    buf_add_str(b, without_semicolon(select));
    buf_add_c(b, "\n) r");
}

/* ---- rows of files ---- */

struct loading {
    struct pg *pg;
    const struct archive_table *table;
    int lengths[ARCHIVE_COLUMNS_MAX]; /* in bytes, of each column; -1: varies */
    struct buf out;
    sql_tick_fn tick;
    void *arg;
    uint64_t rows;
};

static void put_value(struct loading *l, size_t column, const struct archive_value *v)
{
    const struct archive_column *c = &l->table->schema.columns[column];
    if (v->null && str_eq_c(c->name, "mark")) { /* a file from before there were marks */
        pg_copy_i16(&l->out, 0);
        return;
    }
    if (v->null) {
        pg_copy_null(&l->out);
        return;
    }
    switch (c->type) {
    case ARCHIVE_INT:
        if (l->lengths[column] == 2)
            pg_copy_i16(&l->out, (int16_t)v->i);
        else if (l->lengths[column] == 4)
            pg_copy_i32(&l->out, (int32_t)v->i);
        else
            pg_copy_i64(&l->out, v->i);
        break;
    case ARCHIVE_TIME:
        pg_copy_time(&l->out, v->i);
        break;
    case ARCHIVE_REAL:
        pg_copy_double(&l->out, v->d);
        break;
    case ARCHIVE_JSON:
        pg_copy_jsonb(&l->out, v->s);
        break;
    default:
        pg_copy_text(&l->out, v->s); /* uuids, too: 16 bytes */
    }
}

static bool load_row(void *arg, const struct archive_value *row, struct err *err)
{
    struct loading *l = arg;
    pg_copy_row(&l->out, (unsigned)l->table->schema.columns_count);
    for (size_t c = 0; c < l->table->schema.columns_count; c++)
        put_value(l, c, &row[c]);
    if (l->out.n >= PIECE_BYTES) {
        if (!buf_ok(&l->out, "a row of an archive file", err) || !pg_copy_send(l->pg, buf_str(&l->out), err))
            return false;
        buf_clear(&l->out);
    }
    return ++l->rows % TICK_ROWS != 0 || l->tick(l->arg, err);
}

static bool read_shape(struct loading *l, const char *temporary, struct err *err)
{
    const char *params[] = { temporary };
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &read_lengths, params, err);
    for (int i = 0; r && i < PQntuples(r) && i < ARCHIVE_COLUMNS_MAX; i++)
        l->lengths[i] = (int)pg_get_i64(r, i, 0);
    return r != NULL;
}

static bool copy_files(struct loading *l, struct pg *from, const char *dir, const struct sql_view *v, int table,
                       const char *temporary, struct err *err)
{
    const struct archive_scan scan = { .table = tables[table],
                                       .columns = l->table->schema.columns,
                                       .columns_count = l->table->schema.columns_count,
                                       .from_us = v->split.day * US_PER_DAY,
                                       .to_us = (v->split.day + 1) * US_PER_DAY,
                                       .lo = v->split.lo,
                                       .hi = v->split.hi,
                                       .where = "false" }; /* rows of partitions are read by the select itself */
    AUTO(mem_free) char *sql = mem_printf("copy %s from stdin (format binary)", temporary);
    uint64_t rows;
    buf_init(&l->out, ROW_MAX);
    pg_copy_header(&l->out);
    bool ok = pg_copy_begin(l->pg, sql, err) && archive_scan(from, dir, &scan, load_row, l, err);
    pg_copy_trailer(&l->out);
    ok = ok && buf_ok(&l->out, "a row of an archive file", err) && pg_copy_send(l->pg, buf_str(&l->out), err) &&
         pg_copy_end(l->pg, &rows, err);
    buf_release(&l->out);
    return ok;
}

static bool load_table(struct loading *l, struct pg *from, const char *dir, const struct sql_view *v, int table,
                       struct arena *arena, struct err *err)
{
    struct archive_table shape;
    AUTO(mem_free) char *temporary = mem_printf("pg_temp.archived_%s", tables[table]);
    AUTO(mem_free)
    char *create = mem_printf("create temporary table archived_%s on commit drop as select * from %s with no data",
                              tables[table], tables[table]);
    l->table = &shape;
    return archive_table_read(from, tables[table], v->split.day, arena, &shape, err) && pg_exec(l->pg, create, err) &&
           read_shape(l, temporary, err) && copy_files(l, from, dir, v, table, temporary, err);
}

bool sql_view_look(struct pg *pg, struct sql_view *v, struct str select, struct err *err)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 14);
    for (int t = 0; ok && t < TABLES; t++) {
        struct archive_entry *files;
        size_t count = 0;
        ok = !speaks_of(select, t) || archive_store_list(pg, tables[t], v->split.day, v->split.day, v->split.lo,
                                                         v->split.hi, &arena, &files, &count, err);
        v->archived[t] = count > 0;
    }
    arena_release(&arena);
    return ok;
}

bool sql_view_load(struct pg *from, struct pg *to, const char *archive, const struct sql_view *v, sql_tick_fn tick,
                   void *arg, struct err *err)
{
    struct loading l = { .pg = to, .tick = tick, .arg = arg };
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 14);
    for (int t = 0; ok && t < TABLES; t++)
        ok = !v->archived[t] || load_table(&l, from, archive, v, t, &arena, err);
    arena_release(&arena);
    return ok;
}

bool sql_view_check(struct pg *pg, struct str statement, int64_t timeout_s, struct err *err)
{
    AUTO(mem_free) char *text = mem_strndup(statement.p, statement.n);
    AUTO(mem_free)
    char *limits = mem_printf("set local statement_timeout = '%llds'; set local max_parallel_workers_per_gather = 0; "
                              "set local synchronize_seqscans = off; set transaction read only",
                              (long long)timeout_s);
    const char *params[] = { text };
    if (!pg_exec(pg, limits, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &check_select, params, err);
    return r && (!pg_get(r, 0, 0).p ||
                 err_set(err, ERR_INVALID, "select: " STR_FMT, STR_ARG(str_cut(pg_get(r, 0, 0), WHY_MAX))));
}
