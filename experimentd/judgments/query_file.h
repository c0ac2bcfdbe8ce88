/* query_file.h - pure: a query set as files have it → a list, checked; and the same written.
 *
 *   format   a line, or what else it is made of
 *   text     a query; behind a tab its weight
 *   csv      any order of columns: query (query_text), weight (count, frequency)
 *   jsonl    {"query", "weight", "params": {…}}, or the workbench's {"queryText": "…", any other: params}
 *   srw      the workbench's document {"querySetQueries": [{"queryText": "…", any other: params}]} */
#pragma once
#include "experimentd/judgments/lines.h"

enum query_file_format { QUERY_FILE_TEXT, QUERY_FILE_CSV, QUERY_FILE_JSONL, QUERY_FILE_SRW, QUERY_FILE_FORMAT_COUNT };
extern const char *const query_file_format_names[QUERY_FILE_FORMAT_COUNT + 1]; /* ends with NULL */

enum { QUERY_FILE_MAX = 100000, QUERY_FILE_QUERY_MAX = 1024, QUERY_FILE_PARAMS_MAX = 16384 };

struct query_row {
    struct str query;
    double weight;
    struct str params; /* a JSON object, or {NULL, 0} */
};
struct query_rows {
    struct arena *arena; /* set before */
    struct query_row *items;
    size_t count, room;
    struct bad_lines bad;
};
void query_rows_release(struct query_rows *q);

bool query_file_read(enum query_file_format format, struct str text, struct query_rows *out, struct err *err) MUSTCHECK;
/* One object of the format jsonl, or a text that is the query. */
bool query_row_read_json(struct str text, struct query_rows *out, struct err *err) MUSTCHECK;
/* [[query, weight, params] …], as query_set_put() takes them (migration 0026). */
void query_rows_write(const struct query_rows *q, struct buf *out);

bool query_file_export(enum query_file_format format, struct str name, struct str description, struct str sampling,
                       const struct query_rows *q, struct buf *out, struct err *err) MUSTCHECK;
const char *query_file_type(enum query_file_format format);
const char *query_file_suffix(enum query_file_format format);
