/* metrics_plan.h - what one run of the job "metrics" computes: experiments, the definitions of their metrics, days and ranges of buckets.
 * Everything lies in the plan's arena. */
#pragma once
#include "trainer/jobs/day_plan.h"
#include "trainer/kernels/metrics.h"

struct metrics_plan {
    struct arena arena;
    struct str params;      /* of the kernels, without caps */
    struct str day_program; /* what of the params the pass over days looks at */
    struct str *keys;       /* of the experiments */
    int64_t *first_us;      /* exposures before do not count */
    size_t experiments;
    struct program program; /* as the kernels make it of the params */
    struct day_plan by_day;
    struct day_rules rules; /* of the pass over days */
};

/* The version of the kernel of days: part of all names of what is kept. */
#define METRICS_DAY_KERNEL "metrics.day@2"

void metrics_plan_init(struct metrics_plan *p);
/* Its snapshot is the run's until metrics_plan_release. */
bool metrics_plan_read(struct metrics_plan *p, struct run_context *run, struct err *err) MUSTCHECK;
void metrics_plan_release(struct metrics_plan *p);
/* The params with what is asked for: sketches for caps, or cells with these caps. */
bool metrics_plan_params(struct metrics_plan *p, bool want_caps, const struct metrics_cap *caps, size_t count,
                         struct str *out, struct err *err) MUSTCHECK;
