/* day_plan.h - what every job over (day × range of buckets) shares: a lock and a snapshot, the days that have rows, what of them is there from an
 * earlier run, the pass over the rest, and which of its data sets a later pass reads.
 *
 *   day_plan_open, then the job's own questions on p->pg, then day_plan_days → day_plan_compute → in it day_plan_pass, and splits of further
 *   passes by day_plan_range or day_plan_part → day_plan_close
 *
 * A split of the pass over days is one day and a range of buckets. Where kernels emit to parts it is DAY_PLAN_JOINED ranges at once, by default a
 * partition, so that rows of a table are read once and splits are few. Its number is day · splits + its place in the day, its text
 * "DAY LO HI" (trainer/kernels/day_split.h). Everything lies in the arena that the job gives. */
#pragma once
#include "trainer/jobs/job.h"
#include "trainer/rollup/kept_days.h"

enum { DAY_PLAN_JOINED = 4 };

struct day_plan {
    struct run_context *run;
    struct arena *arena;
    struct pg *pg; /* in the run's snapshot, and holds the archive's readers' lock: both end with day_plan_close */
    struct str snapshot; /* its name, for kernels */
    int64_t now_us;      /* nothing is known of what lies behind this instant */
    uint32_t ranges;     /* of buckets, for passes over units: the run's parameter "ranges" */
    uint32_t splits;     /* of each day; known once the rules are */
    const int32_t *days; /* ascending */
    const uint64_t *weights;
    size_t days_count;
    struct kept_rules rules;
    struct kept_days *kept; /* NULL: nothing is kept */
    int pass;               /* number of the pass over days, once it was run */
};

/* The run's parameter "ranges": a power of two from 1 to 1024, by default 16. */
bool day_plan_ranges(const struct run_context *run, uint32_t *out, struct err *err) MUSTCHECK;
/* Locks, begins the transaction, exports its snapshot. `table`: statements of the job, for p->pg. Close it in any case. */
bool day_plan_open(struct day_plan *p, struct run_context *run, struct arena *arena, const struct pg_stmt *table,
                   size_t count, struct err *err) MUSTCHECK;
void day_plan_close(struct day_plan *p);

/* The days of from … to that have a partition or files, weighed by their bytes. */
bool day_plan_days(struct day_plan *p, int32_t from, int32_t to, struct err *err) MUSTCHECK;

/* What the data sets of the pass over days depend on. */
struct day_rules {
    const char *kernel;  /* with its version */
    struct str program;  /* all of its params but snapshot and the archive's folder */
    bool neighbours;     /* rows of the day before and of the whole day behind matter, not only the first hour behind */
    bool by_unit;        /* it emits to as many parts as the split has ranges of buckets (day_split_part) */
    uint32_t parts;      /* else: that it emits to; 0: one */
    const char *not_why; /* why none can be kept; NULL: they can */
};
/* Calls `compute`. Data sets of days that are as they were are found; each that is made is kept at once, so that a run that ends early leaves
 * its days to the next one. When a kept one turns out to be damaged, `compute` is called once more, without any. Param "full=true" of the run
 * makes all of them anew. What no run needs any more is swept at the end. */
typedef bool (*day_plan_fn)(void *arg, struct err *err);
bool day_plan_compute(struct day_plan *p, const struct day_rules *rules, day_plan_fn compute, void *arg,
                      struct err *err) MUSTCHECK;
/* How many splits of the pass over days need not be run, inside of compute. */
size_t day_plan_kept(const struct day_plan *p);
/* The pass over days, inside of compute; or without it, and then nothing is kept. */
bool day_plan_pass(struct day_plan *p, const struct day_rules *rules, const char *name, struct str params,
                   struct err *err) MUSTCHECK;

/* A split of a pass behind it (input_pass = p->pass) that reads one range of all days, oldest first: for what is of units (rules: by_unit). Its text is
 * "LO HI DAY DAY …", a day for each input. */
struct engine_split day_plan_range(const struct day_plan *p, uint32_t range);
/* One that reads one part of all days, all splits of a day behind each other, oldest day first: for what is of other keys. Its text is
 * "PART SPLITS DAY DAY …", SPLITS inputs for each day. */
struct engine_split day_plan_part(const struct day_plan *p, uint32_t part);
