/* model.h - what is known of one experiment's result, read from the rollups: plain values, no SQL, no JSON.
 *
 * Rows of RESULTS_COLUMNS (see results_rows in experimentd/queries.c) become a table metric × variant × day of moments, in the
 * order of the experiment's own variants and metrics. A variant of the rows that the experiment does not have is left out. */
#pragma once
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "experimentd/config/snapshot.h"
#include "stats/compare.h"
#include "stats/moments.h"

/* Columns of a row, in this order. */
enum results_column {
    RC_EXPERIMENT,
    RC_METRIC,
    RC_VARIANT,
    RC_DAY,
    RC_N,
    RC_MEAN_X,
    RC_M2_X,
    RC_MEAN_Y,
    RC_M2_Y,
    RC_CXY,
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
    RC_COUNT
};

struct result_day {
    int32_t day;
    struct moments2 *arms; /* one per variant; n = 0 where nothing was seen */
};

struct result_metric {
    const struct snapshot_metric *metric;
    struct str role;
    enum metric_kind kind;
    struct result_day *days; /* ascending; the last one is the result */
    size_t days_count;
};

struct result_run {
    struct str id, engine;
    int64_t workers, rows_in, retries, splits;
    double seconds;
};

struct result {
    const struct snapshot_experiment *experiment;
    bool has_data; /* an aggregation has been published */
    int64_t as_of_us, published_us, units, multiple_exposures, marked_units;
    struct result_run run;
    struct result_metric *metrics;
    size_t metrics_count;
};

/* Builds the result of `experiment` from the rows of r that are about it. Lives in the arena. */
void result_read(struct result *out, const struct snapshot *snapshot, const struct snapshot_experiment *experiment,
                 const PGresult *r, struct arena *arena);
/* The moments that count now of a metric and variant; n = 0 when there are none. */
const struct moments2 *result_latest(const struct result_metric *m, size_t variant);
