/* metrics_plan.h - what one run of the job "metrics" computes: experiments, the definitions of their metrics, days and ranges of buckets.
 * Everything lies in the plan's arena. */
#pragma once
#include "trainer/jobs/job.h"
#include "trainer/kernels/metrics.h"

struct metrics_plan {
    struct arena arena;
    struct str params;      /* of the kernels, without caps */
    struct str snapshot;    /* that all workers read */
    struct str day_program; /* what of the params the pass over days looks at */
    struct str *keys;       /* of the experiments */
    int64_t *first_us;      /* exposures before do not count */
    size_t experiments;
    struct program program; /* as the kernels make it of the params */
    int32_t *days;
    uint64_t *weights;
    size_t days_count;
    uint32_t ranges;
    int days_pass; /* number of the pass over days, once it was run */
};

/* Reads the plan in a transaction that stays open: its snapshot is the run's. */
struct pg *metrics_plan_read(struct metrics_plan *p, const struct run_context *run, struct err *err);
/* The run's parameter "ranges", of buckets. */
bool metrics_plan_ranges(const struct run_context *run, uint32_t *out, struct err *err) MUSTCHECK;
/* The params with what is asked for: sketches for caps, or cells with these caps. */
bool metrics_plan_params(struct metrics_plan *p, bool want_caps, const struct metrics_cap *caps, size_t count,
                         struct str *out, struct err *err) MUSTCHECK;
