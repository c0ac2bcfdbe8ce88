#include "trainer/jobs/unit_rows.h"

#include <stdlib.h>

enum { SQL_MAX = 4096 };

static const struct pg_stmt forget_splits = { "unit_rows_forget", 1, "delete from run_splits where run = $1::uuid" };

static bool execute(struct run_context *run, const struct buf *sql, uint64_t *out_rows, struct err *err)
{
    const struct pg_stmt stmt = { "publish_rows", 0, sql->p };
    if (!buf_ok(sql, "a statement", err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &stmt, NULL, err);
    return r && (!out_rows || parse_u64(str_of(PQcmdTuples(r)), out_rows, err));
}

bool unit_rows_lock(struct run_context *run, const char *table, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql, "lock table %s in share row exclusive mode", table);
    return execute(run, &sql, NULL, err);
}

bool unit_rows_insert(struct run_context *run, const char *table, const char *columns, const char *staging,
                      const char *where, uint64_t *out_rows, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql,
             "insert into %s (%s) select %s from %s s where not exists (select 1 from unit_deletions d where d.unit = "
             "s.unit and d.state <> 'done')%s%s",
             table, columns, columns, staging, where ? " and " : "", where ? where : "");
    return execute(run, &sql, out_rows, err);
}

bool unit_rows_drop(struct run_context *run, const char *staging, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql, "drop table %s", staging);
    const char *params[] = { run->id };
    AUTO(pg_result_free) PGresult *forgotten = pg_run(run->pg, &forget_splits, params, err);
    return forgotten && execute(run, &sql, NULL, err);
}

bool unit_rows_replace(struct run_context *run, const char *table, const char *columns, const char *staging,
                       uint64_t *out_rows, struct err *err)
{
    AUTO(buf_release) struct buf delete;
    buf_init(&delete, SQL_MAX);
    buf_addf(&delete, "delete from %s", table);
    return unit_rows_lock(run, table, err) && execute(run, &delete, NULL, err) &&
           unit_rows_insert(run, table, columns, staging, NULL, out_rows, err) && unit_rows_drop(run, staging, err);
}
