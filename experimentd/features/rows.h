/* rows.h - pure: files with features of documents for queries → rows; every wrong line is told of.
 *
 *   letor          3 qid:7 1:9.8 2:12.3 # 7555 rambo      SVMrank, LETOR: feature 1 is the set's first one. Behind "#" the document's id and the query's text, or
 *                                                         "docid = GX008-86 …" as LETOR has it; without a text the query is called by its qid, without an id the
 *                                                         document by its place among those of its query
 *   csv            query,doc,bm25,price                   a header with "query", "doc" and names of features; "grade", "weight", "qid" are passed over; empty: missing
 *   jsonl          {"query": "rambo", "doc": "7555", "features": {"bm25": 9.8} or [9.8, …]}, one a line; "grade", "weight" are passed over
 *   solr           answers of Solr with fl=id,[features]: {"response": {"docs": [{"id", "[features]": "bm25=9.8,price=12.3"}]}}, one or one a line
 *   elasticsearch  answers of Elasticsearch or OpenSearch with ltr_log: {"hits": {"hits": [{"_id", "fields": {"_ltrlog": [{"log": [{"name", "value"}]}]}}]}}
 *
 * The query of an engine's answer is its member "query", when somebody put it there, else the one given beside the file, else (Solr) responseHeader.params.q. A value that is not
 * given is missing (NaN). Of a query's document that comes twice the later row counts. A file is taken as a whole or not at all. */
#pragma once
#include "base/bad_lines.h"
#include "base/buf.h"

enum {
    FEATURES_MAX = 1000,
    FEATURE_NAME_MAX = 200,
    FEATURE_QUERY_MAX = 1000,
    FEATURE_DOC_MAX = 512,
    FEATURE_FILE_ROWS_MAX = 1000000
};
enum feature_format {
    FEATURES_LETOR,
    FEATURES_CSV,
    FEATURES_JSONL,
    FEATURES_SOLR,
    FEATURES_ELASTICSEARCH,
    FEATURE_FORMATS
};
extern const char *const feature_format_names[FEATURE_FORMATS];

struct feature_row {
    struct str query, doc;
    const float *values; /* the first `count` of the set's features; what is behind them is missing */
    uint32_t count;
    float grade; /* letor; NAN: none was given */
    size_t line;
};
struct feature_rows {
    struct arena *arena;
    struct str *names; /* of the set, in its order */
    uint32_t features;
    bool grow; /* a new set: features are what comes, in the order in which it does; of LETOR f1, f2, … */
    struct feature_row *rows; /* by query, then document (bytes); release them */
    size_t count, room;
    struct bad_lines bad;
};
struct feature_source {
    enum feature_format format;
    struct str text;
    struct str query;    /* of answers that do not say theirs; {NULL, 0}: none */
    struct str id_field; /* of Solr's documents */
};

/* A set's names, or none (grow). */
void feature_rows_init(struct feature_rows *r, struct arena *arena, const struct str *names, uint32_t features);
void feature_rows_release(struct feature_rows *r);
/* Once. False: lines are wrong (bad), or the file is, as err says. */
bool feature_rows_read(struct feature_rows *r, const struct feature_source *source, struct err *err) MUSTCHECK;

/* ---- for the readers of formats ---- */

/* Row with room for `count` values, all missing; NULL: query or document cannot be one. */
float *feature_rows_add(struct feature_rows *r, size_t line, struct str query, struct str doc, uint32_t count,
                        float grade, struct err *err) MUSTCHECK;
/* Number of a feature, looked for from `near` on; a new one when the set grows. */
bool feature_rows_feature(struct feature_rows *r, struct str name, uint32_t near, uint32_t *out,
                          struct err *err) MUSTCHECK;
bool feature_value_read(struct str text, float *out,
                        struct err *err) MUSTCHECK; /* a number that a float holds; "": NaN */
bool feature_value_of(double v, float *out, struct err *err) MUSTCHECK;
/* As short as it reads back as the same float; NaN: "NaN". */
void feature_value_write(struct buf *b, float v);
bool feature_name_check(struct str name, struct err *err) MUSTCHECK;

void feature_read_letor(struct feature_rows *r, struct str text);
bool feature_read_csv(struct feature_rows *r, struct str text, struct err *err) MUSTCHECK;
bool feature_read_json(struct feature_rows *r, const struct feature_source *source, struct err *err) MUSTCHECK;
