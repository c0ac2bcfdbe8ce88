/* table.h - the import format "table": rows of any CSV file, turned into exposures and signals by a mapping, which is a JSON document.
 *
 *   {"experiment": {"key": "cookie-cats", "variants": [{"key": "gate_30"}, {"key": "gate_40"}], "metrics": ["games"]},
 *    "unit": "userid", "variant": "version", "at": {"text": "2016-01-04"},
 *    "metrics": [{"key": "games", "kind": "mean", "numerator": {"of": "signals", "type": "game", "sum": "value"}}],
 *    "signals": [{"type": "game", "value": "sum_gamerounds"}, {"type": "login", "if": "retention_1", "after_hours": 24}]}
 *
 * A CELL says where a text or a number is: "COLUMN"; a number; {"text": "…"}; or {"column": "…" or "file": true, "find"?: REGEX (its first group),
 * "times"?: N or COLUMN, "over"?: N or COLUMN}. A cell that is empty, or one of the texts for "missing", is not there.
 *
 * `attributes` ({"NAME": CELL, …}) are the unit's at its exposure, of which the declared dimensions are kept (ingest/dimensions.h).
 * `units` (a CELL) makes a row stand for so many units, of which a signal's own `units`, behind its `after`, have it: tables of counts.
 * docs/importing-a-log.md has every field. Nothing here knows of the database. */
#pragma once
#include <jansson.h>

#include "experimentd/ingest/load/import_record.h"

enum {
    TABLE_SIGNALS_MAX = 50,
    TABLE_PARAMS_MAX = 20,
    TABLE_FILTERS_MAX = 20,
    TABLE_UNITS_MAX = 10000000,
    TABLE_BYTES_MAX = 256 << 10
};

/* A number of the mapping, or of a column. */
struct table_factor {
    double number; /* NAN: of the column */
    struct str column;
    int index;
    bool given;
};

struct table_cell {
    enum { CELL_NONE, CELL_TEXT, CELL_COLUMN, CELL_FILE } from;
    struct str text; /* the column's name, or the text itself; of CELL_FILE the file's name */
    int index;
    struct table_pattern *find; /* NULL: the whole text */
    struct table_factor times, over;
};

struct table_param {
    struct str name;
    struct table_cell cell;
};

/* A JSON object whose members' values are cells. */
struct table_params {
    struct table_param *list;
    size_t count;
};

struct table_signal {
    struct str type;
    struct table_cell only_if, value, position, doc, query, query_id, session, at, count, units, after;
    double after_hours;
    struct table_params params;
};

struct table_filter {
    struct str column, text;
    int index;
};

struct table {
    json_t *experiment; /* its document, origin "imported"; NULL: none was given */
    json_t *metrics;    /* documents of the metrics that it needs; NULL: none */
    const char *key;    /* of the experiment; "" none */
    const char *timestamp_format;
    struct str missing[16]; /* texts that stand for "not there" */
    size_t missing_count;
    struct table_filter *filters;
    size_t filters_count;
    struct table_cell unit, variant, at, units;
    struct table_params attributes;
    struct table_signal *signals;
    size_t signals_count;
    bool has_requests;
    struct arena arena;
    struct table_pattern *patterns; /* all that were compiled */
};

/* Reads the mapping. `key`, `timestamp_format` and `missing` (comma between) are what the command line says; the document's own go before. Both
 * texts must outlive the table. */
bool table_read(struct str document, const char *key, const char *timestamp_format, const char *missing,
                struct table *out, struct err *err) MUSTCHECK;
void table_release(struct table *t);

/* A new file: its name, and the columns of its header. */
bool table_header(struct table *t, const char *file, const struct str *header, size_t count, struct err *err) MUSTCHECK;

/* How many units the row stands for: 0 when a filter leaves it out. */
bool table_units(const struct table *t, const struct str *fields, size_t count, struct arena *arena, int64_t *out,
                 struct err *err) MUSTCHECK;
/* The k-th unit of the row (from 0). `name` is the unit's when the mapping names none, and the query id of its signals when one is a request. */
bool table_unit(const struct table *t, const struct str *fields, size_t count, int64_t k, struct str name,
                int64_t now_us, struct arena *arena, struct import_record *out, struct err *err) MUSTCHECK;
