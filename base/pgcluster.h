/* pgcluster.h - the private PostgreSQL cluster of a data directory: made, started and ended with the program.
 *
 * DIR/pg holds the cluster, DIR/run its Unix socket (no TCP). Started as root, PostgreSQL runs as the unprivileged user
 * `pg_user`. The postmaster is a child that gets SIGINT (fast shutdown) when its parent dies, so kill -9 of the daemon ends it;
 * one that is still there at the next start is ended first. DIR/pg.lock (flock) says which process owns the cluster. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct pgcluster;

struct pgcluster_options {
    const char *data_dir;
    const char *pg_user;        /* only used as root; NULL or "": postgres */
    const char *bin_dir;        /* NULL or "": found in the places where distributions put it */
    unsigned shared_buffers_mb; /* 0: 128 */
};

/* Makes the cluster if there is none, ends a stale postmaster, starts it, waits until it answers, makes database "experimentd".
 * ERR_CONFLICT when another live process owns it. */
struct pgcluster *pgcluster_start(const struct pgcluster_options *options, struct err *err);
const char *pgcluster_url(const struct pgcluster *c);
pid_t pgcluster_pid(const struct pgcluster *c);
/* Fast shutdown, waits; then frees. */
void pgcluster_stop(struct pgcluster *c);

/* The URL for a program that has DIR or a URL: database_url if given; else, when another process runs the cluster of DIR, its
 * URL (*out_cluster NULL); else starts it (*out_cluster is the caller's to stop). The text is the caller's to free. */
char *pgcluster_connect(const struct pgcluster_options *options, const char *database_url,
                        struct pgcluster **out_cluster, struct err *err);
