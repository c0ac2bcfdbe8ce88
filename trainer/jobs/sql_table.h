/* sql_table.h - the output tables of the job "sql": tables of the schema "aggregations", listed in aggregation_tables.
 *
 * A table's columns are keys and measures. When a select gives other columns than the table has, the new ones come with the new rows: those are gathered
 * beside it, in NAME__new, and the names change when they are published. */
#pragma once
#include "trainer/jobs/job.h"
#include "trainer/kernels/sql/sql_day.h"

enum { SQL_TABLE_NAME_MAX = 48 };

struct sql_table {
    const char *name;
    char target[SQL_TABLE_NAME_MAX + 32]; /* aggregations.NAME, or aggregations.NAME__new */
    struct str columns;                   /* "query, doc, n" */
    bool other;                           /* the target is to take the place of another one */
};

/* ERR_INVALID names the parameter "table". A table that is not listed is somebody else's, and an error. */
bool sql_table_make(struct run_context *run, const char *name, const struct sql_params *p, struct arena *arena,
                    struct sql_table *out, struct err *err) MUSTCHECK;
/* Inside the publishing transaction: the staged rows take the place of those that are there. days: the first and the last, or NULL. */
bool sql_table_publish(struct run_context *run, const struct sql_table *t, const struct sql_params *p,
                       const char *staging, const int32_t *days, uint64_t *out_rows, struct err *err) MUSTCHECK;
