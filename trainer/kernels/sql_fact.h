/* sql_fact.h - the rows of facts that an administrator wrote as a select of (unit, at, value).
 *
 * The select runs inside one of ours that takes the rows of one day, in the caller's transaction, which is to be read only, as one
 * statement (a second one is refused), for SQL_FACT_SECONDS at most for each piece. Units are taken by their bucket here: the hash that
 * the tables' buckets are made with is none that SQL has. A select that looks at a column `at` with an index is fast; each range of buckets runs it
 * once for each day. */
#pragma once
#include "trainer/kernels/program.h"

struct pg;

enum { SQL_FACT_SECONDS = 120, SQL_FACT_PIECE_ROWS = 10000 };

struct sql_row {
    struct str unit;
    int64_t at_us;
    double value; /* NAN: null */
};
typedef bool (*sql_row_fn)(void *arg, uint32_t fact, const struct sql_row *row, struct err *err);

struct sql_range {
    int64_t from_us, to_us;
    unsigned lo, hi;
};

/* Rows of all facts of SQL of the program. */
bool sql_facts_scan(struct pg *pg, const struct program *p, const struct sql_range *range, sql_row_fn fn, void *arg,
                    struct err *err) MUSTCHECK;
/* Whether the select gives such columns at all; nothing is read. Inside a transaction, which a failure ends. */
bool sql_fact_check(struct pg *pg, struct str select, struct err *err) MUSTCHECK;
