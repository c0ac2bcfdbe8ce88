/* schema.h - a type of job described: as JSON Schema (draft 2020-12) for programs, as lines for a shell. */
#pragma once
#include "base/buf.h"
#include "job/types.h"

enum { JOB_SCHEMA_BYTES = 64 << 10 }; /* of one; init `out` with it */

/* The schema of a type's params: properties in the order of the table, each with its default, bounds and description; no others are allowed.
 * "unit" stands beside them, for people. */
void job_type_schema(const struct job_type *type, struct buf *out);
/* {"name", "summary", "incremental", "by_hand", "params": SCHEMA} */
void job_type_json(const struct job_type *type, struct buf *out);
/* "metrics      signals and …" and a line for each parameter. */
void job_type_help(const struct job_type *type, struct buf *out);
