/* pgtest.h - a PostgreSQL database of its own for each test that asks for one.
 *
 * The server is started once for the whole run (test_cluster, a CTest fixture; see README.md). Databases are copies of a template
 * with all migrations applied, owned by role experimentd, and dropped when the test's process ends. Every failure aborts the test
 * with the reason. */
#pragma once
#include "base/pg.h"

#define PGTEST_TEMPLATE "pgtest_template"

/* The connection string of a new database: migrated, or empty. Lives as long as the process. */
const char *pgtest_url(void);
const char *pgtest_empty_url(void);
/* A connection to a new migrated database, with the statements prepared (table may be NULL). The caller closes it. */
struct pg *pgtest_open(const struct pg_stmt *table, size_t count);
/* A further connection to a database. */
struct pg *pgtest_connect(const char *url, const struct pg_stmt *table, size_t count);
/* The superuser in database postgres, for what only that may do. The caller closes it. */
struct pg *pgtest_superuser(void);
/* Runs a statement that must succeed. */
void pgtest_exec(struct pg *pg, const char *sql);
/* The first column of the first row of a query, as a number. */
int64_t pgtest_number(struct pg *pg, const char *sql);
