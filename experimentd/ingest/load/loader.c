#include "experimentd/ingest/load/loader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pg.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/load/ahead.h"

/* After a small batch the loader lets rows gather: a transaction for each handful would cost PostgreSQL more than the rows. */
enum { SMALL_BATCH = 2000, GATHER_US = 100000 };
enum { IDLE_WAIT_US = 200000, BACKOFF_MIN_US = 100000, STOP_MAX_US = 10000000 };

enum stmt { POSITION_READ, POSITION_INSERT, POSITION_WRITE, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [POSITION_READ] = { "loader_position", 1, "select position from journal_position where journal = $1::uuid" },
    [POSITION_INSERT] = { "loader_position_insert", 3,
                          "insert into journal_position (journal, position, host) values ($1::uuid, $2::bigint, $3) on "
                          "conflict do nothing" },
    /* The old position is asked for: were there two loaders of one journal, the second would change nothing and fail. */
    [POSITION_WRITE] = { "loader_position_write", 3,
                         "update journal_position set position = $2::bigint, updated_at = now() "
                         "where journal = $1::uuid and position = $3::bigint returning position" },
};

struct loader {
    struct journal *journal;
    char *url, id[UUID_TEXT_MAX], host[256];
    pthread_t thread;
    struct pg *pg;
    struct rows_loader rows;
    struct ahead *ahead;
    struct batch *batch; /* of this step */
    uint64_t position;   /* in the database */
    uint64_t found; /* the journal's end when this process began: its records before were received by another one */
    uint32_t unit_per_minute;
    size_t batch_max; /* shrinks while a bad row is searched */
    int64_t stop_by_us;
    _Atomic bool stop;
    _Atomic int64_t
        behind_us; /* when what is not loaded yet was received, or first seen (monotonic); 0: nothing is waiting */
    _Atomic uint64_t loaded_rows, duplicates, rejected, damaged, batches;
};

/* ---- the connection and the position ---- */

static bool read_position(struct loader *l, struct err *err)
{
    char first[24];
    (void)snprintf(first, sizeof first, "%" PRIu64, journal_first(l->journal));
    const char *insert[] = { l->id, first, l->host };
    AUTO(pg_result_free) PGresult *i = pg_run(l->pg, &statements[POSITION_INSERT], insert, err);
    AUTO(pg_result_free) PGresult *r = i ? pg_run(l->pg, &statements[POSITION_READ], insert, err) : NULL;
    if (!r)
        return false;
    l->position = (uint64_t)pg_get_i64(r, 0, 0);
    journal_set_loaded(l->journal, l->position);
    return true;
}

static void disconnect(struct loader *l)
{
    if (!l->pg)
        return;
    rows_loader_release(&l->rows);
    pg_close(TAKE(l->pg));
}

static bool connect_database(struct loader *l, struct err *err)
{
    char id[UUID_TEXT_MAX];
    l->pg = pg_open(l->url, "experimentd loader", statements, STMT_COUNT, err);
    if (!l->pg)
        return false;
    uuid_format(journal_id(l->journal), id);
    rows_loader_init(&l->rows, l->pg, id, l->unit_per_minute);
    if (read_position(l, err))
        return true;
    disconnect(l);
    return false;
}

bool loader_find_position(struct pg *pg, const struct journal *j, uint64_t *out_position, bool *out_known,
                          struct err *err)
{
    char id[UUID_TEXT_MAX];
    uuid_format(journal_id(j), id);
    const char *params[] = { id };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &statements[POSITION_READ], params, err);
    if (!r)
        return false;
    *out_known = PQntuples(r) > 0;
    *out_position = *out_known ? (uint64_t)pg_get_i64(r, 0, 0) : 0;
    return true;
}

/* ---- one batch ---- */

static bool write_position(struct loader *l, uint64_t position, struct err *err)
{
    char from[24], to[24];
    (void)snprintf(from, sizeof from, "%" PRIu64, l->position);
    (void)snprintf(to, sizeof to, "%" PRIu64, position);
    const char *params[] = { l->id, to, from };
    AUTO(pg_result_free) PGresult *r = pg_run(l->pg, &statements[POSITION_WRITE], params, err);
    if (r && PQntuples(r) == 0)
        return err_set(err, ERR_DB, "another loader has moved the position of journal %s", l->id);
    return r != NULL;
}

/* ---- lag ---- */

/* Something is waiting. After a start with PostgreSQL away nothing is known of its age but that it waits since then. */
static void note_waiting(struct loader *l, uint64_t synced)
{
    int64_t nothing = 0;
    if (synced > l->position)
        (void)atomic_compare_exchange_strong(&l->behind_us, &nothing, clock_mono_us());
}

/* What comes behind the batch was received after its last row. */
static int64_t received_last(const struct rows *batch)
{
    int64_t last = 0, now = clock_now_us();
    for (size_t i = 0; i < batch->signals_count; i++)
        if (batch->signals[i].received_us > last)
            last = batch->signals[i].received_us;
    for (size_t i = 0; i < batch->exposures_count; i++)
        if (batch->exposures[i].at_us > last && batch->exposures[i].at_us < now)
            last = batch->exposures[i].at_us;
    return last;
}

/* Records carry wall time, and the clock may be set: what this process received cannot have waited longer than what came before it. */
static void note_loaded(struct loader *l, int64_t last_us)
{
    struct journal_stats j;
    int64_t age_us = clock_now_us() - last_us, since_us = clock_mono_us() - (age_us > 0 ? age_us : 0);
    journal_stats(l->journal, &j);
    if (j.written <= l->position)
        atomic_store(&l->behind_us, 0);
    else if (last_us && (l->position <= l->found || since_us > atomic_load(&l->behind_us)))
        atomic_store(&l->behind_us, since_us);
}

static bool load_batch(struct loader *l, uint64_t position, struct err *err)
{
    struct rows *batch = &l->batch->rows;
    uint64_t duplicates, rows = batch->signals_count + batch->exposures_count;
    int64_t last_us = received_last(batch);
    bool ok = rows_prepare(&l->rows, batch, err) && pg_begin(l->pg, err) &&
              rows_load(&l->rows, batch, &duplicates, err) && write_position(l, position, err) && pg_commit(l->pg, err);
    if (!ok) {
        pg_rollback(l->pg);
        return false;
    }
    rows_committed(&l->rows);
    l->position = position;
    atomic_fetch_add(&l->loaded_rows, rows - duplicates);
    atomic_fetch_add(&l->duplicates, duplicates);
    atomic_fetch_add(&l->damaged, l->batch->damaged);
    atomic_fetch_add(&l->batches, 1);
    journal_set_loaded(l->journal, position); /* last: who sees nothing wait sees what became of it too */
    note_loaded(l, last_us);
    return true;
}

/* A single row that PostgreSQL refuses: kept in a file with the reason, so that it is not lost, and passed over. */
static bool set_aside(struct loader *l, uint64_t position, const struct err *why, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/rejects.ndjson", journal_dir(l->journal));
    struct buf b;
    buf_init(&b, 1 << 20);
    struct rows *rows = &l->batch->rows;
    const struct signal *s = rows->signals_count ? rows->signals : NULL;
    const struct exposure *e = rows->exposures_count ? rows->exposures : NULL;
    buf_addf(&b, "{\"position\":%" PRIu64 ",\"reason\":", l->position);
    buf_add_json_str(&b, str_of(why->text));
    buf_add_c(&b, ",\"type\":");
    buf_add_json_str(&b, s ? s->type : STR("exposure"));
    buf_add_c(&b, ",\"unit\":");
    buf_add_json_str(&b, s ? s->unit : e ? e->unit : STR(""));
    buf_add_c(&b, ",\"params\":");
    buf_add_json_str(&b, s && s->params.p ? s->params : STR(""));
    buf_add_c(&b, "}\n");
    FILE *f = fopen(path, "ae");
    bool ok = f && fwrite(b.p, 1, b.n, f) == b.n && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (!ok)
        err_set_errno(err, "cannot write \"%s\"", path);
    if (f)
        (void)fclose(f);
    buf_release(&b);
    log_error("row_refused", "file=%s reason=\"%s\"", path, why->text);
    rows->signals_count = rows->exposures_count = 0;
    if (!ok || !load_batch(l, position, err))
        return false;
    atomic_fetch_add(&l->rejected, 1);
    return true;
}

static bool cannot_read(const struct loader *l, struct err *err)
{
    const char *why = l->batch->failed ? strerror(l->batch->failed) : "no segment has it";
    return err_set(err, ERR_SYSTEM, "cannot read position %" PRIu64 " of the journal in \"%s\": %s", l->position,
                   journal_dir(l->journal), why);
}

/* True when something was loaded or the batch was made smaller: go on at once. */
static bool step(struct loader *l, uint64_t limit, struct err *err)
{
    struct err why = { 0 };
    l->batch = ahead_take(l->ahead, l->position, limit, l->batch_max);
    uint64_t position = l->batch->to;
    size_t count = batch_rows(l->batch);
    if (position == l->position)
        return cannot_read(l, err);
    if (load_batch(l, position, &why)) {
        l->batch_max = l->batch_max * 2 > ROWS_MAX ? ROWS_MAX : l->batch_max * 2;
        return true;
    }
    if (why.kind == ERR_DB) {
        *err = why;
        return false;
    }
    if (rows_forget_days(&l->rows))
        return true;
    if (count > 1) {
        l->batch_max = count / 2;
        return true;
    }
    return set_aside(l, position, &why, err);
}

/* ---- the thread ---- */

static bool must_end(struct loader *l)
{
    return atomic_load(&l->stop) && clock_mono_us() > l->stop_by_us;
}

static void pause_us(int64_t us)
{
    (void)nanosleep(&(struct timespec){ .tv_sec = us / US_PER_SECOND, .tv_nsec = us % US_PER_SECOND * 1000 }, NULL);
}

static void *run(void *arg)
{
    struct loader *l = arg;
    int64_t backoff = BACKOFF_MIN_US;
    log_set_thread("loader ");
    while (!must_end(l)) {
        struct err err = { 0 };
        bool busy = false;
        if (l->pg || connect_database(l, &err)) {
            bool stopping = atomic_load(&l->stop);
            uint64_t limit = journal_wait_synced(l->journal, l->position, stopping ? 0 : IDLE_WAIT_US);
            note_waiting(l, limit);
            busy = limit > l->position && step(l, limit, &err);
            if (!busy && err.kind == ERR_NONE && stopping)
                break;
        }
        if (err.kind != ERR_NONE) {
            note_waiting(l, journal_wait_synced(l->journal, l->position, 0));
            log_warn("loader_waits", LOG_ERR " retry_seconds=%.1f", LOG_ERR_ARG(&err), (double)backoff / 1e6);
            if (err.kind == ERR_DB)
                disconnect(l);
            pause_us(backoff);
            backoff = backoff * 2 > LOADER_BACKOFF_MAX_US ? LOADER_BACKOFF_MAX_US : backoff * 2;
        } else if (busy) {
            backoff = BACKOFF_MIN_US;
            if (batch_rows(l->batch) < SMALL_BATCH && !atomic_load(&l->stop))
                pause_us(GATHER_US);
        }
    }
    disconnect(l);
    return NULL;
}

static void loader_free(struct loader *l)
{
    ahead_stop(l->ahead);
    mem_free(l->url);
    mem_free(l);
}

struct loader *loader_start(struct journal *j, const char *url, uint32_t unit_per_minute, struct err *err)
{
    struct loader *l = mem_zalloc(sizeof *l);
    l->journal = j;
    l->found = journal_wait_synced(j, 0, 0);
    l->url = mem_strdup(url);
    l->unit_per_minute = unit_per_minute;
    l->batch_max = ROWS_MAX;
    uuid_format(journal_id(j), l->id);
    (void)gethostname(l->host, sizeof l->host - 1);
    l->ahead = ahead_start(j, err);
    if (l->ahead && pthread_create(&l->thread, NULL, run, l) == 0)
        return l;
    if (l->ahead)
        err_set(err, ERR_SYSTEM, "cannot start the loader's thread");
    loader_free(l);
    return NULL;
}

void loader_stop(struct loader *l, struct loader_stats *last)
{
    l->stop_by_us = clock_mono_us() + STOP_MAX_US;
    atomic_store(&l->stop, true);
    (void)pthread_join(l->thread, NULL);
    if (last)
        loader_stats(l, last);
    loader_free(l);
}

void loader_stats(const struct loader *l, struct loader_stats *out)
{
    int64_t behind = atomic_load(&l->behind_us), lag = behind ? clock_mono_us() - behind : 0;
    *out = (struct loader_stats){ .rows = atomic_load(&l->loaded_rows),
                                  .duplicates = atomic_load(&l->duplicates),
                                  .rejected = atomic_load(&l->rejected),
                                  .damaged = atomic_load(&l->damaged),
                                  .batches = atomic_load(&l->batches),
                                  .lag_us = lag > 0 ? lag : 0 };
}
