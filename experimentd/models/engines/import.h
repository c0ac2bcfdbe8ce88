/* import.h - pure: an artifact of kind "ranker" from a model that another library trained. */
#pragma once
#include "model/artifact.h"

enum engine_import_format { ENGINE_IMPORT_XGBOOST, ENGINE_IMPORT_LIGHTGBM, ENGINE_IMPORT_COUNT };
/* False: none of them. */
bool engine_import_format_of(struct str name, enum engine_import_format *out);
extern const char *const engine_import_names[ENGINE_IMPORT_COUNT]; /* "xgboost", "lightgbm" */

/* Appends the file to `out`, which the caller limits. */
bool engine_import(enum engine_import_format format, struct str text, struct buf *out, struct err *err) MUSTCHECK;
