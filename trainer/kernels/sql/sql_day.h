/* sql_day.h - what the job "sql" and its kernels say to each other.
 *
 * "sql.day@1": a select over the rows of one day (and range of buckets, when units are a key) → records of rollup.h, by parts of their keys. params:
 * struct sql_params as JSON; desc "DAY LO HI". "sql.total@1": the records of all days → rows of the output table; desc "LO HI DAY DAY …" when units
 * are a key, else "PART RANGES DAY DAY …". */
#pragma once
#include "trainer/kernels/sql/rollup.h"

#define SQL_DAY_KERNEL "sql.day@1"
#define SQL_TOTAL_KERNEL "sql.total@1"

enum { SQL_PARTS = 16, SQL_SELECT_MAX = 20000 };
extern const struct kernel kernel_sql_day, kernel_sql_total;

enum sql_marks { SQL_MARKED_UNITS, SQL_MARKED_ROWS, SQL_MARKED_NONE, SQL_MARKS_COUNT }; /* whose rows are left out */
extern const char *const sql_marks_names[SQL_MARKS_COUNT];                              /* units, rows, none */

struct sql_params {
    struct str archive; /* {NULL, 0}: none is known */
    struct str select, keys, measures;
    const struct rollup_column *columns; /* of the select */
    size_t columns_count;
    struct rollup rollup; /* made of these */
    bool of_units;        /* a key is "unit" */
    enum sql_marks marks;
    int64_t timeout_s; /* of a day's select */
};

bool sql_params_read(struct str json, struct sql_params *out, struct arena *arena, struct err *err) MUSTCHECK;
bool sql_params_write(const struct sql_params *p, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
/* Makes rollup and of_units of the rest. */
bool sql_params_make(struct sql_params *p, struct arena *arena, struct err *err) MUSTCHECK;
