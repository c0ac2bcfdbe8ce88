/* metrics.h - what the job "metrics" and its two kernels say to each other. All little-endian, all in this program.
 *
 * params of both kernels: JSON {"archive": its folder or null, "data_end_us": up to which instant anything can be known,
 * "metrics": [definition, …], "experiments": [{"key", "last_day", "first_us", "cohorts", "metrics": [place in the list above, …]}, …]}. An
 * experiment's number is its place there; exposures before first_us do not count; cohorts: whether its units by day of first exposure are
 * asked for, too; "everyone": true (the job "preview") exposes each unit, to variant METRICS_EVERYONE, at the beginning of each day with a signal
 * of it. "metrics.units" has "want_caps": true when what is asked for are the sketches that caps at percentiles are made of, and in
 * the pass behind that "caps": what each day's values are capped at, [[day, experiment, metric, value], …].
 * desc of "metrics.day@2": "DAY LO HI" (days since 1970, buckets LO … HI inclusive); its data set: unit_day records.
 * desc of "metrics.units@3": "LO HI DAY DAY …", the buckets and one day for each input; its result: the records below. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/unit_cells.h"

extern const struct kernel kernel_metrics_day, kernel_metrics_units;

/* How far around its day the kernel of days looks: what happens there changes the day's records. */
struct metrics_reach {
    int64_t before_us, ahead_us;
};
struct metrics_reach metrics_day_reach(const struct program *p);

struct metrics_cap {
    int32_t day;
    uint32_t experiment, metric;
    double value;
};

struct metrics_params {
    struct str archive; /* archive: {NULL, 0} none is known */
    int64_t data_end_us;
    bool want_caps;
    struct program program;
    struct total_experiment *experiments;
    struct str *keys;
    int64_t *first_us;
    bool *cohorts;
    bool *everyone;
    size_t count;
    struct metrics_cap *caps;
    size_t caps_count;
};
bool metrics_params_read(struct str json, struct metrics_params *out, struct arena *arena, struct err *err) MUSTCHECK;
struct total_rules metrics_rules(const struct metrics_params *p);

#define METRICS_EVERYONE STR("all")

/* Records of the result. A cell of METRICS_CAP is the sketch of one experiment, metric and day. */
enum metrics_record {
    METRICS_END = 0,
    METRICS_CELL = 'c',
    METRICS_CAP = 'q',
    METRICS_COUNTS = 'n',
    METRICS_EXPOSURES = 'e'
};
enum { METRICS_RECORD_MAX = 256 << 10 };
void metrics_write_cell(struct buf *b, enum metrics_record kind, const struct total_cell *c);
void metrics_write_counts(struct buf *b, uint32_t experiment, const struct total_counts *c);
void metrics_write_exposures(struct buf *b, const struct total_exposures *e);

/* One record of any kind; texts are borrowed from its bytes. */
struct metrics_read {
    struct total_cell cell; /* pre and sketch point to those below, or are NULL */
    struct cross pre;
    struct sketch sketch;
    uint32_t experiment; /* of counts */
    struct total_counts counts;
    struct total_exposures exposures;
};
/* Takes the next record off *in: its kind, or METRICS_END when it is none. */
enum metrics_record metrics_read(struct str *in, struct metrics_read *out);
