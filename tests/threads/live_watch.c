/* Workers record, views come and go: every record is shown to a view that stays, or counted for it as left out; once, and in order. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "experimentd/ingest/live/live.h"

enum { WORKERS = 3, STAYING = 2, COMING = 2, NOTES = 60000, NOTES_PER_SECOND = 700 };
#define BEGIN INT64_C(1790000000000000)

static struct live *live;
static _Atomic unsigned working = WORKERS;

static void __attribute__((noreturn)) fail(const char *what)
{
    (void)fprintf(stderr, "live_watch: %s\n", what);
    abort();
}

static void *record(void *arg)
{
    unsigned worker = (unsigned)(size_t)arg;
    const struct live_reject why = { .error = STR("why"), .element = STR("{}") };
    for (int i = 0; i < NOTES; i++) {
        struct signal s = { .type = STR("click"), .unit = i % 97 ? STR("others") : STR("me"), .value = NAN };
        struct live_item item = { .kind = i % 5 ? LIVE_SIGNAL : LIVE_REJECT,
                                  .received_us = BEGIN + i * (US_PER_SECOND / NOTES_PER_SECOND),
                                  .route = "/v1/signals",
                                  .signal = &s,
                                  .reject = &why };
        live_note(live, worker, &item);
    }
    atomic_fetch_sub(&working, 1);
    return NULL;
}

/* Looks once; the sequence numbers must grow within a look. */
static uint64_t look(struct live_watch *w, int64_t now_us, struct arena *arena)
{
    struct live_batch batch;
    live_watch_next(w, now_us, arena, &batch);
    for (size_t i = 1; i < batch.count; i++)
        if (batch.entries[i].sequence <= batch.entries[i - 1].sequence)
            fail("a look was out of order");
    arena_reset(arena);
    return batch.count + batch.skipped;
}

static void *stay(void *arg)
{
    struct live_watch *w = arg;
    struct arena arena;
    int64_t now_us = BEGIN;
    uint64_t told = 0;
    bool last;
    arena_init(&arena, 1 << 16);
    do {
        last = atomic_load(&working) == 0;
        told += look(w, now_us += US_PER_SECOND / 5, &arena);
    } while (!last);
    arena_release(&arena);
    if (told != (uint64_t)WORKERS * NOTES)
        fail("a view was not told of every record, or twice");
    return NULL;
}

static void *come_and_go(void *arg)
{
    struct live_filter mine = { .unit = "me" };
    struct arena arena;
    struct err err;
    int64_t now_us = BEGIN;
    (void)arg;
    arena_init(&arena, 1 << 16);
    while (atomic_load(&working)) {
        struct live_watch *w = live_watch_open(live, &mine, 0, &err);
        for (int i = 0; w && i < 3; i++)
            (void)look(w, now_us += US_PER_SECOND / 5, &arena);
        live_watch_close(w);
    }
    arena_release(&arena);
    return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    if (pthread_create(thread, NULL, run, arg) != 0)
        fail("cannot start a thread");
}

/* The first look is at what was there before the view: it is taken before anything is. */
static struct live_watch *open_staying(void)
{
    static const struct live_filter everything;
    struct arena arena;
    struct err err;
    struct live_watch *w = live_watch_open(live, &everything, 0, &err);
    if (!w)
        fail(err.text);
    arena_init(&arena, 1024);
    (void)look(w, BEGIN, &arena);
    arena_release(&arena);
    return w;
}

int main(void)
{
    pthread_t threads[WORKERS + STAYING + COMING];
    struct live_watch *staying[STAYING];
    size_t n = 0;
    live = live_new(WORKERS, BEGIN);
    for (size_t i = 0; i < STAYING; i++)
        staying[i] = open_staying();
    for (size_t i = 0; i < STAYING; i++)
        start(&threads[n++], stay, staying[i]);
    for (size_t i = 0; i < COMING; i++)
        start(&threads[n++], come_and_go, NULL);
    for (size_t i = 0; i < WORKERS; i++)
        start(&threads[n++], record, (void *)i);
    for (size_t i = 0; i < n; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < STAYING; i++)
        live_watch_close(staying[i]);
    live_free(live);
    printf("%d workers, %d records each: all shown or counted\n", WORKERS, NOTES);
    return EXIT_SUCCESS;
}
