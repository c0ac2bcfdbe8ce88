/* export.h - pure: a section of lists as a table, a row an entry: key, rank from 1, entry, and the columns. */
#pragma once
#include "model/lists.h"

enum export_format { EXPORT_CSV, EXPORT_JSONL, EXPORT_JSON /* a section that is JSON, as it is */ };

/* RFC 4180 with a line of names, or an object a line. To the buf's limit. */
void export_lists(const struct lists *l, enum export_format format, struct buf *out);
