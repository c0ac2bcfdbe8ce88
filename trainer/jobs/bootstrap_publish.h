/* bootstrap_publish.h - what the job "bootstrap" found: into PostgreSQL, where results find it, and onto standard output. */
#pragma once
#include "trainer/jobs/job.h"

struct drawn_interval {
    bool known; /* every replicate has a value */
    double estimate, se, low, high;
};

/* Of a metric, a treatment against the control. */
struct drawn_row {
    struct str metric, variant;
    int64_t n, control_n; /* units; of a quantile single values */
    double value, control_value;
    struct drawn_interval difference, lift;
};

struct drawn_rows {
    struct str experiment, control;
    int64_t replicates, seed;
    double level;
    struct drawn_row *p;
    size_t n;
};

/* In the place of what was published of the experiment, or of `only` (a metric; {NULL, 0}: all) of it, in the transaction that ends the run. A row
 * whose difference is not known is not published. */
bool drawn_publish(struct run_context *run, const struct drawn_rows *d, struct str only, struct err *err) MUSTCHECK;
/* A JSON object a line. */
bool drawn_print(const struct drawn_rows *d, struct err *err) MUSTCHECK;
