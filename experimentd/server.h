/* server.h - the daemon: what all workers share, and the control thread that starts, feeds, drains and ends them.
 *
 * serve_main runs on the main thread, which becomes the control thread: signals, LISTEN, snapshot building, timers. Order of
 * start: cluster, migrations, keys, snapshot, journal, loader, eraser, models, listeners, jobs, workers. The end is the reverse: listeners drain,
 * workers leave, jobs end, the journal is synced, the loader empties it, the cluster stops. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "experimentd/ingest/dimensions.h"
#include "experimentd/marks/rules.h"
#include "experimentd/serve_settings.h"
#include "experimentd/worker.h"

struct event;
struct journal;
struct key_rate;
struct live;
struct eraser;
struct loader;
struct pg;
struct pgcluster;
struct schedule;
struct ages;
struct alarms;
struct jobs;
struct recent;
struct store;

enum { THREADS_MAX = 64 };

struct server_worker {
    struct worker w;
    pthread_t thread;
    bool started;
    int listen_fd;
    int wake_fd; /* eventfd: look at the atomics below. Open until the thread was joined: others write to it */
    struct event *wake_event, *turn_timer;
    _Atomic bool ended;
    _Atomic bool connected; /* its database connection stood once */
    _Atomic uint64_t turns;
    char log_prefix[24];
};

struct server {
    struct serve_settings settings;
    char *database_url; /* of the private cluster or as given */
    struct pgcluster *cluster;
    struct pg *pg; /* the control thread's own connection: LISTEN, snapshot */
    struct journal *journal;
    struct loader *loader;
    struct mark_rules marks;
    struct dimensions dimensions; /* of exposures */
    struct key_rate *key_rate;
    struct live *live; /* the last that clients sent: ingest/live/live.h */
    struct eraser *eraser;
    struct schedule *schedule; /* what happens to experiments by the clock */
    struct ages *ages;         /* of results */
    struct alarms *alarms;     /* of running experiments' health */
    struct recent *recent;     /* what units chose lately: serving/recent.h */
    struct store *store;       /* of models, its own thread */
    struct jobs *jobs;         /* the jobs' thread; NULL: jobs.enabled is off */
    char *webhook_secret;      /* NULL: messages are not signed */
    struct event_base *base;
    struct event *listen_event;
    unsigned workers_count;
    struct server_worker workers[THREADS_MAX];
    uint16_t port;
    int64_t started_us;
    _Atomic int64_t stop_asked_us; /* monotonic; 0: running */
    bool draining_sent;
    _Atomic bool ready;   /* /readyz */
    _Atomic bool drain;   /* workers: drop listeners, finish, leave */
    _Atomic bool abandon; /* workers: leave now */
    _Atomic bool database_up;
    _Atomic uint64_t sticky_unavailable; /* times that sticky assignments could not be read or written */
    _Atomic uint64_t items_upserted, items_deleted, items_rejected; /* of the catalogue: items/handlers.c */
    _Atomic uint64_t impressions_lost; /* of interleaved lists: the journal did not take them */
};

/* `experimentd serve …`; argv behind the command. Returns the exit code. */
int serve_main(int argc, char **argv);
/* Thread body of one worker. */
void *server_worker_run(void *arg);
