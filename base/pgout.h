/* pgout.h - binary COPY out of PostgreSQL, row by row: the way in which passes and archives read tables. */
#pragma once
#include "base/pg.h"

/* One row: its fields as they came, {NULL, 0} for null. They live until the function returns; false ends the COPY. */
typedef bool (*pg_row_fn)(void *arg, const struct str *fields, size_t count, struct err *err);
enum { PG_FIELDS_MAX = 64 };

/* copy_sql: "copy (select …) to stdout (format binary)". `what` names it in errors. After a failure of `fn` the connection is left in the
 * middle of the COPY: close it. */
bool pg_copy_out(struct pg *pg, const char *copy_sql, const char *what, pg_row_fn fn, void *arg,
                 struct err *err) MUSTCHECK;
/* The same, of a statement that may think for long: `waiting` is called at least once a second until all rows are there; false ends the COPY. */
typedef bool (*pg_wait_fn)(void *arg, struct err *err);
bool pg_copy_out_waiting(struct pg *pg, const char *copy_sql, const char *what, pg_row_fn fn, pg_wait_fn waiting,
                         void *arg, struct err *err) MUSTCHECK;
int64_t pg_field_i64(struct str f);   /* smallint, integer, bigint; 0 for null */
double pg_field_double(struct str f); /* NAN for null */
int64_t pg_field_time(struct str f);  /* µs since 1970 */
