/* lines.h - pure: lines of a file; and CSV with a head. */
#pragma once
#include "base/bad_lines.h"
#include "base/buf.h"

enum { CSV_HEAD_MAX = 32 };

/* A byte order mark is taken off. False at the end. The line has no white space at its ends; empty ones are passed over. */
struct line_reader {
    struct str rest;
    size_t line;
};
void line_reader_open(struct line_reader *r, struct str text);
bool line_reader_next(struct line_reader *r, struct str *out);

/* Columns that a file may have, each under one of several names with "|" between them: "doc|docid". */
struct csv_columns {
    const char *const *names;
    size_t count;
    size_t required; /* the first ones */
};
/* fields[i] is column i, or {NULL, 0}: the file has none, or the record ends before. `err` of a record that is refused is told of by line. */
typedef bool (*csv_row_fn)(void *arg, const struct str *fields, struct err *err);
/* False: the head, or the file as a whole, cannot be read. */
bool csv_read(struct str text, const struct csv_columns *columns, struct arena *arena, csv_row_fn fn, void *arg,
              struct bad_lines *bad, struct err *err) MUSTCHECK;
/* RFC 4180. */
void csv_put(struct buf *b, struct str field);
