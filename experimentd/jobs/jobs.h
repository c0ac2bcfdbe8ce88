/* jobs.h - the jobs' thread: one leader among all daemons on a database queues what is due, starts coordinators, and does what follows from their ends.
 *
 * The leader is who holds a session's advisory lock. Everything it writes goes over that same session: when the connection is lost, so is the lead, at
 * both ends, and another daemon has it within a second or so of PostgreSQL's noticing. What two leaders could do at once is made harmless by the database:
 * what is due is one row (unique job and instant), so is what follows from a run; a run is taken by one coordinator (epoch).
 *
 * A turn, about once a second and whenever a run's state, the configuration or a model's alias changes (NOTIFY): children that ended → runs that are lost → what follows from ends → what is
 * due → what may start → loops of models (loop/loop.h) → who is told. Coordinators are `trainer run --run ID`, processes of their own session: they outlive the daemon, and the next
 * leader finds them by their rows. Only when this daemon ends and takes its private PostgreSQL along, it asks them to end first; their runs
 * wait again, and the next leader starts them.
 *
 * No other thread touches what is here, but for the metrics, which are written to a text under a lock. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct jobs;

struct jobs_options {
    const char *url, *data_dir, *archive_dir; /* archive_dir "": the trainer's default */
    const char *trainer;                      /* the program; "": beside this one */
    const char *trainer_config;               /* its configuration file; "": none */
    const char *max_running_types;            /* "metrics=2": of others one at a time */
    const char *secret;                       /* of webhooks, or NULL */
    unsigned max_running, max_resumes;
    int64_t lost_after_us;
    bool private_cluster; /* it ends with this daemon */
};

/* Everything is copied. */
struct jobs *jobs_start(const struct jobs_options *options, struct err *err);
void jobs_stop(struct jobs *j); /* waits for the thread; NULL is accepted */
/* Any thread: metrics in Prometheus' format. */
void jobs_write_metrics(struct jobs *j, struct buf *b);
