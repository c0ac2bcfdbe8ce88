/* The control thread: start in order, then one loop of signals, notifications and a one-second timer, then stop in reverse. */
#include "experimentd/server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "experimentd/config/encrypt.h"
#include "experimentd/config/keys.h"
#include "experimentd/config/load.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/health/alarms.h"
#include "experimentd/health/webhook.h"
#include "experimentd/http/cors.h"
#include "experimentd/http/http.h"
#include "experimentd/http/routes.h"
#include "experimentd/http/static_files.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/key_rate.h"
#include "experimentd/ingest/live/live.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/jobs/jobs.h"
#include "experimentd/results/ages.h"
#include "experimentd/schedule/schedule.h"
#include "experimentd/serving/recent.h"
#include "experimentd/serving/serving.h"
#include "experimentd/serving/store.h"
#include "experimentd/units/eraser.h"

enum { READY_WAIT_US = 15000000 };

static void wake_workers(struct server *s)
{
    uint64_t one = 1;
    for (unsigned i = 0; i < s->workers_count; i++)
        if (s->workers[i].started && !atomic_load(&s->workers[i].ended))
            (void)!write(s->workers[i].wake_fd, &one, sizeof one);
}

/* ---- configuration: LISTEN, reload, reconnect ---- */

/* A notification that arrives while the configuration is read is taken in by libpq with the rows, and the socket stays silent about it:
 * after each reading, on_notify looks once more. */
static void look_again(struct server *s)
{
    if (s->listen_event)
        event_active(s->listen_event, EV_READ, 0);
}

static bool reload(struct server *s, struct err *err)
{
    struct snapshot *next = snapshot_load(s->pg, err);
    if (!next)
        return false;
    log_debug("snapshot_published", "version=%lld experiments=%zu", (long long)next->version, next->experiments_count);
    snapshot_publish(next);
    wake_workers(s);
    look_again(s);
    return true;
}

static void on_notify(evutil_socket_t fd, short what, void *arg);

/* An edit by the clock must not keep this thread waiting for somebody else's lock: it is tried again. */
static const char listen_sql[] = "set lock_timeout = '2s'; listen config";

static bool listen_again(struct server *s, struct err *err)
{
    if (!pg_exec(s->pg, listen_sql, err) || !reload(s, err))
        return false;
    s->listen_event = event_new(s->base, PQsocket(s->pg->conn), EV_READ | EV_PERSIST, on_notify, s);
    (void)event_add(s->listen_event, NULL);
    look_again(s);
    atomic_store(&s->database_up, true);
    return true;
}

static void database_lost(struct server *s, const struct err *err)
{
    log_error("database_lost", LOG_ERR, LOG_ERR_ARG(err));
    atomic_store(&s->database_up, false);
    event_free(s->listen_event);
    s->listen_event = NULL;
}

/* While the database is away nothing is tried: what is due stays due. */
static void run_schedule(struct server *s)
{
    if (s->listen_event && !s->stop_asked_us && schedule_turn(s->schedule, s->pg, snapshot_get()))
        look_again(s);
}

static void on_notify(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct server *s = arg;
    struct err err;
    bool changed = false;
    if (!PQconsumeInput(s->pg->conn)) {
        (void)pg_err(s->pg->conn, NULL, "waiting for notifications", &err);
        database_lost(s, &err);
        return;
    }
    for (PGnotify *n; (n = PQnotifies(s->pg->conn)); PQfreemem(n))
        changed = true;
    if (changed && !reload(s, &err))
        database_lost(s, &err);
    else if (changed)
        run_schedule(s);
}

static bool start_cluster(struct server *s, struct err *err)
{
    struct pgcluster_options options = {
        .data_dir = s->settings.data_dir,
        .pg_user = s->settings.pg_user,
        .bin_dir = s->settings.pg_bin_dir,
        .shared_buffers_mb = s->settings.pg_shared_buffers_mb,
    };
    s->cluster = pgcluster_start(&options, err);
    return s->cluster != NULL;
}

/* A private cluster that died is started again; the journal takes signals meanwhile. */
static bool revive_cluster(struct server *s, struct err *err)
{
    siginfo_t info = { 0 };
    if (!s->cluster || waitid(P_PID, (id_t)pgcluster_pid(s->cluster), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return true;
    log_error("postgresql_ended", "pid=%d status=%d", (int)info.si_pid, info.si_status);
    pgcluster_stop(TAKE(s->cluster));
    return start_cluster(s, err);
}

static void try_database(struct server *s)
{
    struct err err;
    if (!s->cluster && !*s->settings.database_url && !start_cluster(s, &err)) {
        log_error("postgresql_start_failed", LOG_ERR, LOG_ERR_ARG(&err));
        return;
    }
    if (!pg_reopen(s->pg, &err) || !listen_again(s, &err))
        log_warn("database_still_away", LOG_ERR, LOG_ERR_ARG(&err));
    else
        log_info("database_back", "url=%s", *s->settings.database_url ? "given" : "private");
}

/* ---- stopping ---- */

static void ask_to_stop(struct server *s, const char *why)
{
    if (s->stop_asked_us) {
        log_warn("second_signal", "action=exit_at_once");
        _exit(EXIT_FAILURE);
    }
    log_info("stopping", "reason=%s drain_delay_seconds=%.1f", why, (double)s->settings.drain_delay_us / 1e6);
    s->stop_asked_us = clock_mono_us();
    atomic_store(&s->ready, false);
}

static bool all_ended(const struct server *s)
{
    for (unsigned i = 0; i < s->workers_count; i++)
        if (s->workers[i].started && !atomic_load(&s->workers[i].ended))
            return false;
    return true;
}

static void advance_stop(struct server *s)
{
    int64_t waited = clock_mono_us() - s->stop_asked_us;
    if (waited < s->settings.drain_delay_us)
        return;
    if (!s->draining_sent) {
        atomic_store(&s->drain, true);
        s->draining_sent = true;
        wake_workers(s);
    }
    if (waited > s->settings.drain_delay_us + s->settings.drain_deadline_us && !atomic_load(&s->abandon)) {
        log_warn("drain_deadline", "action=drop_what_is_left");
        atomic_store(&s->abandon, true);
        wake_workers(s);
    }
    if (all_ended(s))
        (void)event_base_loopbreak(s->base);
}

/* ---- events ---- */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    struct server *s = arg;
    struct err err;
    if (number == SIGHUP) {
        log_info("reloading", "reason=SIGHUP");
        if (s->listen_event && !reload(s, &err))
            log_error("reload_failed", LOG_ERR, LOG_ERR_ARG(&err));
        return;
    }
    ask_to_stop(s, number == SIGTERM ? "SIGTERM" : "SIGINT");
    advance_stop(s);
}

/* Ten times a second while stopping, so that a stop is quick; once a second otherwise. */
/* Ready when every worker could ask the database once; a database that is away must not keep assignment and ingestion back for long. */
static void become_ready(struct server *s)
{
    bool all = clock_now_us() - s->started_us > READY_WAIT_US;
    for (unsigned i = 0; !all && i < s->workers_count && atomic_load(&s->workers[i].connected); i++)
        all = i + 1 == s->workers_count;
    if (all)
        atomic_store(&s->ready, true);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct server *s = arg;
    struct err err;
    static unsigned ticks;
    snapshot_collect();
    if (s->stop_asked_us) {
        advance_stop(s);
        return;
    }
    if (!atomic_load(&s->ready))
        become_ready(s);
    if (++ticks % 10 != 0)
        return;
    if (!revive_cluster(s, &err))
        log_error("postgresql_start_failed", LOG_ERR, LOG_ERR_ARG(&err));
    if (!s->listen_event)
        try_database(s);
    run_schedule(s);
    if (s->listen_event) {
        ages_turn(s->ages, s->pg);
        alarms_turn(s->alarms, s->pg, snapshot_get());
        look_again(s); /* at notifications that came with the answers of these */
    }
}

/* ---- starting ---- */

static bool make_dir(const char *dir, struct err *err)
{
    struct stat st;
    if (mkdir(dir, 0755) == 0)
        return true;
    if (errno != EEXIST)
        return err_set_errno(err, "cannot make directory \"%s\"", dir);
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "\"%s\" is not a directory", dir);
    return true;
}

static bool open_database(struct server *s, struct err *err)
{
    if (*s->settings.database_url) {
        s->database_url = mem_strdup(s->settings.database_url);
    } else {
        if (!start_cluster(s, err))
            return false;
        s->database_url = mem_strdup(pgcluster_url(s->cluster));
    }
    int applied = 0;
    s->pg = pg_open(s->database_url, "experimentd control", NULL, 0, err);
    if (!s->pg || !migrate_run(s->pg, migrations, &applied, err))
        return false;
    /* The statements name tables that only now are sure to be there. */
    pg_close(TAKE(s->pg));
    s->pg = pg_open(s->database_url, "experimentd control", config_statements, CONFIG_STMT_COUNT, err);
    log_info("database_ready", "kind=%s migrations_applied=%d", s->cluster ? "private" : "given", applied);
    return s->pg && keys_make_first(s->pg, s->settings.data_dir, err);
}

static bool open_journal(struct server *s, struct err *err)
{
    AUTO(mem_free) char *dir = mem_printf("%s/journal", s->settings.data_dir);
    uint64_t position;
    bool known;
    struct journal_options options = {
        .dir = dir,
        .max_bytes = s->settings.journal_max_bytes,
        .segment_bytes = s->settings.journal_segment_bytes,
    };
    if (!make_dir(dir, err))
        return false;
    s->journal = journal_open(&options, err);
    if (!s->journal || !loader_find_position(s->pg, s->journal, &position, &known, err))
        return false;
    journal_go_behind(s->journal, position);
    s->loader = loader_start(s->journal, s->database_url, s->settings.marks_unit_signals_per_minute, err);
    if (!s->loader)
        return false;
    AUTO(mem_free)
    char *archive = *s->settings.archive_dir ? mem_strdup(s->settings.archive_dir)
                                             : mem_printf("%s/archive", s->settings.data_dir);
    s->eraser = eraser_start(s->journal, s->database_url, archive, err);
    return s->eraser != NULL;
}

static bool parse_listen(const char *text, char host[64], uint16_t *out_port, struct err *err)
{
    const char *colon = strrchr(text, ':');
    uint32_t port;
    if (!colon || (size_t)(colon - text) >= 64 || !parse_u32(str_of(colon + 1), &port, NULL) || port > UINT16_MAX)
        return err_set(err, ERR_INVALID, "setting \"listen\" is \"%s\", not HOST:PORT", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *out_port = (uint16_t)port;
    return true;
}

static bool write_address(struct server *s, const char *host, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/listen.addr", s->settings.data_dir);
    AUTO(mem_free) char *next = mem_printf("%s.new", path);
    FILE *f = fopen(next, "we");
    if (!f || fprintf(f, "%s:%u\n", host, s->port) < 0 || fclose(f) != 0 || rename(next, path) != 0)
        return err_set_errno(err, "cannot write \"%s\"", path);
    return true;
}

/* All sockets are bound before the first worker runs: a taken port is an error of the start, not of a thread. */
static bool open_listeners(struct server *s, struct err *err)
{
    char host[64];
    if (!parse_listen(s->settings.listen, host, &s->port, err))
        return false;
    for (unsigned i = 0; i < s->workers_count; i++) {
        struct server_worker *sw = &s->workers[i];
        sw->listen_fd = http_listen(host, s->port, &s->port, err);
        if (sw->listen_fd < 0)
            return false;
        sw->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (sw->wake_fd < 0)
            return err_set_errno(err, "cannot make an eventfd");
    }
    log_info("listening", "host=%s port=%u threads=%u", host, s->port, s->workers_count);
    return write_address(s, host, err);
}

static bool start_workers(struct server *s, struct err *err)
{
    for (unsigned i = 0; i < s->workers_count; i++) {
        struct server_worker *sw = &s->workers[i];
        sw->w = (struct worker){ .index = i, .server = s };
        (void)snprintf(sw->log_prefix, sizeof sw->log_prefix, "worker=%u ", i);
        if (pthread_create(&sw->thread, NULL, server_worker_run, sw) != 0)
            return err_set(err, ERR_SYSTEM, "cannot start worker thread %u", i);
        sw->started = true;
    }
    return true;
}

/* The built page lies beside the program: build/experimentd and web/dist of one checkout, or what an installation put there. */
static bool open_page(struct server *s, struct err *err)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (*s->settings.web_dir)
        return static_open(s->settings.web_dir, err);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash)
        *slash = '\0';
    AUTO(mem_free) char *dir = mem_printf("%s/../web/dist", exe);
    return static_open(dir, err);
}

/* A connection is a descriptor, and streams stay: the usual soft limit of 1024 is soon reached. */
static void raise_open_files(const struct server *s)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)s->settings.http_connections * s->workers_count;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_warn("open_files_limited", "limit=%llu http_connections=%u threads=%u", (unsigned long long)limit.rlim_cur,
                 s->settings.http_connections, s->workers_count);
}

static bool start_jobs(struct server *s, struct err *err)
{
    const struct serve_settings *set = &s->settings;
    struct jobs_options options = { .url = s->database_url,
                                    .data_dir = set->data_dir,
                                    .archive_dir = set->archive_dir,
                                    .trainer = set->jobs_trainer,
                                    .trainer_config = set->jobs_trainer_config,
                                    .max_running_types = set->jobs_max_running_types,
                                    .secret = s->webhook_secret,
                                    .max_running = set->jobs_max_running,
                                    .max_resumes = set->jobs_max_resumes,
                                    .lost_after_us = set->jobs_lost_after_us,
                                    .private_cluster = s->cluster != NULL };
    return !set->jobs_enabled || (s->jobs = jobs_start(&options, err));
}

static bool start_models(struct server *s, struct err *err)
{
    s->recent = recent_new(s->settings.models_recent_bytes);
    serving_init(s->workers_count);
    struct store_options options = { .url = s->database_url, .data_dir = s->settings.data_dir, .recent = s->recent };
    return (s->store = store_start(&options, err)) != NULL;
}

static bool start(struct server *s, struct err *err)
{
    if (!*s->settings.data_dir)
        return err_set(err, ERR_INVALID, "setting \"data_dir\" is missing: give --data-dir DIR");
    if (s->settings.threads > THREADS_MAX)
        return err_set(err, ERR_INVALID, "setting \"threads\" is %u, more than %d", s->settings.threads, THREADS_MAX);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    s->workers_count = s->settings.threads   ? s->settings.threads
                       : cores < 1           ? 1
                       : cores > THREADS_MAX ? THREADS_MAX
                                             : (unsigned)cores;
    raise_open_files(s);
    if (!cors_set_origins(s->settings.cors_origins, err) ||
        !encrypt_read_key(s->settings.features_encryption_key_file, err))
        return false;
    if (!make_dir(s->settings.data_dir, err) || !open_database(s, err) || !open_journal(s, err))
        return false;
    s->schedule = schedule_new();
    s->ages = ages_new();
    if (!webhook_read_secret(s->settings.webhook_secret_file, &s->webhook_secret, err) ||
        !(s->alarms = alarms_new(s->base, s->settings.alarm_webhook, s->webhook_secret, err)))
        return false;
    s->key_rate = key_rate_new(s->settings.ingest_key_rate);
    s->live = live_new(s->workers_count, s->started_us);
    snapshot_init(s->workers_count);
    if (!listen_again(s, err) || !start_models(s, err) || !open_page(s, err) || !open_listeners(s, err))
        return false;
    routes_set_open_page(s->settings.page_open);
    return start_jobs(s, err) && start_workers(s, err);
}

static void stop(struct server *s)
{
    atomic_store(&s->drain, true);
    atomic_store(&s->abandon, true);
    wake_workers(s);
    for (unsigned i = 0; i < s->workers_count; i++)
        if (s->workers[i].started) {
            (void)pthread_join(s->workers[i].thread, NULL);
            (void)close(s->workers[i].wake_fd);
        }
    jobs_stop(s->jobs);
    store_stop(s->store);
    recent_free(s->recent);
    if (s->eraser)
        eraser_stop(s->eraser);
    if (s->loader) {
        journal_flush(s->journal);
        loader_stop(s->loader, NULL);
    }
    if (s->journal)
        journal_close(s->journal);
    if (s->listen_event)
        event_free(s->listen_event);
    schedule_free(s->schedule);
    ages_free(s->ages);
    alarms_free(s->alarms);
    mem_free(s->webhook_secret);
    key_rate_free(s->key_rate);
    live_free(s->live);
    snapshot_shutdown();
    static_close();
    cors_release();
    encrypt_release();
    pg_close(s->pg);
    if (s->cluster)
        pgcluster_stop(s->cluster);
    mem_free(s->database_url);
}

static void run(struct server *s)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    enum { NUMBERS = COUNT_OF(numbers) };
    struct event *events[NUMBERS + 1];
    for (int i = 0; i < NUMBERS; i++) {
        events[i] = evsignal_new(s->base, numbers[i], on_signal, s);
        (void)event_add(events[i], NULL);
    }
    events[NUMBERS] = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    (void)event_add(events[NUMBERS], &(struct timeval){ .tv_usec = 100000 });
    (void)event_base_dispatch(s->base);
    for (int i = 0; i <= NUMBERS; i++)
        event_free(events[i]);
}

/* Threads must not take signals: the mask is set before the first of them starts. libevent's handlers run on this thread. */
static void block_signals(sigset_t *old)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSEGV);
    (void)sigdelset(&all, SIGBUS);
    (void)sigdelset(&all, SIGFPE);
    (void)sigdelset(&all, SIGILL);
    (void)sigdelset(&all, SIGABRT);
    (void)pthread_sigmask(SIG_SETMASK, &all, old);
    (void)signal(SIGPIPE, SIG_IGN);
}

int serve_main(int argc, char **argv)
{
    struct server *s = mem_zalloc(sizeof *s);
    struct err err = { 0 };
    sigset_t old;
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    size_t rest_count = 0;
    enum log_level level;
    s->started_us = clock_now_us();
    bool ok = settings_load(serve_settings, serve_settings_count, &s->settings, argc, argv, 0, rest, &rest_count, &err);
    if (ok && rest_count)
        ok = err_set(&err, ERR_INVALID, "\"serve\" takes no argument \"%s\"", rest[0]);
    if (ok && !log_parse_level(s->settings.log_level, &level))
        ok = err_set(&err, ERR_INVALID, "setting \"log.level\" is \"%s\", not debug, info, warn or error",
                     s->settings.log_level);
    ok = ok &&
         mark_rules_init(&s->marks, s->settings.marks_bot_agents, s->settings.marks_internal_networks,
                         s->settings.http_trusted_proxies, &err) &&
         dimensions_init(&s->dimensions, s->settings.exposure_dimensions, &err);
    mem_free(rest);
    if (!ok) {
        (void)fprintf(stderr, "experimentd: %s\n", err.text);
        settings_release(serve_settings, serve_settings_count, &s->settings);
        mem_free(s);
        return EX_USAGE;
    }
    log_set_level(level);
    block_signals(&old);
    s->base = event_base_new();
    bool started = start(s, &err);
    if (started) {
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        run(s);
    } else {
        log_error("start_failed", LOG_ERR, LOG_ERR_ARG(&err));
    }
    stop(s);
    event_base_free(s->base);
    mark_rules_release(&s->marks);
    settings_release(serve_settings, serve_settings_count, &s->settings);
    if (started)
        log_info("stopped", "uptime_seconds=%.1f", (double)(clock_now_us() - s->started_us) / 1e6);
    mem_free(s);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
