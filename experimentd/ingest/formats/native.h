/* native.h - our own format: an object, an array of objects, or one object a line (NDJSON).
 *
 * {"id"?, "type", "timestamp"?, "unit"?, "user"?, "session"?, "query_id"?, "query"?, "doc"?, "position"?, "value"?, "params"?}; null is absent.
 * One of unit and user is needed: with a user alone the unit is looked up (identity.h), with both they are linked.
 * An id that is a UUID is taken as it is; any other text becomes the first 16 bytes of its BLAKE2b hash. */
#pragma once
#include "base/mem.h"
#include "experimentd/ingest/signal.h"

enum { SIGNALS_PER_REQUEST_MAX = 10000 };

/* Called for each element with its text: s, or the reason why it is none (err). Returns false to end the reading with its own error. */
typedef bool (*native_fn)(void *arg, size_t index, struct str text, const struct signal *s, const struct err *err);

/* False when the body as a whole cannot be read: nothing of it counts then (elements may have been reported before: callers act only
 * after the end). *out_single: the body was one object. */
bool native_read(struct str body, int64_t received_us, struct arena *arena, native_fn fn, void *arg, bool *out_single,
                 struct err *err) MUSTCHECK;
/* One element, as text. */
bool native_parse(struct str text, int64_t received_us, struct arena *arena, struct signal *out,
                  struct err *err) MUSTCHECK;
/* The 16 bytes that stand for a client's id. */
void native_id(struct str id, unsigned char out[16]);
