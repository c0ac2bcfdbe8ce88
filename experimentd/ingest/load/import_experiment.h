/* import_experiment.h - the experiment that an imported log is of: stopped, of origin "imported".
 *
 * Either found in the log (its variants are those of the exposures, the metrics the usual ones), or written down by the user as the document
 * that POST /v1/experiments takes; then it is made with the first rows and its time grows with the log's. One that is there stays as it is. */
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/pg.h"

extern const struct pg_stmt import_experiment_statements[];
enum { IMPORT_EXPERIMENT_STATEMENTS = 7 };

/* Behind the last rows: made of the exposures that are loaded, with planned weights "A=W,B=W" or "" (equal). Refuses fewer than two variants. */
bool import_experiment_found(struct pg *pg, const char *key, const char *weights, struct err *err) MUSTCHECK;

/* Reads and checks a document as the API does; its stored form, in the arena. */
bool import_experiment_spec(json_t *document, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
/* The same of a list of metrics: the writes of an edit. Refuses metrics of SQL, which only the API checks. */
bool import_metrics_spec(json_t *list, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
/* Makes those that are not there. */
bool import_metrics_make(struct pg *pg, struct str writes, struct err *err) MUSTCHECK;
/* In the transaction of some rows that reach from first_us to last_us: makes it when it is not there, widens its time when it was imported.
 * Refuses metrics that are not known. */
bool import_experiment_given(struct pg *pg, const char *key, struct str spec, int64_t first_us, int64_t last_us,
                             struct err *err) MUSTCHECK;
/* At the end: the daemons read the configuration anew. */
bool import_experiment_tell(struct pg *pg, struct err *err) MUSTCHECK;
