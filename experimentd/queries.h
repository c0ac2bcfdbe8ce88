/* queries.h - every statement that workers run on their pipelined connection, prepared on each connect. One table; an enum names
 * the rows. What a result means is read in one place, by the module that owns the statement. */
#pragma once
#include "base/pg.h"

enum query {
    QUERY_RESULTS_LATEST, /* results/model.h: the last day of each metric of some experiments */
    QUERY_RESULTS_DAYS,   /* the same, all days */
    /* Edits (config/handlers.c) → configuration's version (null: refused), and the experiment's status and version before. */
    QUERY_EXPERIMENT_CREATE, /* $1 canonical object, $2 actor; refused: the key is taken */
    QUERY_EXPERIMENT_START,  /* $1 key, $2 version or '', $3 actor; no row: not known */
    QUERY_EXPERIMENT_STOP,
    QUERY_EXPERIMENT_DELETE,
    QUERY_COUNT
};

extern const struct pg_stmt queries[];
