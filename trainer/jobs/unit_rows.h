/* unit_rows.h - publishing tables of units: rows of a run's staging table take the place of others, between run_publish_begin and run_publish_end.
 *
 * Such a table is locked first, against writers alone: readers see the rows of before until the end. A unit whose deletion was asked for while the run was under way
 * is left out: what the run saw of it does not come back. Names of tables and columns are ours. */
#pragma once
#include "trainer/jobs/job.h"

/* Locks out others that write to the table: deletions of units, and other runs. */
bool unit_rows_lock(struct run_context *run, const char *table, struct err *err) MUSTCHECK;
/* Inserts the staged rows (columns: "bucket, unit, …"). where: SQL that chooses of them ("s" is a row), or NULL. */
bool unit_rows_insert(struct run_context *run, const char *table, const char *columns, const char *staging,
                      const char *where, uint64_t *out_rows, struct err *err) MUSTCHECK;
/* Drops the staging table, and what is noted of splits of the run. */
bool unit_rows_drop(struct run_context *run, const char *staging, struct err *err) MUSTCHECK;
/* Locks, deletes all rows, inserts, drops the staging table. */
bool unit_rows_replace(struct run_context *run, const char *table, const char *columns, const char *staging,
                       uint64_t *out_rows, struct err *err) MUSTCHECK;
