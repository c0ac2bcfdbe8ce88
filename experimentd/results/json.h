/* json.h - the answers of results, timeseries and the list of experiments, written from a struct result. */
#pragma once
#include "base/jsonw.h"
#include "experimentd/results/model.h"
#include "experimentd/results/verdict.h"

/* The object of GET /v1/experiments/{key}; also part of the results. */
void result_write_experiment(struct jsonw *w, const char *key, const struct snapshot_experiment *e);
void result_write_experiment_members(struct jsonw *w, const struct snapshot_experiment *e); /* without the braces */
/* The whole answer of GET …/results; lag_us: how far PostgreSQL is behind what this server has received. */
void result_write(struct jsonw *w, const struct result *r, int64_t lag_us, struct arena *arena);
/* The whole answer of GET …/timeseries: by day, all that came so far. */
void result_write_timeseries(struct jsonw *w, const struct result *r, struct arena *arena);
/* The whole answer of GET …/timeseries?by=…: by days since exposure (RESULT_SINCE) or by cohort, of a result that holds these parts. */
void result_write_periods(struct jsonw *w, const struct result *r, enum result_part_kind kind, struct arena *arena);
/* The whole answer of GET …/results?segment=DIMENSION, of a result that holds its parts. `metric`: only this one, with the numbers that it has among
 * all of them (p counts every look); {NULL, 0}: all. */
void result_write_segments(struct jsonw *w, const struct result *r, struct str dimension, struct str metric,
                           struct arena *arena);
void result_write_dimensions(struct jsonw *w, const struct result *r); /* "dimensions": those there are */
/* One element of GET /v1/experiments. */
void result_write_summary(struct jsonw *w, const struct result *r, struct arena *arena);
