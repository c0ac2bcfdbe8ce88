/* labelled.h - pure: texts with labels, as files that people have → rows that labelled_texts_put() (migration 0029) takes; and back.
 *
 *   CSV    a line with names of columns: text (or query), label (or category, class, intent), and weight, which may be missing; RFC 4180
 *   JSONL  {"text", "label", "weight"?} a line, or an array of these
 *
 * White space at both ends goes; a row without a weight has 1. All rows are good, or none is taken. */
#pragma once
#include "base/bad_lines.h"
#include "base/buf.h"

enum {
    LABELLED_TEXT_MAX = 2000,
    LABELLED_LABEL_MAX = 200,
    LABELLED_ROWS_MAX = 200000, /* of one upload */
    LABELLED_BYTES_MAX = 128 << 20
};
#define LABELLED_WEIGHT_MAX 1e9

enum labelled_format { LABELLED_CSV, LABELLED_JSONL, LABELLED_FORMAT_COUNT };
extern const char *const labelled_format_names[LABELLED_FORMAT_COUNT];         /* "csv", "jsonl" */
extern const char *const labelled_format_content_types[LABELLED_FORMAT_COUNT]; /* "text/csv; charset=utf-8", … */

struct labelled_row {
    struct str text, label;
    double weight;
};
struct labelled_upload {
    struct buf rows; /* a JSON array of {"text", "label", "weight"}; release it */
    uint32_t count;
    struct bad_lines bad;
};
/* False: a row is wrong (bad), or there are none or too many, as err says. In any case release the rows. */
bool labelled_read(struct str body, enum labelled_format format, struct arena *arena, struct labelled_upload *out,
                   struct err *err) MUSTCHECK;

/* The line with the names of columns, of CSV; then row after row. */
void labelled_write_head(enum labelled_format format, struct buf *out);
void labelled_write_row(enum labelled_format format, const struct labelled_row *row, struct str source,
                        struct buf *out);
