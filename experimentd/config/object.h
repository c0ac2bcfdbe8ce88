/* object.h - layers, domains and segments as users describe them: read, checked against the rest, written again. */
#pragma once
#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"

enum { OBJECT_VALUES_MAX = 100000, OBJECT_BYTES_MAX = 4 << 20 };

extern const char *const object_kind_names[OBJECT_KIND_COUNT]; /* "layer", … as in config_objects.kind */

bool object_read(json_t *root, enum object_kind kind, struct arena *arena, struct snapshot_object *o,
                 struct err *err) MUSTCHECK;
/* The members of the document, in their one order. */
void object_write(struct jsonw *w, const struct snapshot_object *o);
bool object_spec(const struct snapshot_object *o, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
/* What it names is there, and layers and domains do not contain themselves. `was` (NULL: it is new) may not change where running experiments
 * lie on it. */
bool object_check(const struct snapshot_object *o, const struct snapshot_object *was, const struct snapshot *s,
                  struct err *err) MUSTCHECK;
/* ERR_CONFLICT naming one thing that still uses it. */
bool object_unused(const struct snapshot_object *o, const struct snapshot *s, struct err *err) MUSTCHECK;
