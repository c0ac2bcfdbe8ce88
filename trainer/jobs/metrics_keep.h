/* metrics_keep.h - what a run of the job "metrics" keeps for the next one (trainer/rollup/kept_days.h), and when nothing can be kept. */
#pragma once
#include "trainer/jobs/metrics_plan.h"
#include "trainer/rollup/kept_days.h"

/* The version of the kernel of days: part of all names. */
#define METRICS_DAY_KERNEL "metrics.day@2"

struct metrics_keep {
    struct kept_rules rules;
    struct kept_days *days; /* NULL: nothing is kept, everything is read */
};

/* pg: the plan's connection. Never fails: what cannot be kept is read. */
void metrics_keep_open(struct metrics_keep *k, const struct metrics_plan *p, const struct run_context *run,
                       struct pg *pg);
void metrics_keep_release(struct metrics_keep *k);
