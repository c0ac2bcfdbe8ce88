/* row.h - a row of query_rewrites in results of queries: which columns, and as JSON. */
#pragma once
#include "base/pg.h"
#include "experimentd/rewrites/document.h"

#define REWRITE_COLUMNS                                                                                        \
    "q.id, q.type, q.input, q.output, q.bidirectional, q.confidence, q.confidence_class, q.review, q.source, " \
    "q.job, q.run, q.evidence::text, q.searches, q.note, us(q.created_at), us(q.updated_at), "                 \
    "us(q.reviewed_at), q.reviewed_by, q.version"
enum rewrite_column {
    RC_ID,
    RC_TYPE,
    RC_INPUT,
    RC_OUTPUT,
    RC_BIDIRECTIONAL,
    RC_CONFIDENCE,
    RC_CONFIDENCE_CLASS,
    RC_REVIEW,
    RC_SOURCE,
    RC_JOB,
    RC_RUN,
    RC_EVIDENCE,
    RC_SEARCHES,
    RC_NOTE,
    RC_CREATED,
    RC_UPDATED,
    RC_REVIEWED,
    RC_REVIEWED_BY,
    RC_VERSION,
    RC_COUNT
};

void rewrite_row_write(struct jsonw *w, const PGresult *r, int row);
/* Texts are the result's. */
struct rewrite_rule rewrite_row_rule(const PGresult *r, int row);
