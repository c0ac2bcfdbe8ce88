#include "experimentd/jobs/due.h"

#include <stdio.h>

#include "base/log.h"
#include "experimentd/jobs/parts.h"

static struct due *add(struct due_plan *p, int64_t at_s)
{
    struct due *d = &p->runs[p->count++];
    *d = (struct due){ .at_s = at_s };
    return d;
}

/* Each of them, the oldest first; the one that is on time obeys "concurrency". */
static void make_all(const struct job_def *d, const struct zone *z, int64_t since_s, int64_t now_s,
                     struct due_plan *out)
{
    for (int64_t t = job_def_next(d, z, since_s); t <= now_s && out->count < DUE_MAX; t = job_def_next(d, z, t)) {
        struct due *run = add(out, t);
        run->waits = t < now_s - DUE_LATE_S;
        if (run->waits)
            (void)snprintf(run->note, sizeof run->note, "caught up with: it was missed");
        out->scheduled_s = t;
    }
}

/* One row stands for all that were missed; those that are on time run each, and the first of them stands for what "once" would catch up with. */
static void say_missed(struct due_plan *p, size_t missed, int64_t last_missed, bool once, bool on_time)
{
    if (!missed || (once && on_time))
        return;
    struct due *run = add(p, last_missed);
    run->skipped = !once;
    (void)snprintf(run->note, sizeof run->note,
                   once ? "caught up with: %zu missed, run once" : "%zu missed, not caught up with", missed);
}

void due_make(const struct job_def *d, const struct zone *z, int64_t since_s, int64_t now_s, struct due_plan *out)
{
    size_t missed = 0;
    int64_t last_missed = 0, t = job_def_next(d, z, since_s);
    bool once = str_eq(d->catch_up, STR("once"));
    out->count = 0;
    out->scheduled_s = since_s;
    if (str_eq(d->catch_up, STR("all"))) {
        make_all(d, z, since_s, now_s, out);
        return;
    }
    for (; t < now_s - DUE_LATE_S; t = job_def_next(d, z, t)) {
        missed++;
        last_missed = out->scheduled_s = t;
    }
    say_missed(out, missed, last_missed, once, t <= now_s);
    for (size_t first = out->count; t <= now_s && out->count < DUE_MAX; t = job_def_next(d, z, t)) {
        struct due *run = add(out, t);
        out->scheduled_s = t;
        if (once && missed && out->count == first + 1)
            (void)snprintf(run->note, sizeof run->note, "also for %zu that were missed", missed);
    }
}

/* ---- into the database ---- */

static bool queue(struct jobs *j, const struct led_job *job, const struct due *due, struct err *err)
{
    bool skips = str_eq(job->def.concurrency, STR("skip"));
    const char *params[] = { jobs_new_id(j),
                             job->def.id.p,
                             jobs_number(j, due->at_s * US_PER_SECOND),
                             due->skipped ? "skipped" : "queued",
                             due->note[0] ? due->note : NULL,
                             skips && !due->waits && !due->skipped ? "true" : "false" };
    return jobs_do(j, JOBS_QUEUE_DUE, params, err);
}

static bool queue_plan(struct jobs *j, struct led_job *job, const struct due_plan *plan, struct err *err)
{
    const char *until[] = { job->def.id.p, jobs_number(j, plan->scheduled_s * US_PER_SECOND) };
    bool ok = pg_begin(j->pg, err);
    for (size_t i = 0; ok && i < plan->count; i++)
        ok = queue(j, job, &plan->runs[i], err);
    if (ok && jobs_do(j, JOBS_SCHEDULED, until, err) && pg_commit(j->pg, err)) {
        job->scheduled_s = plan->scheduled_s;
        return true;
    }
    pg_rollback(j->pg);
    return false;
}

bool jobs_queue_due(struct jobs *j, struct err *err)
{
    int64_t now_s = clock_now_us() / US_PER_SECOND;
    struct due_plan *plan = arena_alloc(&j->arena, sizeof *plan);
    for (size_t i = 0; i < j->count; i++) {
        struct led_job *job = &j->all[i];
        if (!job->def.enabled)
            continue;
        due_make(&job->def, job->zone, job->scheduled_s, now_s, plan);
        if (!plan->count || queue_plan(j, job, plan, err))
            continue;
        if (!pg_is_alive(j->pg))
            return false;
        log_warn("job_not_queued", "job=" STR_FMT " " LOG_ERR, STR_ARG(job->def.id), LOG_ERR_ARG(err));
    }
    return true;
}
