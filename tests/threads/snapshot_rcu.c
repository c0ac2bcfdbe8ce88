/* Readers take the snapshot without a lock, hold it over a turn and look at all of it, while another thread publishes and collects as
 * fast as it can. Each snapshot says its version in several places; a reader that sees two of them has a torn or freed one. A reader
 * never sees versions go back. One reader leaves half-way and comes back no more. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "experimentd/config/snapshot_parts.h"

enum { READERS = 4, PUBLISHED = 20000, EXPERIMENTS = 8, LOOKS_A_TURN = 3 };

static _Atomic bool done;
static _Atomic uint64_t turns;

static void __attribute__((noreturn)) fail(const char *what)
{
    (void)fprintf(stderr, "snapshot_rcu: %s\n", what);
    abort();
}

static struct snapshot *make(int64_t version)
{
    struct snapshot_whole *w = mem_zalloc(sizeof *w);
    arena_init(&w->arena, 1024);
    w->s.version = version;
    w->s.experiments = arena_zalloc(&w->arena, EXPERIMENTS * sizeof *w->s.experiments);
    w->s.experiments_count = EXPERIMENTS;
    for (size_t i = 0; i < EXPERIMENTS; i++) {
        w->s.experiments[i].version = version;
        w->s.experiments[i].key = arena_printf(&w->arena, "%zu", i);
    }
    return &w->s;
}

static void look(const struct snapshot *s)
{
    const struct snapshot_experiment *e = snapshot_experiment(s, STR("5"));
    if (!e || !str_eq(e->key, STR("5")))
        fail("an experiment is missing");
    for (size_t i = 0; i < s->experiments_count; i++)
        if (s->experiments[i].version != s->version)
            fail("a reader saw two versions in one snapshot");
}

/* What server_worker_run does: a turn of callbacks, each with its own snapshot_get, then the quiescent call. */
static void *reader(void *arg)
{
    unsigned slot = (unsigned)(uintptr_t)arg;
    int64_t last = 0;
    while (!atomic_load(&done) && !(slot == 0 && last > PUBLISHED / 2)) {
        const struct snapshot *first = snapshot_get();
        for (int i = 0; i < LOOKS_A_TURN; i++) {
            const struct snapshot *s = snapshot_get();
            if (s->version < last)
                fail("versions went back");
            last = s->version;
            look(s);
            look(first);
        }
        snapshot_quiescent(slot);
        atomic_fetch_add(&turns, 1);
    }
    snapshot_leave(slot);
    return NULL;
}

int main(void)
{
    pthread_t threads[READERS];
    snapshot_init(READERS);
    snapshot_publish(make(1));
    for (unsigned i = 0; i < READERS; i++)
        if (pthread_create(&threads[i], NULL, reader, (void *)(uintptr_t)i) != 0)
            fail("pthread_create");
    for (int64_t v = 2; v <= PUBLISHED; v++) {
        snapshot_publish(make(v));
        if (v % 64 == 0)
            sched_yield();
        if (v % 100 == 0)
            snapshot_collect();
    }
    atomic_store(&done, true);
    for (unsigned i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    if (snapshot_get()->version != PUBLISHED)
        fail("the last one published is not the current one");
    look(snapshot_get());
    snapshot_shutdown();
    if (snapshot_get())
        fail("a snapshot is left after the shutdown");
    (void)printf("%d snapshots published, %llu turns of %d readers\n", PUBLISHED,
                 (unsigned long long)atomic_load(&turns), READERS);
    return EXIT_SUCCESS;
}
