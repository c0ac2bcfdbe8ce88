/* Group commit: workers hand over batches; the writer thread takes all that wait, writes and syncs them in one go, and tells the
 * workers by their eventfds. While it syncs, the next batches gather: no timer, and a sync costs as many requests as came meanwhile.
 * A failed write fails the batches of that round (their clients get 503) and is tried again every second with the next. */
#include "experimentd/ingest/journal/journal.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "experimentd/ingest/journal/journal_file.h"

/* Exposures alone wait for company: nobody waits for them, and a sync for each would cost more than all the rest. */
enum { EXPOSURES_WAIT_US = 50000, EXPOSURES_WAIT_BYTES = 256 << 10 };
enum { PENDING_MAX_BYTES = 64 << 20, ROUND_MAX_BYTES = 16 << 20, RETRY_US = 1000000 };

struct batch {
    struct batch *next;
    struct journal_client *client;
    struct buf bytes;
    uint64_t number, signals, signals_ahead, exposures;
    struct err err; /* kind NONE: synced */
};

struct waiter {
    struct waiter *next;
    uint64_t number; /* of the batch it waits for */
    journal_synced_fn fn;
    void *arg;
};

struct journal_client {
    struct journal *journal;
    struct batch *pending; /* of this turn; NULL: nothing appended */
    uint64_t last_number;  /* of the last batch made */
    uint64_t done_number;  /* of the last batch that ended */
    struct waiter *waiters, **waiters_end;
    struct batch *done;        /* ended, oldest last; under the journal's lock */
    int fd;                    /* eventfd */
    struct event *event, *due; /* due: exposures have waited long enough */
    bool urgent;               /* the pending batch holds a signal, or somebody waits for it */
    size_t told;               /* bytes of the pending batch that are in the journal's `waiting` */
};

struct journal {
    struct journal_file file;
    uint64_t max_bytes;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t handed, synced_changed;
    struct batch *queue, **queue_end; /* under the lock */
    uint64_t queue_bytes;
    bool stop, writing;
    _Atomic uint64_t waiting; /* bytes taken in and not yet on disk; a batch leaves it after `synced` has it */
    _Atomic uint64_t synced, loaded, syncs, signals, signals_ahead, exposures, exposures_lost;
    _Atomic bool failed;
    struct err failure; /* under the lock */
    int64_t retry_at_us;
};

/* ---- the writer thread ---- */

static struct batch *take_round(struct journal *j, struct buf *bytes)
{
    struct batch *first = j->queue, **end = &first;
    buf_clear(bytes);
    while (*end && (end == &first || bytes->n + (*end)->bytes.n <= ROUND_MAX_BYTES)) {
        buf_add_str(bytes, buf_str(&(*end)->bytes));
        j->queue_bytes -= (*end)->bytes.n;
        end = &(*end)->next;
    }
    j->queue = *end;
    if (!j->queue)
        j->queue_end = &j->queue;
    *end = NULL;
    return first;
}

static void complete(struct journal *j, struct batch *round, const struct err *err)
{
    uint64_t one = 1;
    while (round) {
        struct batch *b = round;
        struct journal_client *c = b->client;
        round = b->next;
        b->err = *err;
        atomic_fetch_sub(&j->waiting, b->bytes.n);
        if (err->kind == ERR_NONE) {
            atomic_fetch_add(&j->signals, b->signals);
            atomic_fetch_add(&j->signals_ahead, b->signals_ahead);
            atomic_fetch_add(&j->exposures, b->exposures);
        } else {
            atomic_fetch_add(&j->exposures_lost, b->exposures);
        }
        b->next = c->done;
        c->done = b;
        (void)!write(c->fd, &one, sizeof one);
    }
}

/* Called and returns with the lock held; lets go of it while it writes. */
static void write_round(struct journal *j, struct buf *bytes)
{
    struct batch *round = take_round(j, bytes);
    struct err err = { 0 };
    j->writing = true;
    (void)pthread_mutex_unlock(&j->lock);
    bool ok = journal_file_append(&j->file, buf_str(bytes), &err);
    if (!ok)
        log_error("journal_write_failed", LOG_ERR, LOG_ERR_ARG(&err));
    else if (atomic_load(&j->failed))
        log_info("journal_works_again", "position=%llu", (unsigned long long)j->file.end);
    (void)pthread_mutex_lock(&j->lock);
    j->writing = false;
    atomic_store(&j->failed, !ok);
    if (ok) {
        atomic_store(&j->synced, j->file.end);
        atomic_fetch_add(&j->syncs, 1);
    } else {
        err.kind = ERR_BUSY; /* the client may try again; what the system said is in the text */
        j->failure = err;
        j->retry_at_us = clock_mono_us() + RETRY_US;
    }
    complete(j, round, &err);
    (void)pthread_cond_broadcast(&j->synced_changed);
}

static void *writer(void *arg)
{
    struct journal *j = arg;
    struct buf bytes;
    log_set_thread("journal ");
    buf_init(&bytes, PENDING_MAX_BYTES + ROUND_MAX_BYTES);
    (void)pthread_mutex_lock(&j->lock);
    while (!j->stop || j->queue) {
        if (j->queue)
            write_round(j, &bytes);
        else
            (void)pthread_cond_wait(&j->handed, &j->lock);
    }
    (void)pthread_mutex_unlock(&j->lock);
    buf_release(&bytes);
    return NULL;
}

/* ---- opening and closing ---- */

struct journal *journal_open(const struct journal_options *options, struct err *err)
{
    struct journal *j = mem_zalloc(sizeof *j);
    pthread_condattr_t attr;
    j->max_bytes = options->max_bytes;
    j->queue_end = &j->queue;
    if (!journal_file_open(&j->file, options->dir, options->segment_bytes, err)) {
        journal_file_close(&j->file);
        mem_free(j);
        return NULL;
    }
    atomic_store(&j->synced, j->file.end);
    atomic_store(&j->loaded, journal_file_first(&j->file)); /* at least; the loader asks PostgreSQL */
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&j->handed, &attr);
    (void)pthread_cond_init(&j->synced_changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (pthread_create(&j->thread, NULL, writer, j) != 0) {
        err_set(err, ERR_SYSTEM, "cannot start the journal's thread");
        journal_file_close(&j->file);
        mem_free(j);
        return NULL;
    }
    return j;
}

void journal_go_behind(struct journal *j, uint64_t position)
{
    (void)pthread_mutex_lock(&j->lock);
    if (j->file.end < position) {
        log_warn("journal_set_back", "dir=%s end=%llu loaded=%llu", j->file.dir, (unsigned long long)j->file.end,
                 (unsigned long long)position);
        journal_file_go_to(&j->file, position);
        atomic_store(&j->synced, position);
        atomic_store(&j->loaded, position);
    }
    (void)pthread_mutex_unlock(&j->lock);
}

void journal_close(struct journal *j)
{
    (void)pthread_mutex_lock(&j->lock);
    j->stop = true;
    (void)pthread_cond_broadcast(&j->handed);
    (void)pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->thread, NULL);
    journal_file_close(&j->file);
    (void)pthread_mutex_destroy(&j->lock);
    (void)pthread_cond_destroy(&j->handed);
    (void)pthread_cond_destroy(&j->synced_changed);
    mem_free(j);
}

void journal_flush(struct journal *j)
{
    (void)pthread_mutex_lock(&j->lock);
    while (j->queue || j->writing)
        (void)pthread_cond_wait(&j->synced_changed, &j->lock);
    (void)pthread_mutex_unlock(&j->lock);
}

/* ---- clients, each on its own thread ---- */

static void batch_free(struct batch *b)
{
    buf_release(&b->bytes);
    mem_free(b);
}

static struct batch *reverse(struct batch *list)
{
    struct batch *out = NULL;
    while (list) {
        struct batch *next = list->next;
        list->next = out;
        out = list;
        list = next;
    }
    return out;
}

static void tell_waiters(struct journal_client *c, uint64_t number, const struct err *err)
{
    while (c->waiters && c->waiters->number <= number) {
        struct waiter *w = c->waiters;
        c->waiters = w->next;
        if (!c->waiters)
            c->waiters_end = &c->waiters;
        w->fn(w->arg, err && err->kind != ERR_NONE ? err : NULL);
        mem_free(w);
    }
}

/* Batches of a client end in the order in which they were handed over. */
static void collect(struct journal_client *c)
{
    (void)pthread_mutex_lock(&c->journal->lock);
    struct batch *done = reverse(c->done);
    c->done = NULL;
    (void)pthread_mutex_unlock(&c->journal->lock);
    while (done) {
        struct batch *b = done;
        done = b->next;
        c->done_number = b->number;
        tell_waiters(c, b->number, &b->err);
        batch_free(b);
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct journal_client *c = arg;
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
    collect(c);
    tell_waiters(c, c->done_number, NULL); /* who waited for nothing that was still to be written */
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ((struct journal_client *)arg)->urgent = true; /* handed over at the end of this turn */
}

struct journal_client *journal_client_new(struct journal *j, struct event_base *base)
{
    struct journal_client *c = mem_zalloc(sizeof *c);
    c->journal = j;
    c->waiters_end = &c->waiters;
    c->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    c->event = event_new(base, c->fd, EV_READ | EV_PERSIST, on_event, c);
    (void)event_add(c->event, NULL);
    c->due = event_new(base, -1, 0, on_due, c);
    return c;
}

void journal_client_free(struct journal_client *c)
{
    if (!c)
        return;
    c->urgent = true;
    journal_hand_over(c);
    (void)pthread_mutex_lock(&c->journal->lock);
    while (c->journal->queue || c->journal->writing)
        (void)pthread_cond_wait(&c->journal->synced_changed, &c->journal->lock);
    (void)pthread_mutex_unlock(&c->journal->lock);
    collect(c);
    tell_waiters(c, UINT64_MAX, NULL);
    event_free(c->event);
    event_free(c->due);
    close(c->fd);
    mem_free(c);
}

bool journal_ready(struct journal_client *c, struct err *err)
{
    struct journal *j = c->journal;
    bool ok = true;
    if (atomic_load_explicit(&j->synced, memory_order_relaxed) -
            atomic_load_explicit(&j->loaded, memory_order_relaxed) >
        j->max_bytes)
        return err_set(err, ERR_BUSY, "the journal holds %llu bytes that are not in PostgreSQL yet: its limit",
                       (unsigned long long)j->max_bytes);
    if (c->pending && c->pending->bytes.n > PENDING_MAX_BYTES / 2)
        return err_set(err, ERR_BUSY, "too many signals at once");
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return true;
    (void)pthread_mutex_lock(&j->lock);
    if (clock_mono_us() < j->retry_at_us) {
        ok = false;
        if (err)
            *err = j->failure;
    } else {
        j->retry_at_us = clock_mono_us() + RETRY_US; /* this one tries */
    }
    (void)pthread_mutex_unlock(&j->lock);
    return ok;
}

static struct batch *pending(struct journal_client *c)
{
    if (!c->pending) {
        c->pending = mem_zalloc(sizeof *c->pending);
        c->pending->client = c;
        c->pending->number = ++c->last_number;
        buf_init(&c->pending->bytes, PENDING_MAX_BYTES);
    }
    return c->pending;
}

static bool appended(struct batch *b, size_t before, struct err *err)
{
    if (!b->bytes.failed)
        return true;
    b->bytes.failed = false;
    b->bytes.n = before;
    return err_set(err, ERR_BUSY, "too many signals at once");
}

bool journal_append_signal(struct journal_client *c, const struct signal *s, struct err *err)
{
    struct batch *b = pending(c);
    size_t before = b->bytes.n;
    record_write_signal(&b->bytes, s);
    if (!appended(b, before, err))
        return false;
    b->signals++;
    b->signals_ahead += s->ahead;
    c->urgent = true;
    return true;
}

bool journal_append_exposure(struct journal_client *c, const struct exposure *e, struct err *err)
{
    if (!journal_ready(c, err)) {
        atomic_fetch_add(&c->journal->exposures_lost, 1);
        return false;
    }
    struct batch *b = pending(c);
    size_t before = b->bytes.n;
    record_write_exposure(&b->bytes, e);
    if (!appended(b, before, err)) {
        atomic_fetch_add(&c->journal->exposures_lost, 1);
        return false;
    }
    b->exposures++;
    return true;
}

void journal_when_synced(struct journal_client *c, journal_synced_fn fn, void *arg)
{
    struct waiter *w = mem_zalloc(sizeof *w);
    uint64_t one = 1;
    *w = (struct waiter){ .number = c->last_number, .fn = fn, .arg = arg };
    *c->waiters_end = w;
    c->waiters_end = &w->next;
    c->urgent = true;
    if (c->done_number >= c->last_number)
        (void)!write(c->fd, &one, sizeof one);
}

void journal_hand_over(struct journal_client *c)
{
    struct journal *j = c->journal;
    struct batch *b = c->pending;
    if (!b)
        return;
    atomic_fetch_add(&j->waiting, b->bytes.n - c->told);
    c->told = b->bytes.n;
    if (!c->urgent && b->bytes.n < EXPOSURES_WAIT_BYTES) {
        if (!event_pending(c->due, EV_TIMEOUT, NULL))
            (void)event_add(c->due, &(struct timeval){ .tv_usec = EXPOSURES_WAIT_US });
        return;
    }
    (void)event_del(c->due);
    c->urgent = false;
    c->pending = NULL;
    c->told = 0;
    (void)pthread_mutex_lock(&j->lock);
    *j->queue_end = b;
    j->queue_end = &b->next;
    j->queue_bytes += b->bytes.n;
    (void)pthread_cond_signal(&j->handed);
    (void)pthread_mutex_unlock(&j->lock);
}

/* ---- the loader's side ---- */

const unsigned char *journal_id(const struct journal *j)
{
    return j->file.id;
}

const char *journal_dir(const struct journal *j)
{
    return j->file.dir;
}

uint64_t journal_wait_synced(struct journal *j, uint64_t position, int64_t timeout_us)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + timeout_us % US_PER_SECOND * 1000;
    until.tv_sec += timeout_us / US_PER_SECOND + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    (void)pthread_mutex_lock(&j->lock);
    while (atomic_load(&j->synced) <= position && !j->stop)
        if (pthread_cond_timedwait(&j->synced_changed, &j->lock, &until) != 0)
            break;
    (void)pthread_mutex_unlock(&j->lock);
    return atomic_load(&j->synced);
}

void journal_set_loaded(struct journal *j, uint64_t position)
{
    atomic_store(&j->loaded, position);
    journal_file_forget(&j->file, position);
}

uint64_t journal_first(struct journal *j)
{
    return journal_file_first(&j->file);
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
    *out = (struct journal_stats){ .loaded = atomic_load(
                                       &j->loaded) }; /* in the order in which bytes move, backwards: */
    out->waiting = atomic_load(&j->waiting);          /* none is missed on its way */
    out->written = atomic_load(&j->synced);
    out->syncs = atomic_load(&j->syncs);
    out->signals = atomic_load(&j->signals);
    out->signals_ahead = atomic_load(&j->signals_ahead);
    out->exposures = atomic_load(&j->exposures);
    out->exposures_lost = atomic_load(&j->exposures_lost);
    out->failed = atomic_load(&j->failed);
}
