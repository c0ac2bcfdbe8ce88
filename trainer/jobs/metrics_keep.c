#include "trainer/jobs/metrics_keep.h"

#include <stdio.h>

#include "archive/changes.h"
#include "archive/store.h"
#include "base/log.h"

/* NULL: the data sets of days can be kept. */
static const char *why_not(const struct metrics_plan *p, const struct run_context *run, const struct metrics_reach *r)
{
    if (!run->archive_dir)
        return "there is no folder for it: give --archive-dir DIR";
    if (p->program.facts_of[FACT_SQL])
        return "a metric is made by a select, whose tables may change at any time";
    if (r->ahead_us > US_PER_DAY || r->before_us > US_PER_DAY)
        return "a metric looks further than a day around its day";
    return NULL;
}

void metrics_keep_open(struct metrics_keep *k, const struct metrics_plan *p, const struct run_context *run,
                       struct pg *pg)
{
    const struct metrics_reach reach = metrics_day_reach(&p->program);
    const char *why = why_not(p, run, &reach), *full = run->param(run, "full");
    struct err err;
    *k = (struct metrics_keep){ .rules = { .kernel = METRICS_DAY_KERNEL,
                                           .program = p->day_program,
                                           .neighbours = reach.before_us > 0 || reach.ahead_us > CHANGES_HEAD_US,
                                           .days = p->days,
                                           .days_count = p->days_count,
                                           .ranges = p->ranges } };
    if (why) {
        (void)fprintf(stderr, "all days are read: %s\n", why);
        return;
    }
    if (archive_store_make(run->pg, run->archive_dir, &err))
        k->days = kept_days_open(pg, run->archive_dir, &k->rules, &err);
    if (k->days && full && strcmp(full, "true") == 0)
        kept_days_distrust(k->days);
    if (k->days)
        (void)fprintf(stderr, "%zu of %zu days and ranges of buckets are as they were\n", kept_days_found(k->days),
                      p->days_count * p->ranges);
    else
        log_warn("days_not_kept", LOG_ERR, LOG_ERR_ARG(&err));
}

void metrics_keep_release(struct metrics_keep *k)
{
    kept_days_free(k->days);
    k->days = NULL;
}
