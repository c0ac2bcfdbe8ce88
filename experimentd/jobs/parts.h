/* parts.h - what the files of the jobs' thread share. Not for others. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pg.h"
#include "experimentd/jobs/definition.h"
#include "experimentd/jobs/jobs.h"

struct event;
struct event_base;
struct starter;
struct notices;
struct tally;
struct loops;

enum jobs_stmt {
    JOBS_LOCK,      /* → whether this session leads */
    JOBS_ALL,       /* → document, scheduled_to (µs) */
    JOBS_SEED,      /* $1 document: a predefined job, unless there is one of its id */
    JOBS_SCHEDULED, /* $1 job, $2 until (µs) */
    JOBS_QUEUE_DUE, /* $1 run, $2 job, $3 due (µs), $4 state, $5 note, $6 left out when another is under way → run or null */
    JOBS_QUEUE_NEXT,  /* $1 run, $2 job, $3 after which run, $4 left out when another is under way → run or null */
    JOBS_QUEUE_RETRY, /* $1 run, $2 of which run, $3 in how many seconds → run or null */
    JOBS_LOSE,        /* $1 seconds → runs */
    JOBS_LOSE_ONE,    /* $1 run, $2 host, $3 pid, $4 error */
    JOBS_GIVE_UP,     /* lost ones that were asked to end are cancelled */
    JOBS_ENDED, /* $1 resumes at least, of lost ones → run, job, type, state, attempt, seconds, finished (µs) of those whose end nothing has followed yet */
    JOBS_SETTLE,       /* $1 run, $2 somebody is told → run, unless it is settled */
    JOBS_OPEN,         /* → run, job, type, state, ready, resumes */
    JOBS_RESUME,       /* $1 run → run, when it is still lost */
    JOBS_FAIL,         /* $1 run, $2 error: one that never started */
    JOBS_HAND_BACK,    /* $1 host → run, pid: runs on this host wait again, for the database goes away */
    JOBS_UNTOLD,       /* → RUN_COLUMNS, then the job's name and notify */
    JOBS_TOLD,         /* $1 run, $2 arrived, $3 tries */
    JOBS_STEPS_UNTOLD, /* → STEP_COLUMNS, then the address */
    JOBS_STEP_TOLD,    /* $1 step, $2 arrived, $3 tries */
    JOBS_SUCCESSES,    /* → job, type, instant (µs) of the last success */
    JOBS_STMT_COUNT
};
extern const struct pg_stmt jobs_statements[JOBS_STMT_COUNT];

/* One job as the leader looks at it. */
struct led_job {
    struct job_def def;
    struct zone *zone;
    int64_t scheduled_s; /* what was due up to here is queued */
};

struct jobs {
    pthread_t thread;
    _Atomic bool stop;
    struct event_base *base;
    int wake_fd;
    struct event *wake, *timer, *notified;
    struct pg *pg;
    bool leads;
    int64_t leads_since_us; /* monotonic */
    struct arena arena;     /* of one turn */
    struct led_job *all;
    size_t count;
    struct err unreadable; /* why a job was left out, as it was told last */
    struct starter *starter;
    struct notices *notices;
    struct tally *tally;
    struct loops *loops;
    char *url, *data_dir, *trainer, *max_running_types, *secret;
    unsigned max_running, max_resumes;
    int64_t lost_after_us;
    bool private_cluster;
};

/* A statement with its parameters; NULL: err says why. */
PGresult *jobs_run(struct jobs *j, enum jobs_stmt stmt, const char *const *params, struct err *err);
bool jobs_do(struct jobs *j, enum jobs_stmt stmt, const char *const *params, struct err *err) MUSTCHECK;
/* Texts of the turn's arena. */
const char *jobs_new_id(struct jobs *j);
const char *jobs_number(struct jobs *j, int64_t v);
const struct led_job *jobs_find(const struct jobs *j, struct str id);

/* predefined.c */
bool jobs_seed(struct jobs *j, struct err *err) MUSTCHECK;
/* due.c: what is due becomes runs. */
bool jobs_queue_due(struct jobs *j, struct err *err) MUSTCHECK;
/* ends.c: what is lost; what follows from ends. */
bool jobs_find_lost(struct jobs *j, struct err *err) MUSTCHECK;
bool jobs_settle(struct jobs *j, struct err *err) MUSTCHECK;
/* dispatch.c: runs that wait and may, start; children that ended. */
bool jobs_dispatch(struct jobs *j, struct err *err) MUSTCHECK;
bool jobs_reap(struct jobs *j, struct err *err) MUSTCHECK;
void jobs_hand_back(struct jobs *j);
