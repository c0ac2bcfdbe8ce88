/* elements.h - a body that holds elements: one JSON object, an array of objects, or one object a line (NDJSON). */
#pragma once
#include "base/mem.h"

/* Called for each element with its text. False ends the reading. */
typedef bool (*element_fn)(void *arg, size_t index, struct str text);

/* False when the body as a whole cannot be read, or holds more than `max` elements (`what`: their name in errors, in the plural): nothing
 * of it counts then, though elements may have been reported before. *out_single: the body was one object. */
bool elements_read(struct str body, const char *what, size_t max, struct arena *arena, element_fn fn, void *arg,
                   bool *out_single, struct err *err) MUSTCHECK;
