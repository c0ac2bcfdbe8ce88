/* schema.h - what the signals of one key must look like, when its owner says so (PUT /v1/keys/{id}/schema). All text is the snapshot's.
 *
 *   {"others": "take" | "refuse",                               types that are not named; take unless said
 *    "types": {"wishlist": {"required": ["doc", "params.list"],  fields that must be there
 *                           "params": {"list": "string", "size": "number"},
 *                           "other_params": "take" | "refuse"}}}   params that are not named; take unless said
 *
 * Types of a param: string, number, boolean, object, array, any. A param that is null counts as absent. */
#pragma once
#include "experimentd/ingest/signal.h"

enum { SCHEMA_TYPES_MAX = 200, SCHEMA_PARAMS_MAX = 100, SCHEMA_JSON_MAX = 64 << 10 };

struct schema_param {
    struct str name;
    int kind; /* of the table in schema.c */
    bool required;
};

struct schema_type {
    struct str name;
    unsigned required; /* bits of the fields in schema.c */
    struct schema_param *params;
    size_t params_count;
    bool refuse_others;
};

struct signal_schema {
    struct schema_type *types;
    size_t types_count;
    bool refuse_others;
    struct str json; /* as given */
};

/* NULL: it is none, err names the member. */
const struct signal_schema *schema_parse(struct str json, struct arena *arena, struct err *err);
/* Whether the signal, which is whole by itself, is what the schema wants. The arena is for what is read meanwhile. */
bool schema_check(const struct signal_schema *schema, const struct signal *s, struct err *err) MUSTCHECK;
