#include "experimentd/loop/step_json.h"

#include <assert.h>

#include "base/mem.h"

enum form { TEXT, WHOLE, INSTANT, JSON };

/* In the order of STEP_COLUMNS. */
static const struct {
    const char *name;
    enum form form;
} members[] = {
    { "id", WHOLE },        { "at", INSTANT },      { "step", TEXT },  { "version", WHOLE },
    { "experiment", TEXT }, { "phase", WHOLE },     { "who", TEXT },   { "reason", TEXT },
    { "evidence", JSON },   { "told_at", INSTANT }, { "model", TEXT },
};
static_assert(COUNT_OF(members) == STEP_COLUMN_COUNT, "a name for every column");

void step_write(struct jsonw *w, const PGresult *r, int row, int first)
{
    for (int i = 0; i < STEP_COLUMN_COUNT; i++) {
        int column = first + i;
        if (PQgetisnull(r, row, column))
            jsonw_null(w, members[i].name);
        else if (members[i].form == TEXT)
            jsonw_str(w, members[i].name, pg_get(r, row, column));
        else if (members[i].form == WHOLE)
            jsonw_i64(w, members[i].name, pg_get_i64(r, row, column));
        else if (members[i].form == INSTANT)
            jsonw_time(w, members[i].name, pg_get_i64(r, row, column));
        else
            jsonw_raw(w, members[i].name, pg_get(r, row, column));
    }
}
