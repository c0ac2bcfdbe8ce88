/* document.h - the row of a loop as JSON. */
#pragma once
#include "base/jsonw.h"
#include "base/pg.h"

/* Of "models m left join model_loops l on l.model = m.name". */
#define LOOP_COLUMNS                                                                                         \
    "m.name, m.kind, l.spec::text, l.state::text, l.version, us(l.created_at), us(l.updated_at), "           \
    "coalesce((select jsonb_object_agg(a.alias, a.version) from model_aliases a where a.model = m.name and " \
    "a.alias in ('champion', 'challenger', 'next')), '{}')::text"
enum {
    LOOP_MODEL_COLUMN,
    LOOP_KIND_COLUMN,
    LOOP_SPEC_COLUMN, /* null: the model has none */
    LOOP_STATE_COLUMN,
    LOOP_VERSION_COLUMN,
    LOOP_CREATED_COLUMN,
    LOOP_UPDATED_COLUMN,
    LOOP_ALIASES_COLUMN,
    LOOP_COLUMN_COUNT
};

/* Members of the object that is open: the spec's, then what is shown beside it. */
void loop_document_write(struct jsonw *w, const PGresult *r, int row);
