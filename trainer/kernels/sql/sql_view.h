/* sql_view.h - the rows of one day as a select of somebody's sees them: day_signals and day_exposures, wherever they lie.
 *
 *   with day_signals as (rows of signals of the day [and those of its archive files]) select … from (the select) r
 *
 * They have the columns of signals and exposures. Rows of archive files are loaded into temporary tables first; then the transaction is made read
 * only, before anything of the select runs. The text is run as one statement, checked by metric_sql_check; functions that only look like reading
 * are the database's to refuse. */
#pragma once
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/sql/sql_day.h"

struct pg;

struct sql_view {
    struct day_split split;
    enum sql_marks marks;
    bool of_units;    /* then marked units are left out later, by the total */
    bool archived[2]; /* of signals, exposures: some rows are in temporary tables */
};

/* "select: …": what is wrong with its text, as far as that can be said without a database. */
bool sql_select_check(struct str select, struct err *err) MUSTCHECK;
/* Adds the statement. r NULL: with all columns of the select, as they are. */
void sql_view_statement(struct buf *b, const struct sql_view *v, struct str select, const struct rollup *r);
/* Whether rows of the day that the select speaks of lie in files: v->archived. */
bool sql_view_look(struct pg *pg, struct sql_view *v, struct str select, struct err *err) MUSTCHECK;
static inline bool sql_view_is_archived(const struct sql_view *v)
{
    return v->archived[0] || v->archived[1];
}
/* The rows of these files into temporary tables of `to`, which is in a transaction that writes still; `from` is another connection in the
 * same snapshot. tick: now and then. */
typedef bool (*sql_tick_fn)(void *arg, struct err *err);
bool sql_view_load(struct pg *from, struct pg *to, const char *archive, const struct sql_view *v, sql_tick_fn tick,
                   void *arg, struct err *err) MUSTCHECK;
/* Makes the transaction read only and looks at the statement. "select: …" */
bool sql_view_check(struct pg *pg, struct str statement, int64_t timeout_s, struct err *err) MUSTCHECK;
