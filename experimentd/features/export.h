/* export.h - pure: rows of features with their grades → LETOR, CSV or JSON lines, as rows.h reads them, and others' tools do.
 *
 *   letor  3 qid:7 1:9.8 2:12.3 # 7555<TAB>rambo     what is missing is left out; a row that nobody judged has grade 0
 *   csv    qid,query,doc,grade,weight,bm25,price    what is missing, or not judged, is empty
 *   jsonl  {"query", "doc", "grade", "weight", "features": {"bm25": 9.8}}
 *
 * The weight is the confidence of the judgment, 1 without one. */
#pragma once
#include "experimentd/features/rows.h"

struct feature_export {
    enum feature_format format; /* one of the first three */
    const struct str *names;
    uint32_t features;
    uint32_t qid; /* of the query of the row before; its text: */
    struct str query;
};
const char *feature_export_type(enum feature_format format); /* of HTTP */
void feature_export_begin(const struct feature_export *e, struct buf *out);
struct feature_export_row {
    struct str query, doc, values; /* values as PostgreSQL writes an array: {1,NaN,2.5} */
    struct str grade, weight;      /* numbers as texts; {NULL, 0}: not judged */
};
void feature_export_row(struct feature_export *e, const struct feature_export_row *row, struct buf *out);
