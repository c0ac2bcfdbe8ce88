#include "experimentd/rewrites/row.h"

void rewrite_row_write(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_i64(w, "id", pg_get_i64(r, row, RC_ID));
    jsonw_str(w, "type", pg_get(r, row, RC_TYPE));
    jsonw_str(w, "input", pg_get(r, row, RC_INPUT));
    jsonw_str(w, "output", pg_get(r, row, RC_OUTPUT));
    jsonw_bool(w, "bidirectional", pg_get_bool(r, row, RC_BIDIRECTIONAL));
    jsonw_double(w, "confidence", pg_get_double(r, row, RC_CONFIDENCE));
    jsonw_str(w, "confidence_class", pg_get(r, row, RC_CONFIDENCE_CLASS));
    jsonw_str(w, "review", pg_get(r, row, RC_REVIEW));
    jsonw_str(w, "source", pg_get(r, row, RC_SOURCE));
    jsonw_str(w, "job", pg_get(r, row, RC_JOB));
    jsonw_str(w, "run", pg_get(r, row, RC_RUN));
    jsonw_raw(w, "evidence", pg_get(r, row, RC_EVIDENCE));
    jsonw_i64(w, "searches", pg_get_i64(r, row, RC_SEARCHES));
    jsonw_str(w, "note", pg_get(r, row, RC_NOTE));
    jsonw_time(w, "created_at", pg_get_i64(r, row, RC_CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, RC_UPDATED));
    jsonw_time(w, "reviewed_at", pg_get_i64(r, row, RC_REVIEWED));
    jsonw_str(w, "reviewed_by", pg_get(r, row, RC_REVIEWED_BY));
    jsonw_i64(w, "version", pg_get_i64(r, row, RC_VERSION));
    jsonw_close(w);
}

struct rewrite_rule rewrite_row_rule(const PGresult *r, int row)
{
    return (struct rewrite_rule){ .type = rewrite_type_of(pg_get(r, row, RC_TYPE)),
                                  .input = pg_get(r, row, RC_INPUT),
                                  .output = pg_get(r, row, RC_OUTPUT),
                                  .bidirectional = pg_get_bool(r, row, RC_BIDIRECTIONAL),
                                  .manual = str_eq(pg_get(r, row, RC_SOURCE), STR("manual")),
                                  .confidence = pg_get_double(r, row, RC_CONFIDENCE),
                                  .id = (uint64_t)pg_get_i64(r, row, RC_ID) };
}
