/* metrics.h - what the job "metrics" and its two kernels say to each other. All little-endian, all in this program.
 *
 * params of both kernels: JSON {"snapshot": "…", "archive": its folder or null, "experiments": [["key", last_day, first_us, cohorts], …]}; an experiment's number
 * is its place there; exposures before first_us do not count; cohorts: whether its units by day of first exposure are asked for, too.
 * desc of "metrics.day@1": "DAY LO HI" (days since 1970, buckets LO … HI inclusive); its data set: unit_day records.
 * desc of "metrics.units@2": "LO HI DAY DAY …", the buckets and one day for each input; its result: metrics_cell and metrics_counts records. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/unit_total.h"

extern const struct kernel kernel_metrics_day, kernel_metrics_units;

struct metrics_params {
    struct str snapshot, archive; /* archive: {NULL, 0} none is known */
    struct str *keys;
    int32_t *last_days;
    int64_t *first_us;
    bool *cohorts;
    size_t count;
};
bool metrics_params_read(struct str json, struct metrics_params *out, struct arena *arena, struct err *err) MUSTCHECK;

enum { METRICS_CELL = 'c', METRICS_COHORT = 'f', METRICS_COUNTS = 'n' };
void metrics_write_cell(struct buf *b, const struct total_cell *c);
void metrics_write_counts(struct buf *b, uint32_t experiment, const struct total_counts *c);
/* Takes the next record off *in: its kind, or 0 when it is none. */
int metrics_read(struct str *in, struct total_cell *cell, uint32_t *experiment, struct total_counts *counts);
