#include "trainer/kernels/run_snapshot.h"

#include <stdio.h>

#include "base/pg.h"

static bool enter(struct pg *pg, const char *begin, struct str snapshot, struct err *err)
{
    char sql[200];
    for (size_t i = 0; i < snapshot.n; i++)
        if (!strchr("0123456789ABCDEFabcdef-", snapshot.p[i]))
            return err_set(err, ERR_INVALID, "params: the snapshot's name is not one of PostgreSQL's");
    (void)snprintf(sql, sizeof sql, "set transaction snapshot '" STR_FMT "'",
                   (int)(snapshot.n < 100 ? snapshot.n : 100), snapshot.p);
    return pg_exec(pg, begin, err) && (snapshot.n == 0 || pg_exec(pg, sql, err));
}

bool run_snapshot_enter(struct pg *pg, struct str snapshot, struct err *err)
{
    return enter(pg, "begin isolation level repeatable read read only", snapshot, err);
}

bool run_snapshot_enter_writing(struct pg *pg, struct str snapshot, struct err *err)
{
    return enter(pg, "begin isolation level repeatable read", snapshot, err);
}
