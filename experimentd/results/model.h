/* model.h - what is known of one experiment's result, read from the rollups: plain values, no SQL, no JSON.
 *
 * Rows of RESULTS_COLUMNS (experimentd/queries.c) become, for each metric, a table of arms (one a variant, in the
 * order of the experiment's own variants) by day, and the same of parts of the units: values of a dimension, days since first exposure,
 * days of first exposure, steps of a funnel. Only what a statement asked for is there. A variant of the rows that the experiment does not
 * have is left out. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/plan/traffic.h"
#include "stats/adjust/cross.h"
#include "stats/compare.h"
#include "stats/moments.h"
#include "stats/ranks/sketch.h"

/* Columns of a row, in this order. */
enum results_column {
    RC_EXPERIMENT,
    RC_METRIC,
    RC_VARIANT,
    RC_SEGMENT,
    RC_DAY,
    RC_N,
    RC_MEAN_X,
    RC_M2_X,
    RC_MEAN_Y,
    RC_M2_Y,
    RC_CXY,
    RC_PRE,
    RC_SKETCH,
    RC_AS_OF,
    RC_PUBLISHED_AT,
    RC_UNITS,
    RC_MULTIPLE,
    RC_MARKED,
    RC_RUN,
    RC_ENGINE,
    RC_WORKERS,
    RC_ROWS_IN,
    RC_SECONDS,
    RC_RETRIES,
    RC_SPLITS,
    RC_DIMENSIONS,
    RC_DAYS_SEEN,
    RC_COUNT
};

/* The units of one arm. */
struct result_arm {
    struct moments2 m;           /* n = 0: nothing was seen */
    const struct cross *pre;     /* the same with what the units did before; NULL: not kept */
    const struct sketch *sketch; /* of a quantile metric all single values; NULL: it is none */
};

struct result_day {
    int32_t day;
    struct result_arm *arms; /* one per variant */
};

/* Parts of the units of a metric, as they stand on its last day. */
enum result_part_kind {
    RESULT_SEGMENT, /* a value of a dimension; "(other)" and "(none)" are values too */
    RESULT_SINCE,   /* what happened on the N-th day after a unit's first exposure, 0 the day itself */
    RESULT_COHORT,  /* units first exposed on the day `number` (since 1970) */
    RESULT_STEP,    /* whether units got to step N of a funnel, 1 the first */
    RESULT_PART_COUNT
};
/* What moments.segment begins with: rows of a dimension d with "d=", the others with these. */
extern const char *const result_part_prefixes[RESULT_PART_COUNT];

struct result_part {
    struct str dimension, value; /* of a SEGMENT */
    int32_t number;              /* of the others */
    struct result_arm *arms;
};
struct result_parts {
    struct result_part *p; /* in the order of the rows: values and numbers ascending */
    size_t n;
};

struct result_metric {
    const struct snapshot_metric *metric;
    struct str role;
    enum metric_kind kind;
    double level;            /* of its tests and intervals: the experiment's */
    struct result_day *days; /* ascending; the last one is the result */
    size_t days_count;
    struct result_parts parts[RESULT_PART_COUNT];
};

struct result_run {
    struct str id, engine;
    int64_t workers, rows_in, retries, splits;
    double seconds;
};

struct preferences;

struct result {
    const struct snapshot_experiment *experiment;
    bool has_data; /* an aggregation has been published */
    int64_t as_of_us, published_us, units, multiple_exposures, marked_units;
    struct str spoilt; /* why its numbers cannot be trusted, by health_tell; {NULL, 0}: nothing is known against them */
    struct traffic first_exposures; /* its units by day, by health_tell; units 0: not known */
    int64_t days_seen;              /* from the first day with a unit to the last one: that many whole days */
    struct result_run run;
    struct str dimensions; /* that there are parts of, comma between them */
    struct result_metric *metrics;
    size_t metrics_count;
    const struct result_drawn *drawn; /* by who asks for them (drawn.h) */
    size_t drawn_count;
    const struct preferences *preferences; /* kind INTERLEAVE, by results/handlers; else NULL */
};

/* Builds the result of `experiment` from the rows of r that are about it. Lives in the arena. */
void result_read(struct result *out, const struct snapshot *snapshot, const struct snapshot_experiment *experiment,
                 const PGresult *r, struct arena *arena);
/* The parts that the comparisons of an experiment are made of: days of first exposure, within which a bandit's units are compared; the dimension
 * that it is stratified by. Added to a list that QUERY_RESULTS_LATEST takes, behind its "{". */
void result_add_parts(struct buf *b, const struct snapshot_experiment *e);
/* Such a list of one experiment, and steps of a funnel. */
const char *result_wanted_parts(const struct snapshot_experiment *e, struct arena *arena);
/* What counts now of a metric and variant; n = 0 when there is nothing. */
const struct result_arm *result_arm(const struct result_metric *m, size_t variant);
const struct moments2 *result_latest(const struct result_metric *m, size_t variant); /* its moments alone */
/* The metric that decides: the first of role primary, or else the first. NULL: there are none. */
const struct result_metric *result_primary(const struct result *r);
