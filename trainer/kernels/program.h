/* program.h - pure: what the passes compute, made from the definitions of the metrics that a run is about.
 *
 *   facts     each different fact of the definitions once, numbered: a unit-day record has a sum for each (unit_day.h)
 *   columns   what is kept of each unit in an experiment, for as long as the pass over units goes on (unit_total.h)
 *   metrics   which columns a metric is made of
 *
 * The same definitions in the same order make the same program, so each task makes it anew from its params. */
#pragma once
#include "metric/metric.h"

struct program_fact {
    struct metric_fact fact;
    bool listed;  /* its values are needed one by one, with their instants: for windows, funnels and quantiles */
    bool counted; /* a value of 0 says that nothing happened */
};

enum column_kind {
    COLUMN_SUM,    /* of what happened since the first exposure */
    COLUMN_WINDOW, /* the sum of what happened in a window since the first exposure */
    COLUMN_VALUES, /* each value in the window */
    COLUMN_STEPS,  /* how many steps of a funnel were reached in the window, in the order of time */
    COLUMN_BEFORE  /* the sum of the `days` before the day of the first exposure, and of that day until the exposure */
};

struct program_column {
    enum column_kind kind;
    uint32_t facts[METRIC_STEPS_MAX]; /* one; of STEPS one for each */
    size_t facts_count;
    int64_t from_us, to_us; /* the window since the first exposure, [from, to) */
    int days;
};

#define PROGRAM_NONE UINT32_MAX

struct program_metric {
    struct metric_def def;
    uint32_t x, y, before_x, before_y; /* columns, or PROGRAM_NONE */
};

struct program {
    struct program_fact *facts;
    struct program_column *columns;
    struct program_metric *metrics;
    size_t facts_count, columns_count, metrics_count;
    size_t facts_of[FACT_OF_COUNT]; /* how many of each sort */
    int covariate_days;             /* the most of any metric: how many days before a first exposure are read */
};

enum { PROGRAM_METRICS_MAX = 1000 };

/* Borrows texts of the definitions; lists are the arena's. Refuses more than PROGRAM_METRICS_MAX. */
bool program_make(const struct metric_def *defs, size_t count, struct arena *arena, struct program *out,
                  struct err *err) MUSTCHECK;
bool program_is_ratio(const struct program_metric *m);
