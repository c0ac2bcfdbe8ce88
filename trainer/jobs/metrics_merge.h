/* metrics_merge.h - pure: the results of the splits of "metrics.units", one for each range of buckets, become one.
 *
 * Moments of the splits are merged by a tree of fixed shape, covariates and sketches in the order of the splits, so that who was ready first
 * cannot change a bit. Of a dimension only the SEGMENTS_SHOWN most frequent values of all units stay; the others go to "(other)". A split in
 * which no unit had a dimension has all its units in "(none)". Memory: what is published, and 48 bytes a split for each cell. */
#pragma once
#include "trainer/kernels/metrics.h"

enum { SEGMENTS_SHOWN = 20 };

/* A row of moments; or, with `metric` PROGRAM_NONE, one of exposure counts. */
struct merged_cell {
    uint32_t experiment, metric;
    struct str variant, segment;
    int32_t day;
    struct moments2 m;
    struct cross *pre;     /* NULL: none */
    struct sketch *sketch; /* NULL: none */
    int64_t units, several;
};

struct merged {
    struct arena arena;
    struct merged_cell *cells;
    size_t count;
    struct total_counts *counts; /* of each experiment */
};

/* parts: the bytes of each split, in their order; *out is empty after a failure, too. ERR_SYSTEM: one is damaged. */
bool merged_make(struct merged *out, const struct program *program, size_t experiments, const struct buf *parts,
                 uint32_t parts_count, struct err *err) MUSTCHECK;
void merged_release(struct merged *m);
/* Of splits that were asked for caps: the value at the metric's percentile, of each day and experiment. In the arena. */
bool merged_caps(const struct merged *m, const struct program *program, struct arena *arena, struct metrics_cap **out,
                 size_t *out_count, struct err *err) MUSTCHECK;
