/* run_file.h - pure: rankings as people have them → lists of documents by query.
 *
 *   trec   "topic Q0 docno rank score tag" a line, white space between; order as trec_eval makes it: by score, the rank is not looked at. A line of a topic and its
 *          text with one tab between them says what a topic is, as in the qrels that /v1/judgments exports; without such a line the topic is the query
 *   csv    a header with query, doc, and score or rank (position); RFC 4180 quotes
 *   jsonl  {"query": "...", "docs": ["best", "next", ...]} a line
 *
 * A document that a list has twice is an error, as for trec_eval. */
#pragma once
#include "base/bad_lines.h"
#include "base/buf.h"

enum { RUN_FILE_LINES_MAX = 2000000, RUN_FILE_BYTES_MAX = 64 << 20, RUN_FILE_DOCS_MAX = 1000 };
enum run_file_format { RUN_FILE_TREC, RUN_FILE_CSV, RUN_FILE_JSONL, RUN_FILE_FORMATS };
extern const char *const run_file_formats[]; /* ends with NULL */

struct run_file {
    struct buf lists; /* JSON: [[query, [doc ...]] ...] in the order of the queries (bytes); release it */
    size_t queries, documents;
    struct bad_lines bad;
};
/* False: a line is wrong (bad), or nothing is in it. In any case release the lists. */
bool run_file_read(enum run_file_format format, struct str text, struct arena *arena, struct run_file *out,
                   struct err *err) MUSTCHECK;
