#include "experimentd/jobs/jobs.h"

#include <event2/event.h>
#include <limits.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "experimentd/jobs/counters.h"
#include "experimentd/jobs/dispatch.h"
#include "experimentd/jobs/notices.h"
#include "experimentd/jobs/parts.h"
#include "experimentd/jobs/starter.h"
#include "experimentd/loop/loop.h"

enum { TURN_ARENA_BYTES = 64 << 10, TURN_SECONDS = 1 };

/* ---- what the other files use ---- */

PGresult *jobs_run(struct jobs *j, enum jobs_stmt stmt, const char *const *params, struct err *err)
{
    return pg_run(j->pg, &jobs_statements[stmt], params, err);
}

bool jobs_do(struct jobs *j, enum jobs_stmt stmt, const char *const *params, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = jobs_run(j, stmt, params, err);
    return r != NULL;
}

const char *jobs_new_id(struct jobs *j)
{
    unsigned char id[16];
    char *text = arena_alloc(&j->arena, UUID_TEXT_MAX);
    uuid_v7(id, clock_now_us());
    uuid_format(id, text);
    return text;
}

const char *jobs_number(struct jobs *j, int64_t v)
{
    return arena_printf(&j->arena, "%lld", (long long)v).p;
}

const struct led_job *jobs_find(const struct jobs *j, struct str id)
{
    for (size_t i = 0; i < j->count; i++)
        if (str_eq(j->all[i].def.id, id))
            return &j->all[i];
    return NULL;
}

/* ---- definitions ---- */

static void forget_all(struct jobs *j)
{
    for (size_t i = 0; i < j->count; i++)
        zone_free(j->all[i].zone);
    j->count = 0;
}

static bool read_one(struct jobs *j, const PGresult *r, int row, struct led_job *out, struct err *err)
{
    json_auto_t *root = json_parse(pg_get(r, row, 0), err);
    if (!root || !job_def_read(root, STR(""), &j->arena, &out->def, err))
        return false;
    out->scheduled_s = pg_get_i64(r, row, 1) / US_PER_SECOND;
    out->zone = zone_load(out->def.timezone, err);
    return out->zone != NULL;
}

/* Once for each new reason: a turn comes every second. */
static void tell_unreadable(struct jobs *j, const PGresult *r, int row, const struct err *err)
{
    if (strcmp(j->unreadable.text, err->text) == 0)
        return;
    j->unreadable = *err;
    log_error("job_unreadable", LOG_ERR " document=%s", LOG_ERR_ARG(err), pg_get(r, row, 0).p);
}

/* Anew in every turn: they are few, and so nothing here is ever old. A job that this build cannot read is left out. */
static bool read_all(struct jobs *j, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_ALL, NULL, err);
    struct err bad;
    if (!r)
        return false;
    j->all = arena_zalloc(&j->arena, ((size_t)PQntuples(r) + 1) * sizeof *j->all);
    for (int i = 0; i < PQntuples(r); i++) {
        if (read_one(j, r, i, &j->all[j->count], &bad))
            j->count++;
        else
            tell_unreadable(j, r, i, &bad);
    }
    return true;
}

/* ---- the lead ---- */

static void let_lead_go(struct jobs *j)
{
    if (j->leads)
        log_warn("jobs_lead_lost", "reason=\"the connection was lost\"");
    j->leads = false;
    tally_lead(j->tally, false);
}

static void disconnect(struct jobs *j)
{
    let_lead_go(j);
    if (j->notified)
        event_free(j->notified);
    j->notified = NULL;
    pg_close(TAKE(j->pg));
}

static void on_notified(evutil_socket_t fd, short what, void *arg);

static bool connect_database(struct jobs *j, struct err *err)
{
    j->pg = pg_open(j->url, "experimentd jobs", jobs_statements, JOBS_STMT_COUNT, err);
    if (!j->pg ||
        !pg_exec(j->pg, "set lock_timeout = '5s'; listen runs; listen config; listen experimentd_models", err))
        return false;
    j->notified = event_new(j->base, PQsocket(j->pg->conn), EV_READ | EV_PERSIST, on_notified, j);
    (void)event_add(j->notified, NULL);
    return true;
}

static bool read_successes(struct jobs *j, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_SUCCESSES, NULL, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        tally_success(j->tally, pg_get(r, i, 0), pg_get(r, i, 1), pg_get_i64(r, i, 2));
    return r != NULL;
}

static bool seek_lead(struct jobs *j, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = jobs_run(j, JOBS_LOCK, NULL, err);
    if (!r || !pg_get_bool(r, 0, 0))
        return r != NULL;
    if (!jobs_seed(j, err) || !read_successes(j, err))
        return false;
    j->leads = true;
    j->leads_since_us = clock_mono_us();
    tally_lead(j->tally, true);
    log_info("jobs_lead", "pid=%d", (int)getpid());
    return true;
}

/* ---- a turn ---- */

static bool tell_untold(struct jobs *j, struct err *err)
{
    return notices_turn(j->notices, err);
}

static bool turn_loops(struct jobs *j, struct err *err)
{
    return loops_turn(j->loops, j->pg, err);
}

static const struct {
    const char *name;
    bool (*run)(struct jobs *j, struct err *err);
} steps[] = {
    { "read", read_all },       { "lost", jobs_find_lost }, { "ends", jobs_settle }, { "due", jobs_queue_due },
    { "start", jobs_dispatch }, { "loops", turn_loops },    { "tell", tell_untold },
};

/* What one step cannot do (somebody holds a lock, say) keeps no other back; it is tried again in the next turn. But without the definitions nothing is
 * done: an end would be followed by nothing. A lost connection ends the lead. */
static bool lead(struct jobs *j, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (steps[i].run(j, err))
            continue;
        if (!pg_is_alive(j->pg))
            return false;
        log_warn("jobs_step_failed", "step=%s " LOG_ERR, steps[i].name, LOG_ERR_ARG(err));
        if (steps[i].run == read_all)
            break;
    }
    return true;
}

static bool turn(struct jobs *j, struct err *err)
{
    if (!j->pg && !connect_database(j, err))
        return false;
    if (!jobs_reap(j, err) || (!j->leads && !seek_lead(j, err)))
        return false;
    return !j->leads || lead(j, err);
}

static void take_turn(struct jobs *j)
{
    struct err err = { 0 };
    if (!turn(j, &err)) {
        log_warn("jobs_turn_failed", LOG_ERR, LOG_ERR_ARG(&err));
        disconnect(j);
    }
    forget_all(j);
    arena_reset(&j->arena);
}

/* Notifications that came with the answers of a turn leave the socket silent: they are looked for behind it, and bring another turn. */
static bool take_notifications(struct jobs *j)
{
    bool any = false;
    if (!j->pg)
        return false;
    if (!PQconsumeInput(j->pg->conn)) {
        disconnect(j);
        return false;
    }
    for (PGnotify *n; (n = PQnotifies(j->pg->conn)); PQfreemem(n))
        any = true;
    return any;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct jobs *j = arg;
    (void)fd;
    (void)what;
    if (atomic_load(&j->stop)) {
        (void)event_base_loopbreak(j->base);
        return;
    }
    (void)take_notifications(j);
    take_turn(j);
    if (take_notifications(j))
        event_active(j->timer, EV_TIMEOUT, 0);
}

static void on_notified(evutil_socket_t fd, short what, void *arg)
{
    struct jobs *j = arg;
    (void)fd;
    (void)what;
    if (take_notifications(j))
        event_active(j->timer, EV_TIMEOUT, 0);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
    on_timer(fd, what, arg);
}

/* ---- life ---- */

static void *run(void *arg)
{
    struct jobs *j = arg;
    log_set_thread("jobs ");
    event_active(j->timer, EV_TIMEOUT, 0);
    (void)event_base_dispatch(j->base);
    if (j->private_cluster)
        jobs_hand_back(j);
    return NULL;
}

/* Beside the program: build/experimentd and build/trainer, or as an installation has them. */
static char *find_trainer(const char *given)
{
    char exe[PATH_MAX];
    if (*given)
        return mem_strdup(given);
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash)
        *slash = '\0';
    return mem_printf("%s/trainer", exe);
}

static void release(struct jobs *j)
{
    notices_free(j->notices);
    if (j->pg)
        disconnect(j);
    if (j->wake)
        event_free(j->wake);
    if (j->timer)
        event_free(j->timer);
    if (j->wake_fd >= 0)
        (void)close(j->wake_fd);
    if (j->base)
        event_base_free(j->base);
    starter_free(j->starter);
    tally_free(j->tally);
    loops_free(j->loops);
    arena_release(&j->arena);
    mem_free(j->url);
    mem_free(j->data_dir);
    mem_free(j->trainer);
    mem_free(j->max_running_types);
    mem_free(j->secret);
    mem_free(j);
}

static bool prepare(struct jobs *j, const struct jobs_options *o, struct err *err)
{
    struct starter_options starter = { .trainer = j->trainer,
                                       .data_dir = o->data_dir,
                                       .archive_dir = o->archive_dir,
                                       .url = o->url,
                                       .config = o->trainer_config,
                                       .lost_after_us = o->lost_after_us };
    struct dispatch_limits limits;
    if (!dispatch_limits_parse(o->max_running_types, o->max_running, &limits, err))
        return err_prefix(err, "setting \"jobs.max_running_types\": ");
    j->starter = starter_new(&starter, err);
    j->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!j->starter || (j->wake_fd < 0 && !err_set_errno(err, "cannot make an eventfd")))
        return false;
    j->base = event_base_new();
    j->timer = event_new(j->base, -1, EV_PERSIST, on_timer, j);
    j->wake = event_new(j->base, j->wake_fd, EV_READ | EV_PERSIST, on_wake, j);
    (void)event_add(j->timer, &(struct timeval){ .tv_sec = TURN_SECONDS });
    (void)event_add(j->wake, NULL);
    j->notices = notices_new(j);
    return true;
}

struct jobs *jobs_start(const struct jobs_options *o, struct err *err)
{
    struct jobs *j = mem_zalloc(sizeof *j);
    *j = (struct jobs){ .wake_fd = -1,
                        .url = mem_strdup(o->url),
                        .data_dir = mem_strdup(o->data_dir),
                        .trainer = find_trainer(o->trainer),
                        .max_running_types = mem_strdup(o->max_running_types),
                        .secret = o->secret ? mem_strdup(o->secret) : NULL,
                        .max_running = o->max_running,
                        .max_resumes = o->max_resumes,
                        .lost_after_us = o->lost_after_us,
                        .private_cluster = o->private_cluster,
                        .tally = tally_new(),
                        .loops = loops_new() };
    arena_init(&j->arena, TURN_ARENA_BYTES);
    bool ok = prepare(j, o, err);
    if (ok && pthread_create(&j->thread, NULL, run, j) != 0)
        ok = err_set(err, ERR_SYSTEM, "cannot start the jobs' thread");
    if (ok)
        return j;
    release(j);
    return NULL;
}

void jobs_stop(struct jobs *j)
{
    uint64_t one = 1;
    if (!j)
        return;
    atomic_store(&j->stop, true);
    (void)!write(j->wake_fd, &one, sizeof one);
    (void)pthread_join(j->thread, NULL);
    release(j);
}

void jobs_write_metrics(struct jobs *j, struct buf *b)
{
    tally_write(j->tally, b);
    loops_write_metrics(j->loops, b);
}
