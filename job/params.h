/* params.h - what a job is told: checked, written in one form, read.
 *
 * Taken is a JSON object with names of the type's parameters; a null is as good as none. Written is the same in the order of the table, compactly,
 * without what was not given: defaults are not copied into a job, so that a later one reaches it. ERR_INVALID names the parameter and the reason:
 * parameter "ranges" is 3, not a power of two from 1 to 1024. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"
#include "job/types.h"

enum { JOB_PARAMS_BYTES = 64 << 10 }; /* of a text of params; init `out` with it */

bool job_params_check(const struct job_type *type, struct str json, struct buf *out, struct err *err) MUSTCHECK;
/* From "name=value" as a shell gives it: value as JSON for a JOB_JSON, else as its type is written. Of a name that comes twice the later counts. */
bool job_params_of_text(const struct job_type *type, const char *const *pairs, size_t count, struct buf *out,
                        struct err *err) MUSTCHECK;

struct job_params {
    const struct job_type *type;
    const char *values[JOB_PARAMS_MAX]; /* by the number of the row; NULL: not given */
};

/* Checked anew: a type's table may have changed since a job was stored. Texts lie in the arena. */
bool job_params_read(const struct job_type *type, struct str json, struct arena *arena, struct job_params *out,
                     struct err *err) MUSTCHECK;
/* The value as text ("16", "true", "2026-11-27", a JOB_JSON as JSON), else its default, else NULL. The name must be one of the type's (asserted). */
const char *job_params_get(const struct job_params *params, const char *name);
/* The same, for parameters that have a value: given, required or by default (asserted). */
int64_t job_params_whole(const struct job_params *params, const char *name);
double job_params_real(const struct job_params *params, const char *name);
bool job_params_boolean(const struct job_params *params, const char *name);
