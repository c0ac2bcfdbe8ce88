/* What follows from a run's end: it is retried, or jobs after it are queued and who wants to know is told. Once, in one transaction. */
#include "base/log.h"
#include "experimentd/jobs/counters.h"
#include "experimentd/jobs/parts.h"

enum { ID, JOB, TYPE, STATE, ATTEMPT, SECONDS, FINISHED, STARTED };
/* Heartbeats are old, too, when PostgreSQL was away: coordinators get this long to beat again before one is held to be dead. */
#define BEAT_AGAIN_US (10 * US_PER_SECOND)
#define RETRY_WAIT_MAX INT64_C(86400)

/* It waits again, in its old place: a run that is taken up is nowhere seen as lost. */
static bool resume(struct jobs *j, struct err *err)
{
    const char *params[] = { jobs_number(j, j->max_resumes) };
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_RESUME, params, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        log_warn("run_resumed", "run=%s", pg_get(r, i, 0).p);
    return r != NULL;
}

bool jobs_find_lost(struct jobs *j, struct err *err)
{
    const char *params[] = { jobs_number(j, j->lost_after_us / US_PER_SECOND) };
    if (clock_mono_us() - j->leads_since_us >= BEAT_AGAIN_US) {
        AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_LOSE, params, err);
        for (int i = 0; r && i < PQntuples(r); i++)
            log_warn("run_lost", "run=%s", pg_get(r, i, 0).p);
        if (!r)
            return false;
    }
    return jobs_do(j, JOBS_GIVE_UP, NULL, err) && resume(j, err);
}

struct end {
    struct str id, job, type, state;
    int64_t attempt, finished_us;
    double seconds;
    bool started;
};

static bool failed(const struct end *e)
{
    return !str_eq(e->state, STR("success")) && !str_eq(e->state, STR("cancelled")) &&
           !str_eq(e->state, STR("skipped"));
}

static bool is_told(const struct led_job *job, const struct end *e)
{
    for (size_t i = 0; job && job->def.notify_url.n && i < JOB_END_COUNT; i++)
        if (str_eq_c(e->state, job_end_names[i]))
            return job->def.notify_on >> i & 1;
    return false;
}

/* 60, 120, 240 … seconds, when the job says 60. */
static bool queue_retry(struct jobs *j, const struct led_job *job, const struct end *e, struct err *err)
{
    int64_t wait = job->def.retry_after_seconds;
    for (int64_t i = 1; i < e->attempt && wait < RETRY_WAIT_MAX; i++)
        wait *= 2;
    const char *params[] = { jobs_new_id(j), arena_cstr(&j->arena, e->id),
                             jobs_number(j, wait < RETRY_WAIT_MAX ? wait : RETRY_WAIT_MAX) };
    return jobs_do(j, JOBS_QUEUE_RETRY, params, err);
}

/* One that was begun and found too little to do holds back nothing; one that was never begun had another one under way. */
static struct str state_for_followers(const struct end *e)
{
    return e->started && str_eq(e->state, STR("skipped")) ? STR("success") : e->state;
}

static bool queue_followers(struct jobs *j, const struct end *e, struct err *err)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct job_def *d = &j->all[i].def;
        bool fires = false;
        for (size_t t = 0; d->enabled && t < d->triggers_count && !fires; t++)
            fires = trigger_fires(&d->triggers[t], e->job, state_for_followers(e));
        const char *params[] = { jobs_new_id(j), d->id.p, arena_cstr(&j->arena, e->id),
                                 str_eq(d->concurrency, STR("skip")) ? "true" : "false" };
        if (fires && !jobs_do(j, JOBS_QUEUE_NEXT, params, err))
            return false;
    }
    return true;
}

static bool follow(struct jobs *j, const struct end *e, struct err *err)
{
    const struct led_job *job = jobs_find(j, e->job);
    bool again = job && failed(e) && e->attempt <= job->def.max_retries;
    const char *params[] = { arena_cstr(&j->arena, e->id), !again && is_told(job, e) ? "true" : "false" };
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_SETTLE, params, err);
    if (!r || PQntuples(r) == 0)
        return r != NULL; /* another leader did */
    return again ? queue_retry(j, job, e, err) : queue_followers(j, e, err);
}

static bool settle(struct jobs *j, const struct end *e, struct err *err)
{
    if (pg_begin(j->pg, err) && follow(j, e, err) && pg_commit(j->pg, err)) {
        tally_end(j->tally, e->job, e->type, e->state, e->seconds, e->finished_us);
        return true;
    }
    pg_rollback(j->pg);
    return false;
}

bool jobs_settle(struct jobs *j, struct err *err)
{
    const char *params[] = { jobs_number(j, j->max_resumes) };
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_ENDED, params, err);
    for (int i = 0; r && i < PQntuples(r); i++) {
        struct end e = { .id = pg_get(r, i, ID),
                         .job = pg_get(r, i, JOB),
                         .type = pg_get(r, i, TYPE),
                         .state = pg_get(r, i, STATE),
                         .attempt = pg_get_i64(r, i, ATTEMPT),
                         .seconds = pg_get_double(r, i, SECONDS),
                         .finished_us = pg_get_i64(r, i, FINISHED),
                         .started = pg_get_bool(r, i, STARTED) };
        if (!settle(j, &e, err)) {
            if (!pg_is_alive(j->pg))
                return false;
            log_warn("run_not_followed", "run=" STR_FMT " " LOG_ERR, STR_ARG(e.id), LOG_ERR_ARG(err));
        }
    }
    return r != NULL;
}
