#include "experimentd/jobs/counters.h"

#include <pthread.h>

static const char *const states[] = { "success", "failed", "cancelled", "timeout", "lost", "skipped" };
enum { STATES = COUNT_OF(states), JOBS_MAX = 1000 };

struct row {
    struct row *next;
    struct str job, type; /* owned; letters of an id, nothing to escape */
    uint64_t ends[STATES], runs;
    double seconds;
    int64_t success_us;
};

struct tally {
    pthread_mutex_t lock;
    struct row *first;
    size_t count;
    bool leads;
    size_t running, queued;
};

struct tally *tally_new(void)
{
    struct tally *t = mem_zalloc(sizeof *t);
    (void)pthread_mutex_init(&t->lock, NULL);
    return t;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    for (struct row *r; (r = t->first); mem_free(r)) {
        t->first = r->next;
        mem_free((char *)(uintptr_t)r->job.p);
        mem_free((char *)(uintptr_t)r->type.p);
    }
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

void tally_lead(struct tally *t, bool leads)
{
    (void)pthread_mutex_lock(&t->lock);
    t->leads = leads;
    if (!leads)
        t->running = t->queued = 0;
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_open(struct tally *t, size_t running, size_t queued)
{
    (void)pthread_mutex_lock(&t->lock);
    t->running = running;
    t->queued = queued;
    (void)pthread_mutex_unlock(&t->lock);
}

static struct row *row_of(struct tally *t, struct str job, struct str type)
{
    struct row *r = t->first;
    while (r && !(str_eq(r->job, job) && str_eq(r->type, type)))
        r = r->next;
    if (r || t->count == JOBS_MAX)
        return r;
    r = mem_zalloc(sizeof *r);
    *r = (struct row){ .next = t->first,
                       .job = { mem_strndup(job.p, job.n), job.n },
                       .type = { mem_strndup(type.p, type.n), type.n } };
    t->first = r;
    t->count++;
    return r;
}

void tally_success(struct tally *t, struct str job, struct str type, int64_t finished_us)
{
    (void)pthread_mutex_lock(&t->lock);
    struct row *r = row_of(t, job, type);
    if (r && finished_us > r->success_us)
        r->success_us = finished_us;
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_end(struct tally *t, struct str job, struct str type, struct str state, double seconds, int64_t finished_us)
{
    (void)pthread_mutex_lock(&t->lock);
    struct row *r = row_of(t, job, type);
    for (size_t i = 0; r && i < STATES; i++)
        r->ends[i] += str_eq_c(state, states[i]);
    if (r && !str_eq(state, STR("skipped"))) {
        r->runs++;
        r->seconds += seconds;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (str_eq(state, STR("success")))
        tally_success(t, job, type, finished_us);
}

/* ---- writing ---- */

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

#define LABELS "job=\"" STR_FMT "\",type=\"" STR_FMT "\""
#define LABELS_OF(r) STR_ARG((r)->job), STR_ARG((r)->type)

static void write_rows(const struct tally *t, struct buf *b)
{
    head(b, "experimentd_job_runs_total", "counter", "ends of runs that this daemon saw while it led, by state");
    for (const struct row *r = t->first; r; r = r->next)
        for (size_t i = 0; i < STATES; i++)
            if (r->ends[i])
                buf_addf(b, "experimentd_job_runs_total{" LABELS ",state=\"%s\"} %llu\n", LABELS_OF(r), states[i],
                         (unsigned long long)r->ends[i]);
    head(b, "experimentd_job_run_duration_seconds", "summary", "how long these took, from start to end");
    for (const struct row *r = t->first; r; r = r->next)
        if (r->runs)
            buf_addf(b,
                     "experimentd_job_run_duration_seconds_sum{" LABELS
                     "} %.6f\nexperimentd_job_run_duration_seconds_count{" LABELS "} %llu\n",
                     LABELS_OF(r), r->seconds, LABELS_OF(r), (unsigned long long)r->runs);
    head(b, "experimentd_job_last_success_timestamp_seconds", "gauge",
         "when the job last succeeded, as far as the leader knows");
    for (const struct row *r = t->first; r; r = r->next)
        if (r->success_us)
            buf_addf(b, "experimentd_job_last_success_timestamp_seconds{" LABELS "} %.3f\n", LABELS_OF(r),
                     (double)r->success_us / 1e6);
}

void tally_write(struct tally *t, struct buf *b)
{
    (void)pthread_mutex_lock(&t->lock);
    head(b, "experimentd_jobs_leader", "gauge", "1 while this daemon leads the jobs of its database");
    buf_addf(b, "experimentd_jobs_leader %d\n", t->leads);
    head(b, "experimentd_jobs_running", "gauge", "runs under way, as the leader sees them");
    buf_addf(b, "experimentd_jobs_running %zu\n", t->running);
    head(b, "experimentd_jobs_queued", "gauge", "runs that wait, as the leader sees them");
    buf_addf(b, "experimentd_jobs_queued %zu\n", t->queued);
    write_rows(t, b);
    (void)pthread_mutex_unlock(&t->lock);
}
