#include "trainer/kernels/run_snapshot.h"

#include <stdio.h>

#include "trainer/engine/task.h"

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

static void give_up(struct pg **connection)
{
    pg_close(*connection);
    *connection = NULL;
}

struct pg *run_snapshot_open(struct task *t, struct err *err)
{
    struct pg **connection = task_connection(t);
    struct err why;
    if (*connection && run_snapshot_enter(*connection, task_snapshot(t), &why))
        return *connection;
    give_up(connection); /* it has broken since the last task, if there was one */
    *connection = pg_open(task_database_url(t), "trainer worker", NULL, 0, err);
    if (*connection && !run_snapshot_enter(*connection, task_snapshot(t), err))
        give_up(connection);
    return *connection;
}

void run_snapshot_close(struct pg *pg)
{
    if (pg && PQtransactionStatus(pg->conn) == PQTRANS_INTRANS)
        pg_rollback(pg);
}
