#include "experimentd/units/eraser.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/log.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/units/erase.h"

enum { POLL_US = 1000000, STEP_US = 50000 };
/* So long other daemons have to name the positions of their journals; where there is one journal, nobody waits. */
#define OTHERS_SECONDS "5"

enum stmt { OPEN, JOIN, NEXT, FAILED, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [OPEN] = { "eraser_open", 1,
               "select count(*) from unit_deletions d where d.state = 'waiting' and not exists (select 1 from "
               "unit_deletion_journals j where j.deletion = d.id and j.journal = $1::uuid)" },
    [JOIN] = { "eraser_join", 2,
               "insert into unit_deletion_journals (deletion, journal, position) select d.id, $1::uuid, $2::bigint "
               "from "
               "unit_deletions d where d.state = 'waiting' on conflict do nothing" },
    /* $1: only this one, and whether it is still to be done; null: the one to be done next. */
    [NEXT] = { "eraser_next", 1,
               "select d.id, d.unit, d.state from unit_deletions d where d.state <> 'done' and ($1::uuid is null or "
               "d.id = "
               "$1::uuid) and (d.state = 'unlinking' or ((d.requested_at < now() - interval '" OTHERS_SECONDS
               " seconds' or (select count(*) from journal_position) <= (select count(*) from unit_deletion_journals j "
               "where "
               "j.deletion = d.id)) and exists (select 1 from unit_deletion_journals j where j.deletion = d.id) and "
               "not "
               "exists (select 1 from unit_deletion_journals j left join journal_position p on p.journal = j.journal "
               "where "
               "j.deletion = d.id and coalesce(p.position, 0) < j.position))) order by d.requested_at, d.id limit 1" },
    [FAILED] = { "eraser_failed", 2, "update unit_deletions set error = $2 where id = $1::uuid" },
};

struct eraser {
    struct journal *journal;
    char *url, *archive_dir, journal_id[UUID_TEXT_MAX];
    pthread_t thread;
    pthread_mutex_t mutex; /* of `cancel` */
    PGcancel *cancel;
    struct pg *pg;
    _Atomic bool stop;
};

/* ---- the connection ---- */

static void set_cancel(struct eraser *e, PGcancel *cancel)
{
    (void)pthread_mutex_lock(&e->mutex);
    if (e->cancel)
        PQfreeCancel(e->cancel);
    e->cancel = cancel;
    (void)pthread_mutex_unlock(&e->mutex);
}

static void disconnect(struct eraser *e)
{
    set_cancel(e, NULL);
    pg_close(TAKE(e->pg));
}

/* A pass that reads the files may take hours: the lock is tried for, and given up for others. */
static bool connect_database(struct eraser *e, struct err *err)
{
    e->pg = pg_open(e->url, "experimentd eraser", statements, STMT_COUNT, err);
    if (!e->pg || !pg_exec(e->pg, "set lock_timeout = '2s'", err))
        return false;
    set_cancel(e, PQgetCancel(e->pg->conn));
    return true;
}

/* ---- a turn ---- */

/* Everything that was acknowledged when a deletion was asked for lies before the position that is named here. */
static bool name_position(struct eraser *e, struct err *err)
{
    char position[24];
    struct journal_stats stats;
    const char *params[] = { e->journal_id, position };
    AUTO(pg_result_free) PGresult *open = pg_run(e->pg, &statements[OPEN], params, err);
    if (!open || pg_get_i64(open, 0, 0) == 0)
        return open != NULL;
    journal_flush(e->journal);
    journal_stats(e->journal, &stats);
    (void)snprintf(position, sizeof position, "%" PRIu64, stats.written);
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &statements[JOIN], params, err);
    return r != NULL;
}

static void tell_failure(struct eraser *e, const char *id, const struct err *why)
{
    struct err ignored;
    const char *params[] = { id, why->text };
    log_warn("unit_deletion_waits", "deletion=%s " LOG_ERR, id, LOG_ERR_ARG(why));
    pg_rollback(e->pg);
    PQclear(pg_is_alive(e->pg) ? pg_run(e->pg, &statements[FAILED], params, &ignored) : NULL);
}

/* Under the writers' lock: another daemon may have done it meanwhile. */
static bool erase_one(struct eraser *e, const char *id, struct err *err)
{
    const char *params[] = { id };
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &statements[NEXT], params, err);
    if (!r || PQntuples(r) == 0)
        return r != NULL;
    struct erase one = { .pg = e->pg,
                         .archive_dir = e->archive_dir,
                         .id = pg_get(r, 0, 0),
                         .unit = pg_get(r, 0, 1),
                         .state = pg_get(r, 0, 2) };
    bool ok = erase_run(&one, err);
    if (!ok && !atomic_load(&e->stop))
        tell_failure(e, id, err);
    return ok;
}

/* *out_more: a deletion was carried out, look for the next. */
static bool turn(struct eraser *e, bool *out_more, struct err *err)
{
    const char *any[] = { NULL };
    bool got;
    *out_more = false;
    if (!name_position(e, err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(e->pg, &statements[NEXT], any, err);
    if (!r || PQntuples(r) == 0)
        return r != NULL;
    if (!archive_lock_writers(e->pg, false, &got, err) || !got)
        return err->kind == ERR_NONE;
    *out_more = erase_one(e, pg_get(r, 0, 0).p, err);
    struct err unlocking;
    return archive_unlock_writers(e->pg, *out_more ? err : &unlocking) && *out_more;
}

static void wait_a_poll(const struct eraser *e)
{
    const struct timespec step = { .tv_nsec = STEP_US * 1000L };
    for (int64_t waited = 0; waited < POLL_US && !atomic_load(&e->stop); waited += STEP_US)
        (void)nanosleep(&step, NULL);
}

static void *run(void *arg)
{
    struct eraser *e = arg;
    log_set_thread("eraser");
    while (!atomic_load(&e->stop)) {
        struct err err = { 0 };
        bool more = false;
        if ((!e->pg && !connect_database(e, &err)) || !turn(e, &more, &err)) {
            log_debug("eraser_waits", LOG_ERR, LOG_ERR_ARG(&err));
            disconnect(e);
        }
        if (!more)
            wait_a_poll(e);
    }
    disconnect(e);
    return NULL;
}

/* ---- life ---- */

struct eraser *eraser_start(struct journal *j, const char *url, const char *archive_dir, struct err *err)
{
    struct eraser *e = mem_zalloc(sizeof *e);
    e->journal = j;
    e->url = mem_strdup(url);
    e->archive_dir = mem_strdup(archive_dir);
    uuid_format(journal_id(j), e->journal_id);
    (void)pthread_mutex_init(&e->mutex, NULL);
    if (pthread_create(&e->thread, NULL, run, e) != 0) {
        err_set(err, ERR_SYSTEM, "cannot start the eraser's thread");
        return NULL;
    }
    return e;
}

void eraser_stop(struct eraser *e)
{
    const struct timespec step = { .tv_nsec = STEP_US * 1000L };
    char text[256];
    atomic_store(&e->stop, true);
    while (pthread_tryjoin_np(e->thread, NULL) != 0) {
        (void)pthread_mutex_lock(&e->mutex);
        if (e->cancel)
            (void)PQcancel(e->cancel, text, sizeof text);
        (void)pthread_mutex_unlock(&e->mutex);
        (void)nanosleep(&step, NULL);
    }
    (void)pthread_mutex_destroy(&e->mutex);
    mem_free(e->url);
    mem_free(e->archive_dir);
    mem_free(e);
}
