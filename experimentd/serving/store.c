#include "experimentd/serving/store.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pg.h"
#include "experimentd/serving/cache.h"
#include "experimentd/serving/recent.h"
#include "experimentd/serving/serving.h"

enum { RETRY_FIRST_SECONDS = 10, RETRY_MAX_SECONDS = 600, SWEEP_SECONDS = 3600 };

enum stmt {
    ALIASES,
    ERASED_STATE,
    ERASED,
    ERASED_SWEEP,
    OWN_STMT_COUNT,
    STMT_COUNT = OWN_STMT_COUNT + CACHE_STMT_COUNT
};
static const struct pg_stmt own_statements[] = {
    [ALIASES] = { "models_aliases", 0,
                  "select a.model, a.alias, m.kind, a.version, v.artifact, us(f.created_at) "
                  "from model_aliases a join models m on m.name = a.model "
                  "join model_versions v on v.model = a.model and v.version = a.version "
                  "join artifacts f on f.digest = v.artifact order by a.model collate \"C\", a.alias collate \"C\"" },
    [ERASED_STATE] = { "models_erased_state", 0, "select count(*), us(max(erased_at)) from erased_units" },
    [ERASED] = { "models_erased", 0, "select hash, us(erased_at) from erased_units" },
    [ERASED_SWEEP] = { "models_erased_sweep", 0, "select erased_units_sweep()" },
};
static_assert(COUNT_OF(own_statements) == OWN_STMT_COUNT, "a row for every statement");

/* An artifact that could not be had. */
struct failure {
    char digest[ARTIFACT_DIGEST];
    unsigned times;
    int64_t again_us; /* monotonic */
    struct err err;
    struct failure *next;
};

/* What the registry says of an alias. */
struct want {
    struct str model, alias, kind, digest;
    int64_t version, made_us;
};

struct store {
    char *url;
    struct cache cache;
    struct recent *recent;
    pthread_t thread;
    bool started;
    int wake_fd;
    struct pg *pg;
    struct pg_stmt statements[STMT_COUNT];
    struct arena arena; /* of a turn */
    struct want *wants;
    size_t wants_count;
    struct buf seen, now; /* what the registry said, at the last publication and now */
    struct failure *failures;
    int64_t sweep_us;
    _Atomic bool stop, database_up;
    _Atomic uint64_t swaps, failed, checks, aliases, failing;
};

/* ---- failures: each is tried again after twice the time ---- */

static struct failure *failure_of(struct store *s, struct str digest)
{
    for (struct failure *f = s->failures; f; f = f->next)
        if (str_eq_c(digest, f->digest))
            return f;
    return NULL;
}

static void forget_failure(struct store *s, struct str digest)
{
    for (struct failure **at = &s->failures; *at; at = &(*at)->next)
        if (str_eq_c(digest, (*at)->digest)) {
            struct failure *f = *at;
            *at = f->next;
            mem_free(f);
            return;
        }
}

static void note_failure(struct store *s, struct str digest, const struct err *err)
{
    struct failure *f = failure_of(s, digest);
    if (!f) {
        f = mem_zalloc(sizeof *f);
        memcpy(f->digest, digest.p, digest.n < ARTIFACT_DIGEST ? digest.n : ARTIFACT_DIGEST - 1);
        f->next = s->failures;
        s->failures = f;
    }
    int64_t seconds = (int64_t)RETRY_FIRST_SECONDS << (f->times < 6 ? f->times : 6);
    f->times++;
    f->err = *err;
    f->again_us = clock_mono_us() + (seconds < RETRY_MAX_SECONDS ? seconds : RETRY_MAX_SECONDS) * US_PER_SECOND;
    atomic_fetch_add(&s->failed, 1);
}

static bool failure_due(const struct store *s)
{
    for (const struct failure *f = s->failures; f; f = f->next)
        if (f->again_us <= clock_mono_us())
            return true;
    return false;
}

static void retry_now(struct store *s)
{
    for (struct failure *f = s->failures; f; f = f->next)
        f->again_us = 0;
}

/* ---- what the registry says ---- */

static struct str text(struct store *s, const PGresult *r, int row, int column)
{
    return arena_str(&s->arena, pg_get(r, row, column));
}

static bool read_wants(struct store *s, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &s->statements[ALIASES], NULL, err);
    if (!r)
        return false;
    s->wants_count = (size_t)PQntuples(r);
    s->wants = arena_zalloc(&s->arena, (s->wants_count + 1) * sizeof *s->wants);
    for (int i = 0; i < PQntuples(r); i++) {
        struct want *w = &s->wants[i];
        *w = (struct want){ .model = text(s, r, i, 0),
                            .alias = text(s, r, i, 1),
                            .kind = text(s, r, i, 2),
                            .version = pg_get_i64(r, i, 3),
                            .digest = text(s, r, i, 4),
                            .made_us = pg_get_i64(r, i, 5) };
        buf_addf(&s->now, STR_FMT "@" STR_FMT " %lld " STR_FMT "\n", STR_ARG(w->model), STR_ARG(w->alias),
                 (long long)w->version, STR_ARG(w->digest));
    }
    AUTO(pg_result_free) PGresult *e = pg_run(s->pg, &s->statements[ERASED_STATE], NULL, err);
    if (e)
        buf_addf(&s->now, "%lld %lld\n", (long long)pg_get_i64(e, 0, 0), (long long)pg_get_i64(e, 0, 1));
    return e && buf_ok(&s->now, "the list of aliases", err);
}

static int by_hash(const void *va, const void *vb)
{
    const struct erased_unit *a = va, *b = vb;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static bool knew_erased(const struct serving *old, const struct erased_unit *u)
{
    const struct erased_unit *known = old && old->erased_count
                                          ? bsearch(u, old->erased, old->erased_count, sizeof *u, by_hash)
                                          : NULL;
    return known && known->at_us == u->at_us;
}

static bool read_erased(struct store *s, struct serving *next, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &s->statements[ERASED], NULL, err);
    if (!r)
        return false;
    next->erased_count = (size_t)PQntuples(r);
    next->erased = arena_alloc(&next->arena, (next->erased_count + 1) * sizeof *next->erased);
    for (int i = 0; i < PQntuples(r); i++)
        next->erased[i] = (struct erased_unit){ (uint64_t)pg_get_i64(r, i, 0), pg_get_i64(r, i, 1) };
    qsort(next->erased, next->erased_count, sizeof *next->erased, by_hash);
    for (size_t i = 0; s->recent && i < next->erased_count; i++)
        if (!knew_erased(serving_get(), &next->erased[i]))
            recent_forget(s->recent, next->erased[i].hash);
    return true;
}

/* ---- building what is served ---- */

static struct served *served_already(const struct serving *in, struct str digest)
{
    for (size_t i = 0; in && i < in->entries_count; i++) {
        const struct served *v = in->entries[i].served;
        if (v && str_eq_c(digest, v->artifact.digest)) {
            struct served *held = (struct served *)(uintptr_t)v;
            served_hold(held);
            return held;
        }
    }
    return NULL;
}

static struct served *load(struct store *s, const struct want *w, struct err *err)
{
    struct served *v = cache_map(&s->cache, w->digest, w->kind, err);
    if (v)
        return v;
    if (err->kind != ERR_NOT_FOUND)
        log_warn("model_cache_damaged", "artifact=%.12s " LOG_ERR, w->digest.p, LOG_ERR_ARG(err));
    v = cache_fetch(&s->cache, s->pg, w->digest, w->kind, err);
    if (v)
        log_info("model_fetched", "artifact=%.12s bytes=%zu", w->digest.p, v->artifact.bytes.n);
    return v;
}

/* NULL: *err says why; one that failed lately is not tried. */
static struct served *have(struct store *s, const struct serving *next, const struct want *w, struct err *err)
{
    struct served *v = served_already(serving_get(), w->digest);
    if (!v)
        v = served_already(next, w->digest);
    const struct failure *f = v ? NULL : failure_of(s, w->digest);
    if (f && f->again_us > clock_mono_us()) {
        *err = f->err;
        return NULL;
    }
    if (!v)
        v = load(s, w, err);
    if (v)
        forget_failure(s, w->digest);
    else if (pg_is_alive(s->pg))
        note_failure(s, w->digest, err);
    return v;
}

static void keep_old(struct serving_entry *e, const struct serving_entry *old)
{
    if (!old || !old->served)
        return;
    e->served = old->served;
    e->version = old->version;
    e->made_us = old->made_us;
    served_hold((struct served *)(uintptr_t)e->served);
}

static enum serving_view view_of(struct str kind)
{
    const struct serving_kind *k = serving_kind_of(kind);
    return k ? k->view : SERVING_NONE;
}

static void build_entry(struct store *s, struct serving *next, const struct want *w)
{
    struct serving_entry *e = &next->entries[next->entries_count];
    const struct serving_entry *old = serving_entry_of(serving_get(), w->model, w->alias);
    struct err err = { 0 };
    *e = (struct serving_entry){ .model = arena_str(&next->arena, w->model),
                                 .alias = arena_str(&next->arena, w->alias),
                                 .kind = arena_str(&next->arena, w->kind),
                                 .view = view_of(w->kind),
                                 .wanted_version = w->version };
    e->served = have(s, next, w, &err);
    if (e->served) {
        e->version = w->version;
        e->made_us = w->made_us;
    } else {
        keep_old(e, old);
        e->error = arena_str(&next->arena, str_of(err.text));
    }
    next->entries_count++;
}

static struct serving *build(struct store *s, struct err *err)
{
    struct serving *next = serving_new();
    bool ok = read_erased(s, next, err);
    next->entries = arena_zalloc(&next->arena, (s->wants_count + 1) * sizeof *next->entries);
    for (size_t i = 0; ok && i < s->wants_count && !atomic_load(&s->stop); i++)
        build_entry(s, next, &s->wants[i]);
    ok = ok && (pg_is_alive(s->pg) || err_set(err, ERR_DB, "the connection was lost while models were fetched")) &&
         (!atomic_load(&s->stop) || err_set(err, ERR_BUSY, "the daemon stops"));
    if (ok)
        return next;
    serving_discard(next);
    return NULL;
}

/* ---- publishing ---- */

static void tell(const struct serving_entry *e, const struct serving_entry *old)
{
    if (e->error.p && !(old && str_eq(old->error, e->error)))
        log_error("model_refused", "model=" STR_FMT " alias=" STR_FMT " version=%lld kept=%lld error=\"" STR_FMT "\"",
                  STR_ARG(e->model), STR_ARG(e->alias), (long long)e->wanted_version, (long long)e->version,
                  STR_ARG(e->error));
    if (e->served && !(old && old->version == e->version))
        log_info("model_served", "model=" STR_FMT " alias=" STR_FMT " version=%lld before=%lld artifact=%.12s",
                 STR_ARG(e->model), STR_ARG(e->alias), (long long)e->version, (long long)(old ? old->version : 0),
                 e->served->artifact.digest);
}

static void publish(struct store *s, struct serving *next)
{
    const struct serving *old = serving_get();
    uint64_t failing = 0, swaps = 0;
    for (size_t i = 0; i < next->entries_count; i++) {
        const struct serving_entry *e = &next->entries[i], *before = serving_entry_of(old, e->model, e->alias);
        tell(e, before);
        failing += e->error.p != NULL;
        swaps += before && before->served && before->served != e->served;
    }
    atomic_store(&s->aliases, next->entries_count);
    atomic_store(&s->failing, failing);
    atomic_fetch_add(&s->swaps, swaps);
    serving_publish(next);
}

static bool in_use(void *arg, struct str digest)
{
    const struct serving *now = serving_get();
    (void)arg;
    for (size_t i = 0; now && i < now->entries_count; i++)
        if (now->entries[i].served && str_eq_c(digest, now->entries[i].served->artifact.digest))
            return true;
    return false;
}

static bool follow(struct store *s, struct err *err)
{
    struct serving *next = build(s, err);
    struct err ignored;
    if (!next)
        return false;
    if (!cache_write_index(&s->cache, next,
                           &ignored)) /* served all the same; a start without PostgreSQL would miss it */
        log_warn("model_index_not_written", LOG_ERR, LOG_ERR_ARG(&ignored));
    publish(s, next);
    cache_sweep(&s->cache, in_use, NULL);
    buf_clear(&s->seen);
    buf_add_str(&s->seen, buf_str(&s->now));
    return true;
}

static bool sweep_database(struct store *s, struct err *err)
{
    if (clock_mono_us() < s->sweep_us)
        return true;
    s->sweep_us = clock_mono_us() + SWEEP_SECONDS * US_PER_SECOND;
    AUTO(pg_result_free) PGresult *r = pg_run(s->pg, &s->statements[ERASED_SWEEP], NULL, err);
    return r != NULL;
}

/* Asks what the registry says, and follows it. */
static bool turn(struct store *s, struct err *err)
{
    arena_reset(&s->arena);
    buf_clear(&s->now);
    serving_collect();
    atomic_fetch_add(&s->checks, 1);
    if (!read_wants(s, err) || !sweep_database(s, err))
        return false;
    bool same = serving_get() && s->seen.n && str_eq(buf_str(&s->seen), buf_str(&s->now));
    return (same && !failure_due(s)) || follow(s, err);
}

/* ---- the connection ---- */

static bool connect_database(struct store *s, struct err *err)
{
    s->pg = pg_open(s->url, "experimentd models", s->statements, STMT_COUNT, err);
    if (s->pg && pg_exec(s->pg, "set statement_timeout = '60s'; listen experimentd_models", err)) {
        if (!atomic_exchange(&s->database_up, true))
            log_info("models_follow", "database=up");
        return true;
    }
    pg_close(TAKE(s->pg));
    return false;
}

static void lost(struct store *s, const struct err *err)
{
    if (atomic_exchange(&s->database_up, false))
        log_error("models_wait", "database=away " LOG_ERR, LOG_ERR_ARG(err));
    pg_close(TAKE(s->pg));
}

/* True: something was published. */
static bool notified(struct store *s)
{
    bool any = false;
    if (!PQconsumeInput(s->pg->conn))
        return true; /* the turn finds out that it is lost */
    for (PGnotify *n; (n = PQnotifies(s->pg->conn)); PQfreemem(n))
        any = true;
    if (any)
        retry_now(s);
    return any;
}

/* Until a notification, the next check, or the stop. A retired serving is looked at each second: workers turn as often. */
static void wait_for_news(struct store *s)
{
    int64_t until_us = clock_mono_us() + STORE_CHECK_SECONDS * US_PER_SECOND;
    while (!atomic_load(&s->stop) && clock_mono_us() < until_us) {
        struct pollfd fds[] = { { .fd = s->wake_fd, .events = POLLIN },
                                { .fd = s->pg ? PQsocket(s->pg->conn) : -1, .events = POLLIN } };
        if (s->pg && notified(s))
            return;
        (void)poll(fds, COUNT_OF(fds), 1000);
        serving_collect();
    }
}

static void *run(void *arg)
{
    struct store *s = arg;
    log_set_thread("thread=models ");
    while (!atomic_load(&s->stop)) {
        struct err err = { 0 };
        wait_for_news(s);
        if (atomic_load(&s->stop))
            break;
        if ((!s->pg && !connect_database(s, &err)) || !turn(s, &err))
            lost(s, &err);
    }
    return NULL;
}

/* ---- life ---- */

/* What was served last, as far as it is still whole: the database has not been asked. */
static void begin_from_cache(struct store *s)
{
    struct serving *next = serving_new();
    struct str *digests;
    struct err err;
    size_t kept = 0;
    if (!cache_read_index(&s->cache, next, &digests, &err)) {
        if (err.kind != ERR_NOT_FOUND)
            log_warn("model_index_damaged", LOG_ERR, LOG_ERR_ARG(&err));
        serving_discard(next);
        return;
    }
    for (size_t i = 0; i < next->entries_count; i++) {
        struct serving_entry e = next->entries[i];
        struct served *v = cache_map(&s->cache, digests[i], e.kind, &err);
        if (!v)
            log_warn("model_cache_damaged", "artifact=%.12s " LOG_ERR, digests[i].p, LOG_ERR_ARG(&err));
        e.served = v;
        e.view = view_of(e.kind);
        if (v)
            next->entries[kept++] = e;
    }
    next->entries_count = kept;
    qsort(next->erased, next->erased_count, sizeof *next->erased, by_hash);
    publish(s, next);
}

static void make_statements(struct store *s)
{
    for (int i = 0; i < OWN_STMT_COUNT; i++)
        s->statements[i] = own_statements[i];
    for (int i = 0; i < CACHE_STMT_COUNT; i++)
        s->statements[OWN_STMT_COUNT + i] = cache_statements[i];
}

struct store *store_start(const struct store_options *o, struct err *err)
{
    struct store *s = mem_zalloc(sizeof *s);
    struct err first = { 0 };
    s->url = mem_strdup(o->url);
    s->recent = o->recent;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    arena_init(&s->arena, 64 << 10);
    buf_init(&s->seen, 16 << 20);
    buf_init(&s->now, 16 << 20);
    make_statements(s);
    if (s->wake_fd < 0 || !cache_open(&s->cache, o->data_dir, &s->stop, err)) {
        store_stop(s);
        return NULL;
    }
    begin_from_cache(s);
    if (!connect_database(s, &first) || !turn(s, &first))
        lost(s, &first);
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        store_stop(s);
        err_set(err, ERR_SYSTEM, "cannot start the thread of models");
        return NULL;
    }
    s->started = true;
    return s;
}

void store_stop(struct store *s)
{
    uint64_t one = 1;
    if (!s)
        return;
    atomic_store(&s->stop, true);
    (void)!write(s->wake_fd, &one, sizeof one);
    if (s->started)
        (void)pthread_join(s->thread, NULL);
    serving_shutdown();
    pg_close(s->pg);
    cache_release(&s->cache);
    arena_release(&s->arena);
    buf_release(&s->seen);
    buf_release(&s->now);
    while (s->failures)
        forget_failure(s, str_of(s->failures->digest));
    if (s->wake_fd >= 0)
        (void)close(s->wake_fd);
    mem_free(s->url);
    mem_free(s);
}

void store_stats(const struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){ .swaps = atomic_load(&s->swaps),
                                 .failures = atomic_load(&s->failed),
                                 .fetched_bytes = atomic_load(&s->cache.fetched_bytes),
                                 .checks = atomic_load(&s->checks),
                                 .aliases = atomic_load(&s->aliases),
                                 .failing = atomic_load(&s->failing),
                                 .database_up = atomic_load(&s->database_up) };
}
