/* unit_total.h - pure: unit-day records of one range of buckets in, day after day; cumulative moments out.
 *
 * A unit belongs to the variant of its first exposure. From that instant on its sums count; a unit that was seen in a second variant
 * counts in no metric from the day on which that is known, and is counted as a multiple exposure. Memory: about 150 bytes per unit and
 * experiment. */
#pragma once
#include "stats/moments.h"
#include "trainer/kernels/unit_day.h"

enum total_metric {
    TOTAL_CTR,
    TOTAL_CLICKS_PER_UNIT,
    TOTAL_CLICKS_PER_QUERY,
    TOTAL_MRR,
    TOTAL_ZERO_RESULT_RATE,
    TOTAL_TIME_TO_FIRST_CLICK,
    TOTAL_METRIC_COUNT
};
extern const char *const total_metric_keys[TOTAL_METRIC_COUNT];
/* Whether y is a denominator (a ratio). */
bool total_metric_is_ratio(enum total_metric m);

struct unit_totals;
struct unit_totals *unit_totals_new(void);
void unit_totals_free(struct unit_totals *t);
/* What this unit does counts in no metric; it is counted as marked. Before the first day. */
void unit_totals_mark(struct unit_totals *t, struct str unit);
/* Records of one day, after those of all days before. last_day says up to which day an experiment counts (INT32_MAX: no end). */
void unit_totals_add(struct unit_totals *t, const struct unit_day *u, int32_t day, const int32_t *last_days,
                     size_t experiments);

/* One line of the result: the state at the end of a day of one experiment and variant; or, of a cohort, all that was seen of the units that
 * were first exposed on that day. */
struct total_cell {
    uint32_t experiment;
    struct str variant;
    int32_t day;
    bool cohort;
    struct moments2 metrics[TOTAL_METRIC_COUNT];
};
struct total_counts {
    int64_t units, several, marked; /* counted; left out; left out, whatever they saw */
    int64_t last_us;
};
/* Cells of every experiment and variant at the end of this day, in the order of experiment and variant; counts are per experiment. */
typedef bool (*total_cell_fn)(void *arg, const struct total_cell *c, struct err *err);
bool unit_totals_day(struct unit_totals *t, int32_t day, const int32_t *last_days, total_cell_fn fn, void *arg,
                     struct err *err) MUSTCHECK;
/* After the last day: the cohorts of the experiments that want them, day by day. */
bool unit_totals_cohorts(const struct unit_totals *t, const bool *wanted, total_cell_fn fn, void *arg,
                         struct err *err) MUSTCHECK;
void unit_totals_counts(const struct unit_totals *t, uint32_t experiment, struct total_counts *out);
