#include "trainer/kernels/sql_fact.h"

#include <assert.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pg.h"

enum { TEXT_MAX = METRIC_SQL_MAX + 1000, SHOWN_MAX = 60, WHY_MAX = 150 };

static const struct pg_stmt fetch_rows = { "sql_fact_fetch", 0, "fetch 10000 from fact_rows" };
static const struct pg_stmt check_select = { "sql_fact_check", 1, "select metric_sql_check($1)" };
static_assert(SQL_FACT_PIECE_ROWS == 10000, "the text above says so");

/* By the extended protocol, which takes one statement and no more. */
static bool run_one(struct pg *pg, struct str sql, struct str select, struct err *err)
{
    AUTO(mem_free) char *text = mem_strndup(sql.p, sql.n);
    const struct pg_stmt stmt = { "sql_fact", 0, text };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &stmt, NULL, err);
    return r || err_prefix(err, "sql \"" STR_FMT "\": ", STR_ARG(str_cut(select, SHOWN_MAX)));
}

static bool declare(struct pg *pg, struct str select, const struct sql_range *range, struct err *err)
{
    char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, TEXT_MAX);
    buf_add_c(&sql, "declare fact_rows no scroll cursor for select r.unit, us(r.at), r.value from (");
    fact_sql_rows(&sql, select);
    buf_addf(&sql, ") r where r.at >= '%s' and r.at < '%s' and r.unit is not null", clock_format(range->from_us, from),
             clock_format(range->to_us, to));
    return buf_ok(&sql, "the statement of a fact", err) && run_one(pg, buf_str(&sql), select, err);
}

static bool fetch_all(struct pg *pg, uint32_t fact, const struct sql_range *range, sql_row_fn fn, void *arg,
                      struct err *err)
{
    for (int rows = 1; rows > 0;) {
        AUTO(pg_result_free) PGresult *r = pg_run(pg, &fetch_rows, NULL, err);
        if (!r)
            return false;
        rows = PQntuples(r);
        for (int i = 0; i < rows; i++) {
            const struct sql_row row = { pg_get(r, i, 0), pg_get_i64(r, i, 1), pg_get_double(r, i, 2) };
            unsigned bucket = hash_bucket(row.unit);
            if (bucket >= range->lo && bucket <= range->hi && !fn(arg, fact, &row, err))
                return false;
        }
    }
    return true;
}

static bool set_timeout(struct pg *pg, int seconds, struct err *err)
{
    AUTO(mem_free) char *sql = mem_printf("set local statement_timeout = '%ds'", seconds);
    return pg_exec(pg, sql, err);
}

bool sql_facts_scan(struct pg *pg, const struct program *p, const struct sql_range *range, sql_row_fn fn, void *arg,
                    struct err *err)
{
    if (p->facts_of[FACT_SQL] == 0)
        return true;
    if (!set_timeout(pg, SQL_FACT_SECONDS, err))
        return false;
    for (uint32_t i = 0; i < p->facts_count; i++) {
        const struct metric_fact *f = &p->facts[i].fact;
        if (f->of != FACT_SQL)
            continue;
        if (!declare(pg, f->sql, range, err))
            return false;
        if (!fetch_all(pg, i, range, fn, arg, err))
            return err_prefix(err, "sql \"" STR_FMT "\": ", STR_ARG(str_cut(f->sql, SHOWN_MAX)));
        if (!pg_exec(pg, "close fact_rows", err))
            return false;
    }
    return set_timeout(pg, 0, err);
}

bool sql_fact_check(struct pg *pg, struct str select, struct err *err)
{
    const struct sql_range none = { .from_us = 0, .to_us = 0 };
    AUTO(mem_free) char *text = mem_strndup(select.p, select.n);
    const char *params[] = { text };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &check_select, params, err);
    if (!r)
        return false;
    if (pg_get(r, 0, 0).p)
        return err_set(err, ERR_INVALID, "sql \"" STR_FMT "\": " STR_FMT, STR_ARG(str_cut(select, SHOWN_MAX)),
                       STR_ARG(str_cut(pg_get(r, 0, 0), WHY_MAX)));
    return declare(pg, select, &none, err) && pg_exec(pg, "close fact_rows", err);
}
