/* evaluation.h - the job "ranking-metrics" in its parts: what is asked of whom (evaluation_read), the asking (evaluation_replay), what the lists are worth
 * (evaluation_measure), how that is told (evaluation_report) and kept (ranking_metrics).
 *
 * Lists stand search by search, query by query. What is not judged, or could not be asked, has no metrics; it takes no part in means and comparisons, and is counted. */
#pragma once
#include "job/search.h"
#include "stats/ranking/metric.h"
#include "stats/ranking/paired.h"
#include "trainer/jobs/judgments_read.h"

enum { EVALUATION_SEARCHES_MAX = 8, EVALUATION_METRICS_MAX = 20, EVALUATION_SECRETS_MAX = 20 };

struct evaluation_search {
    struct str name, spec; /* spec: JSON, as the database has it */
    struct search_config config;
    uint64_t version;
    struct str secrets[EVALUATION_SECRETS_MAX]; /* headers: "Name: value" */
    size_t secrets_count;
    uint32_t errors, empty,
        repeated;          /* queries without an answer; answers without a document; documents that came twice */
    uint64_t shown, holes; /* documents in lists of judged queries; of them not judged */
};
struct evaluation_list {
    struct str *docs; /* best first, at most k */
    double *grades;   /* NAN: not judged */
    size_t count;
    struct str error; /* p NULL: there was an answer */
    double *metrics;  /* NULL: none */
};
struct evaluation_query {
    const struct judged_query *judged; /* NULL: nothing is judged for it */
    double *ideal;                     /* its grades, best first */
};
struct evaluation {
    struct run_context *run;
    struct arena arena;
    size_t k;
    double max_grade, relevant_at, alpha;
    enum ranking_unjudged unjudged;
    bool weighted, has_judgments;
    struct ranking_metric metrics[EVALUATION_METRICS_MAX];
    char names[EVALUATION_METRICS_MAX][RANKING_METRIC_NAME_MAX];
    size_t metrics_count;
    struct evaluation_search searches[EVALUATION_SEARCHES_MAX];
    size_t searches_count;
    struct query_selection queries;
    struct judgment_set judgments;
    struct evaluation_query *of_query;
    size_t judged_queries;
    struct evaluation_list *lists; /* of search s and query q: s * queries.count + q */
};

static inline struct evaluation_list *evaluation_list(const struct evaluation *e, size_t search, size_t query)
{
    return &e->lists[search * e->queries.count + query];
}

/* Parameters, searches with their secrets, queries, judgments, lists that were brought. ERR_INVALID names the parameter. */
bool evaluation_read(struct evaluation *e, struct err *err) MUSTCHECK;
/* Asks those that can be asked. */
bool evaluation_replay(struct evaluation *e, struct err *err) MUSTCHECK;
/* Grades and metrics of each list; counts. ERR_INVALID: a search failed on more queries than may be. */
bool evaluation_measure(struct evaluation *e, struct err *err) MUSTCHECK;

/* One metric of one search over its queries, or of two over those of both: values in the order of the queries, in the arena. */
struct evaluation_values {
    double *a, *b, *weights; /* weights NULL: all alike; b of a pair */
    size_t count;
};
void evaluation_values(struct evaluation *e, size_t metric, size_t a, size_t b, struct evaluation_values *out);
/* The summary that evaluations have, as a JSON object. */
bool evaluation_report(struct evaluation *e, struct buf *out, struct err *err) MUSTCHECK;
