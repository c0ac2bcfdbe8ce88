/* json.h - reading JSON objects with jansson so that every error names the field and the reason.
 *
 * A reader is opened on an object, asked for each field it knows, and closed; closing reports the first field that nobody asked
 * for. The first error sticks: later calls do nothing and return false, so a parse function checks once, at the end.
 *
 *   struct json_reader r;
 *   json_reader_open(&r, root, "experiment");
 *   json_get_str(&r, "key", JSON_REQUIRED, &out->key, arena);
 *   json_get_double(&r, "coverage", JSON_OPTIONAL, &out->coverage);
 *   return json_reader_close(&r, err);          "experiment: field \"coverage\" is a string, not a number" */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum json_need { JSON_REQUIRED, JSON_OPTIONAL };
enum { JSON_SEEN_MAX = 64 };

struct json_reader {
    json_t *object;
    const char *what; /* names the object in errors; may be built ("variants[1]") */
    const char *seen[JSON_SEEN_MAX];
    size_t seen_count;
    struct err err;
};

/* Parses a whole text of any JSON value. Duplicate keys and more than 64 levels are refused; size is the caller's body limit.
 * ERR_INVALID with line and column. */
json_t *json_parse(struct str text, struct err *err);
void json_reader_open(struct json_reader *r, json_t *object, const char *what);
/* True when *out was filled; false, *out as it was, when the field is absent or an error stands. An optional field that is null
 * counts as absent (json_get_any gives the null). Strings are copied to the arena; without one they live as long as the object. */
bool json_get_str(struct json_reader *r, const char *key, enum json_need need, struct str *out, struct arena *arena);
bool json_get_double(struct json_reader *r, const char *key, enum json_need need, double *out);
bool json_get_i64(struct json_reader *r, const char *key, enum json_need need, int64_t *out);
bool json_get_bool(struct json_reader *r, const char *key, enum json_need need, bool *out);
bool json_get_array(struct json_reader *r, const char *key, enum json_need need, json_t **out);  /* borrowed */
bool json_get_object(struct json_reader *r, const char *key, enum json_need need, json_t **out); /* borrowed */
bool json_get_any(struct json_reader *r, const char *key, enum json_need need, json_t **out);    /* borrowed */
/* Adds an error of the caller's own: json_fail(&r, "coverage", "is %g, not between 0 and 1", c) makes `experiment: field "coverage"
 * is 2, …`; without a key, `experiment: …`. Returns false. */
bool json_fail(struct json_reader *r, const char *key, const char *fmt, ...) PRINTF(3, 4);
bool json_reader_close(struct json_reader *r, struct err *err) MUSTCHECK;
/* Writes a value compactly, keys in their order, numbers as short as they read back: what a client gave comes out as it went in. */
void json_write(struct buf *b, const json_t *v);
