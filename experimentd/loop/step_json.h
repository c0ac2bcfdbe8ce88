/* step_json.h - a step of a model's story as JSON: one list of columns for every statement that shows steps. */
#pragma once
#include "base/jsonw.h"
#include "base/pg.h"

/* Of a row `s` of model_loop_steps. */
#define STEP_COLUMNS                                                                                               \
    "s.id, us(s.at), s.step, s.version, s.experiment, s.phase, s.who, s.reason, s.evidence::text, us(s.told_at), " \
    "s.model"
enum { STEP_ID_COLUMN = 0, STEP_NAME_COLUMN = 2, STEP_MODEL_COLUMN = 10, STEP_COLUMN_COUNT };

/* Members "id", "at", "step", "version", … "evidence" of the object that is open, from columns of the row, the first of them `first`. */
void step_write(struct jsonw *w, const PGresult *r, int row, int first);
