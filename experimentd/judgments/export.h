/* export.h - pure: judgments as the files of rating.h, which read back as the same; and the topics of qrels. */
#pragma once
#include "experimentd/judgments/rating.h"

struct export_head {
    struct str name, description;
};
/* r: sorted by query. What is to be judged is written where the format has a way to say so (quepid, csv, jsonl), else left out. trec fails on a grade that
 * is no whole number, and on a document with a blank in it. */
bool ratings_export(enum judgment_format format, const struct export_head *head, const struct ratings *r,
                    struct buf *out, struct err *err) MUSTCHECK;
/* "1<tab>desk lamp": what the topics of such qrels are. */
void ratings_export_topics(const struct ratings *r, struct buf *out);
const char *judgment_format_type(enum judgment_format format);   /* of its content */
const char *judgment_format_suffix(enum judgment_format format); /* of a file's name */
