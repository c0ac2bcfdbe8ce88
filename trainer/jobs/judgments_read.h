/* judgments_read.h - a judgment set or a query set (docs/judgments.md) as jobs read it: whole, sorted, in the arena.
 *
 * Queries stand in the form of model/query_text.h, so that they are those of signals. Where several texts of a set have the same form, they are one
 * query; of a document that is then judged twice, what a person says counts, then what has more evidence, then the higher grade. */
#pragma once
#include "trainer/jobs/job.h"

struct judgment {
    struct str doc;
    float grade, confidence, evidence; /* 0 … max_grade; 0 … 1, NAN: not known; sessions, NAN: not known */
    struct str judge;                  /* who, or {NULL, 0} */
    bool human;                        /* a person says so */
    bool edited;                       /* put in one by one: a job that makes the set anew leaves it */
};
struct judged_query {
    struct str query, text; /* in the form of queries; as the set has it (the first one) */
    const struct judgment *docs;
    uint32_t count; /* at least 1 */
};
struct judgment_set {
    struct judged_query *queries; /* by query (bytes), their documents by id */
    size_t count;
    uint64_t judgments, version;
    float max_grade;
    struct str source; /* human, clicks, merged, import */
};
/* What is not judged yet is left out. ERR_INVALID: there is no set of this name; `param` is the run's parameter that gave it. */
bool judgments_read(struct run_context *run, const char *param, const char *name, struct arena *arena,
                    struct judgment_set *out, struct err *err) MUSTCHECK;
/* NULL: not judged. The texts are in the form of queries; ids as they are. */
const struct judged_query *judgments_find(const struct judgment_set *s, struct str query);
const struct judgment *judgments_doc(const struct judged_query *q, struct str doc);

struct selected_query {
    struct str query, text; /* in the form of queries; as the set has it: what is sent to an engine */
    double weight;
    struct str params; /* a JSON object, or {NULL, 0} */
};
struct query_selection {
    struct selected_query *queries; /* in the set's order */
    size_t count;
    uint64_t version;
};
bool query_selection_read(struct run_context *run, const char *param, const char *name, struct arena *arena,
                          struct query_selection *out, struct err *err) MUSTCHECK;
