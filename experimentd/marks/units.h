/* units.h - the table marked_units: units of which a signal or an exposure was marked. What they did counts in no experiment. */
#pragma once
#include "experimentd/ingest/load/rows.h"

/* Inside the transaction of the rows: notes their marked units. Somebody's own word about a unit (PUT /v1/marks/{unit}) stays. */
bool marked_units_note(struct pg *pg, const struct rows *rows, struct err *err) MUSTCHECK;
