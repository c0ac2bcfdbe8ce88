#include "experimentd/ingest/load/ahead.h"

#include <pthread.h>

#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/journal/journal_file.h"

enum { BATCH_BYTES_MAX = 8 << 20, AHEAD_BYTES_MIN = 256 << 10 };

struct order {
    uint64_t position, limit;
    size_t rows;
};

struct ahead {
    struct journal *journal;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, to `stop` */
    pthread_cond_t changed;
    struct order order;
    bool ordered, stop; /* ordered: the thread has batches[spare] until it is done */
    struct batch batches[2];
    int spare; /* the loader has the other one */
};

/* ---- one batch ---- */

static struct str keep(struct batch *b, struct str s)
{
    return s.p ? arena_str(&b->texts, s) : s;
}

static void add_signal(struct batch *b, struct str payload)
{
    struct signal *s = &b->rows.signals[b->rows.signals_count];
    if (!record_parse_signal(payload, s))
        return;
    s->type = keep(b, s->type);
    s->unit = keep(b, s->unit);
    s->user = keep(b, s->user);
    s->session = keep(b, s->session);
    s->query_id = keep(b, s->query_id);
    s->query = keep(b, s->query);
    s->doc = keep(b, s->doc);
    s->params = keep(b, s->params);
    b->rows.signals_count++;
}

static void add_exposure(struct batch *b, struct str payload)
{
    struct exposure *e = &b->rows.exposures[b->rows.exposures_count];
    if (!record_parse_exposure(payload, e))
        return;
    e->experiment = keep(b, e->experiment);
    e->variant = keep(b, e->variant);
    e->unit = keep(b, e->unit);
    e->dims = keep(b, e->dims);
    b->rows.exposures_count++;
}

static void fill(struct batch *b, const char *dir, const struct order *o)
{
    struct journal_reader reader;
    enum record_type type;
    struct str payload;
    size_t bytes = 0;
    journal_reader_init(&reader, dir, o->position);
    arena_reset(&b->texts);
    b->rows.signals_count = b->rows.exposures_count = 0;
    for (size_t n = 0;
         n < o->rows && bytes < BATCH_BYTES_MAX && journal_reader_next(&reader, o->limit, &type, &payload); n++) {
        bytes += payload.n;
        if (type == RECORD_SIGNAL)
            add_signal(b, payload);
        else
            add_exposure(b, payload);
    }
    b->from = o->position;
    b->to = reader.position;
    b->damaged = reader.bad;
    b->failed = reader.failed;
    journal_reader_release(&reader);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct ahead *a = arg;
    (void)pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        if (!a->ordered) {
            (void)pthread_cond_wait(&a->changed, &a->lock);
            continue;
        }
        struct batch *b = &a->batches[a->spare];
        struct order o = a->order;
        (void)pthread_mutex_unlock(&a->lock);
        fill(b, journal_dir(a->journal), &o);
        (void)pthread_mutex_lock(&a->lock);
        a->ordered = false;
        (void)pthread_cond_broadcast(&a->changed);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void order_next(struct ahead *a, const struct order *o)
{
    if (o->limit < o->position + AHEAD_BYTES_MIN)
        return;
    (void)pthread_mutex_lock(&a->lock);
    a->order = *o;
    a->ordered = true;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
}

static void wait_done(struct ahead *a)
{
    (void)pthread_mutex_lock(&a->lock);
    while (a->ordered)
        (void)pthread_cond_wait(&a->changed, &a->lock);
    (void)pthread_mutex_unlock(&a->lock);
}

struct batch *ahead_take(struct ahead *a, uint64_t position, uint64_t limit, size_t rows)
{
    wait_done(a);
    struct batch *b = &a->batches[a->spare];
    if (b->from != position || b->to == position || batch_rows(b) > rows)
        fill(b, journal_dir(a->journal), &(struct order){ position, limit, rows });
    a->spare = 1 - a->spare;
    a->batches[a->spare].to = a->batches[a->spare].from;
    order_next(a, &(struct order){ b->to, journal_wait_synced(a->journal, b->to, 0), rows });
    return b;
}

/* ---- life ---- */

static void batch_init(struct batch *b)
{
    *b = (struct batch){ .rows = { .signals = mem_alloc(ROWS_MAX * sizeof *b->rows.signals),
                                   .exposures = mem_alloc(ROWS_MAX * sizeof *b->rows.exposures) } };
    arena_init(&b->texts, 1 << 20);
}

static void batch_release(struct batch *b)
{
    arena_release(&b->texts);
    mem_free(b->rows.signals);
    mem_free(b->rows.exposures);
}

static void ahead_free(struct ahead *a)
{
    batch_release(&a->batches[0]);
    batch_release(&a->batches[1]);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    mem_free(a);
}

struct ahead *ahead_start(struct journal *j, struct err *err)
{
    struct ahead *a = mem_zalloc(sizeof *a);
    a->journal = j;
    batch_init(&a->batches[0]);
    batch_init(&a->batches[1]);
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, run, a) == 0)
        return a;
    ahead_free(a);
    err_set(err, ERR_SYSTEM, "cannot start the thread that reads the journal ahead");
    return NULL;
}

void ahead_stop(struct ahead *a)
{
    if (!a)
        return;
    (void)pthread_mutex_lock(&a->lock);
    a->stop = true;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    (void)pthread_join(a->thread, NULL);
    ahead_free(a);
}
