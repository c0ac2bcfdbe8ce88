/* metric.h - what a metric is: a document that people write, read into one struct that every program understands.
 *
 * A metric sums one or more FACTS over what a unit does after its first exposure, and says what becomes of the sums:
 *
 *   proportion  share of units with facts[0] > 0
 *   mean        mean of facts[0] over units
 *   count       as mean; the fact is counted, so every unit has a whole number
 *   ratio       sum of facts[0] over sum of facts[1]; variance clustered by unit
 *   quantile    the `quantile` of the single values of facts[0] (not of sums), clustered by unit
 *   retention   share of units with facts[0] > 0 inside the window; a unit whose window is not over does not count at all
 *   funnel      facts in their order of time (at one instant in any order); share of units that reached the last one
 *
 *   { "key": "satisfied_ctr", "name": "…", "description": "…", "kind": "ratio", "direction": "increase", "display": "share",
 *     "numerator":   {"of": "queries", "that": "satisfied", "k": 10, "dwell_seconds": 30},
 *     "denominator": {"of": "queries"},
 *     "steps": [FACT, FACT, …],                                     funnel only
 *     "cap": {"value": 500} or {"percentile": 0.999},               mean, count; value also ratio (the unit's numerator)
 *     "window": {"from_hours": 0, "to_hours": 168},                 since the unit's first exposure; what is outside does not count
 *     "covariate_days": 14, "quantile": 0.95, "min_units": 0 }
 *   FACT of signals:  {"of": "signals", "type": "click" | ["click", "cart"], "where": {"position": {"lte": 5}, "value": {"gt": 0},
 *                      "params": {"category": "shoes"}}, "sum": "value" | "position" | "params.NAME"}     no type: any; no sum: counted
 *   FACT of queries:  {"of": "queries", "that": "clicked", "k": 5}
 *   FACT of sessions: {"of": "sessions", "that": "with_click"}
 *   FACT of sql:      {"of": "sql", "select": "select unit, at, value from …"}
 *
 * Values of a struct metric_def lie in the arena it was read with. Pure: no clock, no database. */
#pragma once
#include <math.h>

#include "base/json.h"
#include "base/jsonw.h"

enum metric_form {
    METRIC_FORM_PROPORTION,
    METRIC_FORM_MEAN,
    METRIC_FORM_WHOLE, /* "count" */
    METRIC_FORM_RATIO,
    METRIC_FORM_QUANTILE,
    METRIC_FORM_RETENTION,
    METRIC_FORM_FUNNEL,
    METRIC_FORM_COUNT
};

enum metric_direction { METRIC_INCREASE, METRIC_DECREASE, METRIC_DIRECTION_COUNT }; /* which way is better */

/* How a value is shown; "money" is a number in the shop's own currency. */
enum metric_display {
    METRIC_SHOW_SHARE,
    METRIC_SHOW_COUNT,
    METRIC_SHOW_SECONDS,
    METRIC_SHOW_SCORE,
    METRIC_SHOW_MONEY,
    METRIC_DISPLAY_COUNT
};

enum fact_of { FACT_SIGNALS, FACT_QUERIES, FACT_SESSIONS, FACT_SQL, FACT_OF_COUNT };

/* What is summed over the signals that match. */
enum fact_sum { FACT_SUM_ONE, FACT_SUM_VALUE, FACT_SUM_POSITION, FACT_SUM_PARAM, FACT_SUM_COUNT };

/* What is summed over the unit's queries. A query is the requests with one query id, at their first instant; its clicks, purchases
 * are those with its id within METRIC_QUERY_WINDOW_US, also behind midnight. Where k is set, only clicks at positions 1 … k count. */
enum fact_query {
    FACT_QUERY_ALL,           /* 1 */
    FACT_QUERY_CLICKED,       /* k. 1 with a click */
    FACT_QUERY_SATISFIED,     /* k. 1 with a click behind which the unit sends nothing for dwell_seconds or more */
    FACT_QUERY_ABANDONED,     /* 1 without a click, unless it is known to have had no results */
    FACT_QUERY_ZERO_RESULTS,  /* 1 when its number of results is known to be 0 */
    FACT_QUERY_KNOWN_RESULTS, /* 1 when its number of results is known */
    /* 1 when it has no click before the unit's next query, which comes within METRIC_REFORMULATION_US and has another text */
    FACT_QUERY_REFORMULATED,
    FACT_QUERY_RECIPROCAL_RANK, /* k. 1 / position of its first click; 0 without, or where the position is unknown */
    FACT_QUERY_NDCG,  /* k. discounted gain of the clicked positions over that of as many at the top; 0 without */
    FACT_QUERY_TIMED, /* 1 when its first click has a time of its own (later than the query) */
    FACT_QUERY_SECONDS_TO_FIRST_CLICK, /* from the query to its first click, where that is timed; else 0 (a quantile: no value) */
    FACT_QUERY_REVENUE,                /* sum of the values of its purchases */
    FACT_QUERY_PURCHASED,              /* 1 with a purchase */
    FACT_QUERY_RESULTS,                /* its number of results; 0 when unknown (a quantile: no value) */
    FACT_QUERY_COUNT
};

/* What is summed over the unit's sessions (a gap of METRIC_SESSION_GAP_US ends one; docs/sessions.md). */
enum fact_session {
    FACT_SESSION_ALL,        /* 1 */
    FACT_SESSION_WITH_CLICK, /* 1 with a click */
    FACT_SESSION_ABANDONED,  /* 1 with a query and no click */
    FACT_SESSION_SECONDS,    /* from its first signal to its last */
    FACT_SESSION_COUNT
};

#define METRIC_QUERY_WINDOW_US INT64_C(1800000000)
#define METRIC_REFORMULATION_US INT64_C(300000000)
#define METRIC_SESSION_GAP_US INT64_C(1800000000)
#define METRIC_DWELL_SECONDS 30.0

/* An interval of numbers. Without a bound at either end it holds everything, unknown values (NAN) too. */
struct fact_bounds {
    double low, high; /* -INFINITY, INFINITY: none */
    bool low_open, high_open;
};

struct fact_param {
    struct str name, value; /* equal as text: params ->> name = value */
};

struct metric_fact {
    enum fact_of of;
    /* of signals */
    struct str *types; /* any of these; none given: every type */
    size_t types_count;
    struct fact_bounds position, value;
    struct fact_param *params; /* all of these */
    size_t params_count;
    enum fact_sum sum;
    struct str sum_param; /* of FACT_SUM_PARAM: params ->> sum_param, read as a number; what is none adds nothing */
    /* of queries */
    enum fact_query query;
    int k; /* 0: none */
    double dwell_seconds;
    /* of sessions */
    enum fact_session session;
    /* of sql: rows (unit, at, value); each is an event worth `value` (NULL: nothing) */
    struct str sql;
};

struct metric_def {
    struct str key, name, description;
    enum metric_form form;
    enum metric_direction direction;
    enum metric_display display;
    struct metric_fact *facts; /* numerator; numerator and denominator; or the steps of a funnel */
    size_t facts_count;
    double cap_value, cap_percentile;     /* NAN: none */
    int64_t window_from_us, window_to_us; /* since first exposure, [from, to); 0 and INT64_MAX: all */
    int covariate_days;                   /* 0: no covariates */
    double quantile;                      /* NAN: not of this form */
    int64_t min_units; /* in every variant, before anything is compared; what methods need themselves comes on top */
};

enum {
    METRIC_KEY_MAX = 100,
    METRIC_TEXT_MAX = 2000,
    METRIC_SQL_MAX = 10000,
    METRIC_STEPS_MAX = 10,
    METRIC_LIST_MAX = 20, /* types, params of a fact */
    METRIC_K_MAX = 1000,
    METRIC_COVARIATE_DAYS = 14,
    METRIC_COVARIATE_DAYS_MAX = 90,
    METRIC_BYTES_MAX = 1 << 16
};

extern const char *const metric_form_names[METRIC_FORM_COUNT]; /* "proportion", … as in "kind" */
extern const char *const metric_direction_names[METRIC_DIRECTION_COUNT];
extern const char *const metric_display_names[METRIC_DISPLAY_COUNT];
extern const char *const fact_of_names[FACT_OF_COUNT];
extern const char *const fact_query_names[FACT_QUERY_COUNT];
extern const char *const fact_session_names[FACT_SESSION_COUNT];

/* Reads and checks a document; what is left out gets its default. ERR_INVALID naming the field: `metric "m": numerator: field "k" …`. */
bool metric_read(json_t *root, struct arena *arena, struct metric_def *out, struct err *err) MUSTCHECK;
/* As metric_read, of a document's text. */
bool metric_parse(struct str text, struct arena *arena, struct metric_def *out, struct err *err) MUSTCHECK;
/* The members of the document in their one order (the object is open); reading them gives the same definition. */
void metric_write(struct jsonw *w, const struct metric_def *m);
/* The document as text, in the arena. */
bool metric_text(const struct metric_def *m, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
bool metric_equal(const struct metric_def *a,
                  const struct metric_def *b); /* in what is counted: not name, description, direction, display */

/* What is counted, in words made of the definition, so that they are never out of step with it. */
void metric_words(struct buf *b, const struct metric_def *m);

/* Adds the statement that a fact of sql is read with: columns unit (text), at (timestamptz), value (float8). The text was checked when it was
 * stored (metric_sql_check in the database); it runs in a read-only transaction and with a time limit. */
void fact_sql_rows(struct buf *b, struct str select);
/* True when the fact's single values are numbers of their own, not ones: what a quantile can be of. */
bool fact_has_values(const struct metric_fact *f);
/* True when every event or query adds 0 or 1. */
bool fact_is_counted(const struct metric_fact *f);

static inline bool fact_bounds_any(const struct fact_bounds *b)
{
    return isinf(b->low) && isinf(b->high);
}
static inline bool fact_bounds_hold(const struct fact_bounds *b, double v)
{
    return fact_bounds_any(b) ||
           ((b->low_open ? v > b->low : v >= b->low) && (b->high_open ? v < b->high : v <= b->high));
}
