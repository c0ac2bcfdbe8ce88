/* model_json.h - rows of models and model_versions as JSON: one list of columns for statements and documents. */
#pragma once
#include "base/jsonw.h"
#include "base/pg.h"

/* Of "models m". */
#define MODEL_COLUMNS                                                                                                \
    "m.name, m.kind, m.description, m.tags, m.last_version, (select count(*) from model_versions v where v.model = " \
    "m.name and v.status <> 'deleted'), coalesce((select jsonb_object_agg(a.alias, a.version) from "                 \
    "model_aliases a where a.model = m.name), '{}'), us(m.created_at), us(m.updated_at), m.edit"
enum { MODEL_EDIT_COLUMN = 9, MODEL_COLUMN_COUNT };

/* Of "model_versions v". */
#define VERSION_COLUMNS                                                                                              \
    "v.version, v.status, coalesce((select json_agg(a.alias order by a.alias) from model_aliases a where a.model = " \
    "v.model and a.version = v.version), '[]'), v.description, v.tags, us(v.created_at), v.created_by, v.run, "      \
    "v.job_id, "                                                                                                     \
    "v.parent_version, v.artifact, v.bytes, v.card, v.metrics, v.gate, v.edit"
enum {
    VERSION_COLUMN = 0,
    VERSION_METRICS_COLUMN = 13,
    VERSION_CARD_COLUMN = 12,
    VERSION_EDIT_COLUMN = 15,
    VERSION_COLUMN_COUNT
};

/* The number of a version as a path has it: "3", "@champion". Null: no such alias. Checked before: version_is_text(). */
#define VERSION_OF(model, text)                                                                                   \
    "(case when starts_with(" text ", '@') then (select va.version from model_aliases va where va.model = " model \
    " and va.alias = substr(" text ", 2)) else (" text ")::int end)"

/* With "served": by alias, what this daemon serves of it (experimentd/serving/). */
void model_write(struct jsonw *w, const PGresult *r, int row);
void version_write(struct jsonw *w, const PGresult *r, int row);
