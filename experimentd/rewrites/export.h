/* export.h - pure: rules as the files that search engines load. docs/query-rewriting.md says what each engine makes of them.
 *
 *   format           types                                     form
 *   solr             synonym, spelling                         synonyms.txt of Solr and Lucene
 *   elasticsearch    synonym, spelling                         body of PUT _synonyms/SET; each rule is a line of Solr's
 *   querqy           synonym, head_tail, query, remove_words   rules.txt of the common rules rewriter
 *   querqy-replace   spelling                                  rules of the replace rewriter
 *   typesense        synonym, spelling                         body of PUT /synonym_sets/SET
 *   algolia          synonym, spelling                         body of POST /1/indexes/INDEX/synonyms/batch
 *   csv, jsonl       all
 *
 * A synonym keeps what was asked and adds to it; so does one of one direction in every format, though Solr's "a => b" alone would replace. What an
 * engine cannot say is left out and counted: a type, a second spelling of the same input, a text with characters that have a meaning in a format without
 * escapes. */
#pragma once
#include "base/buf.h"
#include "model/rewrite.h"

enum rewrite_format {
    EXPORT_SOLR,
    EXPORT_ELASTICSEARCH,
    EXPORT_QUERQY,
    EXPORT_QUERQY_REPLACE,
    EXPORT_TYPESENSE,
    EXPORT_ALGOLIA,
    EXPORT_CSV,
    EXPORT_JSONL,
    EXPORT_FORMAT_COUNT
};
extern const char *const rewrite_format_names[EXPORT_FORMAT_COUNT];
/* EXPORT_FORMAT_COUNT: there is none of this name. */
enum rewrite_format rewrite_format_of(struct str name);
const char *rewrite_format_content_type(enum rewrite_format f);

struct rewrite_exported {
    size_t written[REWRITE_TYPE_COUNT], left_out[REWRITE_TYPE_COUNT]; /* rules */
};
/* Rules by type, then by input, the best first. Fails when the format has a limit that they pass, or `out` one. */
bool rewrites_export_write(enum rewrite_format f, const struct rewrite_rule *rules, size_t count, struct buf *out,
                           struct rewrite_exported *done, struct err *err) MUSTCHECK;
/* "3 spelling, 12 synonym; left out: 4 phrase". */
void rewrites_export_summary(const struct rewrite_exported *done, struct buf *out);
