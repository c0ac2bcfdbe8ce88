/* unit_cells.h - pure: from what is kept of the units (unit_total.h) to the moments of every metric.
 *
 * A cell is one experiment, metric, variant, segment and day. Units are added in the order of unit_totals_at, so that the same records give
 * the same bits. Memory: for each variant 1 KB a metric, or 64 KB of a quantile; the same for each segment, one metric at a time. */
#pragma once
#include "stats/adjust/cross.h"
#include "stats/moments.h"
#include "stats/ranks/sketch.h"
#include "trainer/kernels/unit_total.h"

/* The names of segments in the table moments. */
#define CELL_COHORT ":first_day"
#define CELL_SINCE "since:%d"
#define CELL_STEP "step:%zu"
enum { CELL_SINCE_DAYS = 28 };

struct total_cell {
    uint32_t experiment, metric; /* its number in the program */
    struct str variant, segment;
    int32_t day;
    struct moments2 m;           /* of a quantile only n: the others follow from the sketch, once all are merged */
    const struct cross *pre;     /* NULL: no covariates */
    const struct sketch *sketch; /* of a quantile; NULL of others */
};
typedef bool (*total_cell_fn)(void *arg, const struct total_cell *c, struct err *err);

struct cell_pass {
    const struct unit_totals *totals;
    int32_t day;         /* the last one that was added */
    int64_t data_end_us; /* behind which nothing is known yet, though the day goes on */
    const double *
        caps; /* of experiment e and metric m at [e * metrics + m]: up to which a unit's value counts; NAN none. NULL: none */
    total_cell_fn fn;
    void *arg;
};

/* What was seen by the end of this day, of every variant, in all units. */
bool unit_cells_day(const struct cell_pass *p, struct err *err) MUSTCHECK;
/* After the last day: all that was seen of the units first exposed on each day, of the experiments that want it. */
bool unit_cells_cohorts(const struct cell_pass *p, const bool *wanted, struct err *err) MUSTCHECK;
/* After the last day: by segments of the first exposure; by days since it; by steps of funnels. */
bool unit_cells_segments(const struct cell_pass *p, struct err *err) MUSTCHECK;
bool unit_cells_since(const struct cell_pass *p, struct err *err) MUSTCHECK;
bool unit_cells_steps(const struct cell_pass *p, struct err *err) MUSTCHECK;
/* Of metrics that are capped at a percentile: the units' values, of all variants together, as sketches (variant and segment are ""). */
bool unit_cells_caps(const struct cell_pass *p, struct err *err) MUSTCHECK;

struct total_counts {
    int64_t units, several, marked; /* counted; left out; left out, whatever they saw */
    int64_t last_us;
};
void unit_cells_counts(const struct unit_totals *t, uint32_t experiment, struct total_counts *out);

/* First exposures of a day that are not marked; several: of those, the units that were seen in another variant, too. */
struct total_exposures {
    uint32_t experiment;
    struct str variant, segment;
    int32_t day;
    int64_t units, several;
};
typedef bool (*total_exposures_fn)(void *arg, const struct total_exposures *e, struct err *err);
bool unit_cells_exposures(const struct unit_totals *t, total_exposures_fn fn, void *arg, struct err *err) MUSTCHECK;
