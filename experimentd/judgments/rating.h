/* rating.h - pure: judgments as files have them → a list of them, checked; what is wrong, line by line.
 *
 *   format   a line, or what else it is made of
 *   quepid   CSV with the head "query,docid,rating"; a rating that is empty is still to be given, a query without document has none yet.
 *            What Quepid prefixes with a space, so that no spreadsheet takes it for a formula (- = + @), loses it
 *   srw      OpenSearch's Search Relevance Workbench: {"judgmentRatings": [{"query", "ratings": [{"docId", "rating": "3.000"}]}]}
 *   trec     qrels: topic, iteration, document, relevance; a line of a topic and its text with one tab between them says what a topic is. Without
 *            such lines the topic is the query. Relevance below 0 is 0
 *   csv      any order of columns: query, doc (docid, doc_id), grade (rating, relevance), confidence, evidence, source, judge
 *   jsonl    {"query", "doc", "grade", "confidence", "evidence", "source", "judge"}
 *   letor    "3 qid:1 # 7555 rambo"; "# qid:1: rambo*1" says what a topic is; features are passed over
 *   rre      Rated Ranking Evaluator: queries with placeholders and relevant_documents, as {gain: [documents]} or {document: {"gain"}} */
#pragma once
#include "experimentd/judgments/lines.h"

enum judgment_format {
    JUDGMENTS_QUEPID,
    JUDGMENTS_SRW,
    JUDGMENTS_TREC,
    JUDGMENTS_CSV,
    JUDGMENTS_JSONL,
    JUDGMENTS_LETOR,
    JUDGMENTS_RRE,
    JUDGMENTS_FORMAT_COUNT
};
extern const char *const judgment_format_names[JUDGMENTS_FORMAT_COUNT + 1]; /* ends with NULL */

enum { RATINGS_MAX = 500000, RATING_QUERY_MAX = 1024, RATING_DOC_MAX = 512, RATING_JUDGE_MAX = 100 };
#define RATING_GRADE_MAX 1e6

struct rating {
    struct str query, doc;              /* doc empty: a query without documents */
    double grade, confidence, evidence; /* NAN: to be judged; not known */
    bool clicks;                        /* else a person's */
    struct str judge;                   /* or {NULL, 0} */
};
struct ratings {
    struct arena *arena; /* set before: texts lie in it, or in what was read */
    struct rating *items;
    size_t count, room;
    size_t negative; /* trec: taken as 0 */
    struct bad_lines bad;
};
void ratings_release(struct ratings *r);

/* False: lines are wrong (bad), or the text as a whole is, as err says. In any case release it. */
bool ratings_read(enum judgment_format format, struct str text, struct ratings *out, struct err *err) MUSTCHECK;
/* One object of the format jsonl. `judge`: who it is of when it does not say so. */
bool rating_read_json(struct str text, struct str judge, struct ratings *out, struct err *err) MUSTCHECK;
/* Checks one and adds it. */
bool rating_add(struct ratings *r, struct rating g, struct err *err) MUSTCHECK;
/* A grade as text; what is none is told of with its field's name. */
bool rating_grade(struct str text, const char *field, double *out, struct err *err) MUSTCHECK;
/* [[query, doc, grade, confidence, evidence, source, judge] …], as judgment_set_put() takes them (migration 0026). */
void ratings_write_rows(const struct ratings *r, struct buf *out);
