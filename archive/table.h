/* table.h - a table of PostgreSQL as an archive file has it: its columns, found in the catalog, and its rows, as binary COPY gives them.
 * A column that a later migration adds is archived without a change here; files that were written before lack it. */
#pragma once
#include "archive/footer.h"
#include "base/pg.h"

struct archive_table {
    struct archive_schema schema;
    struct str select; /* the columns as COPY has to be asked for them: "id, at, …, params::text" */
};

/* `table` is "signals" or "exposures". Everything is in the arena. */
bool archive_table_read(struct pg *pg, const char *table, int32_t day, struct arena *arena, struct archive_table *out,
                        struct err *err) MUSTCHECK;
/* One field of a row. Texts are borrowed. */
struct archive_value archive_table_value(enum archive_type type, struct str field);
