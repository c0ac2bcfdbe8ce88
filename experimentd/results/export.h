/* export.h - a result as a table, for spreadsheets and scripts: a row a metric, variant and day, and of a dimension's values when they were read.
 *
 * Each row has the moments (so that everything can be computed again), the value with its interval, and the comparison with the control of the
 * same day and segment. CSV is RFC 4180's: CRLF, a header, quotes where they are needed. A text that a spreadsheet would take for a formula (it begins with
 * = + - @, a tab or a line break) gets an apostrophe in front; numbers never do. A number that there is none of is
 * empty; so is the end of a lift that has none (lift_kind says more). */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/model.h"

void export_csv(struct buf *out, const struct result *r);
/* {"experiment", "as_of", "level", "rows": [an object a row, of the same columns]} */
void export_json(struct jsonw *w, const struct result *r);
/* One cell of text, quoted and guarded. */
void export_csv_text(struct buf *out, struct str text);
