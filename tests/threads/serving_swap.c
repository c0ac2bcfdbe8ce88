/* Workers answer from what is served without a lock, while another thread maps versions, publishes them and unmaps the old ones as fast as it can.
 * Every list of a version tells which one it is: an answer that mixes two, or reads what was unmapped, is found. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "experimentd/serving/cache.h"
#include "experimentd/serving/recent.h"
#include "experimentd/serving/serving.h"
#include "model/recommend.h"

enum { READERS = 4, SWAPS = 3000, VERSIONS = 3, USERS = 30, ITEMS = 20 };

static char dir[] = "/tmp/serving-swap-XXXXXX";
static struct str digests[VERSIONS];
static struct arena texts;
static _Atomic bool done;
static _Atomic uint64_t answers;

static void __attribute__((noreturn)) fail(const char *what)
{
    (void)fprintf(stderr, "serving_swap: %s\n", what);
    abort();
}

/* ---- versions on the disk ---- */

static void write_file(const char *name, struct str bytes)
{
    AUTO(mem_free) char *path = mem_printf("%s/models/%s", dir, name);
    FILE *f = fopen(path, "we");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n || fclose(f) != 0)
        fail("cannot write an artifact");
}

static void make_version(unsigned version)
{
    static const char *const columns[] = { "score" };
    struct lists_out lists;
    struct artifact_out o;
    struct buf section, file;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    buf_init(&section, 1 << 20);
    buf_init(&file, 1 << 20);
    lists_begin(&lists, columns, 1);
    for (unsigned u = 0; u < USERS; u++) {
        lists_key(&lists, arena_printf(&texts, "u%u", u));
        for (unsigned i = 0; i < ITEMS; i++)
            lists_add(&lists, arena_printf(&texts, "%u-%u", version, i), &(float){ (float)(ITEMS - i) });
    }
    artifact_begin(&o, "recommender");
    if (!lists_end(&lists, &section, &err))
        fail(err.text);
    artifact_add(&o, "items_for_user", buf_str(&section));
    if (!artifact_end(&o, &file, digest, &err))
        fail(err.text);
    digests[version] = arena_str(&texts, str_of(digest));
    write_file(digest, buf_str(&file));
    buf_release(&section);
    buf_release(&file);
}

/* ---- readers ---- */

static void ask(unsigned number, struct arena *arena, struct recent *recent)
{
    const struct serving *s = serving_get();
    struct err err;
    const struct serving_entry *e = serving_find(s, SERVING_RECOMMENDER, STR("m"), STR(SERVING_ALIAS), &err);
    struct recommend_request q = { .of = RECOMMEND_USER, .id = arena_printf(arena, "u%u", number % USERS), .n = 10 };
    struct recommend_answer a;
    struct recommend_event *events;
    if (!e)
        fail(err.text);
    recent_note(recent, q.id, STR("something"), 1, number);
    if (recent_get(recent, q.id, number, arena, &events) != 1)
        fail("what was noted is not there");
    recommend(e->served->view, &q, arena, &a);
    if (a.count != 10)
        fail("an answer is not whole");
    for (size_t i = 0; i < a.count; i++)
        if (a.items[i].item.p[0] != '0' + (char)e->version)
            fail("an answer is of another version");
}

struct reader {
    unsigned slot;
    struct recent *recent;
};

static void *read_all(void *arg)
{
    const struct reader *r = arg;
    struct arena arena;
    arena_init(&arena, 4096);
    for (unsigned n = 0; !atomic_load(&done); n++) {
        ask(n, &arena, r->recent);
        serving_quiescent(r->slot);
        atomic_fetch_add(&answers, 1);
        arena_reset(&arena);
    }
    serving_leave(r->slot);
    arena_release(&arena);
    return NULL;
}

/* ---- the publisher ---- */

static void publish(struct cache *cache, unsigned version)
{
    struct serving *next = serving_new();
    struct err err;
    next->entries = arena_zalloc(&next->arena, sizeof *next->entries);
    next->entries_count = 1;
    next->entries[0] = (struct serving_entry){ .model = STR("m"),
                                               .alias = STR(SERVING_ALIAS),
                                               .kind = STR("recommender"),
                                               .view = SERVING_RECOMMENDER,
                                               .version = version };
    next->entries[0].served = cache_map(cache, digests[version], STR("recommender"), &err);
    if (!next->entries[0].served)
        fail(err.text);
    serving_publish(next);
}

static void clean_up(const struct cache *cache)
{
    for (unsigned v = 0; v < VERSIONS; v++) {
        AUTO(mem_free) char *path = mem_printf("%s/" STR_FMT, cache->dir, STR_ARG(digests[v]));
        (void)unlink(path);
    }
    (void)rmdir(cache->dir);
    (void)rmdir(dir);
}

int main(void)
{
    pthread_t threads[READERS];
    struct reader readers[READERS];
    struct cache cache = { .dir = NULL };
    static const _Atomic bool never;
    struct err err;
    mem_init();
    arena_init(&texts, 1 << 16);
    struct recent *recent = recent_new(1 << 20);
    if (!mkdtemp(dir) || !cache_open(&cache, dir, &never, &err))
        fail("no directory");
    for (unsigned v = 0; v < VERSIONS; v++)
        make_version(v);
    serving_init(READERS);
    publish(&cache, 0);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ i, recent };
        if (pthread_create(&threads[i], NULL, read_all, &readers[i]) != 0)
            fail("pthread_create");
    }
    for (unsigned swap = 0; swap < SWAPS; swap++) {
        publish(&cache, swap % VERSIONS);
        recent_forget(recent, swap);
        if (swap % 16 == 0)
            sched_yield();
        serving_collect();
    }
    while (atomic_load(&answers) < SWAPS)
        sched_yield();
    atomic_store(&done, true);
    for (unsigned i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    serving_shutdown();
    clean_up(&cache);
    cache_release(&cache);
    recent_free(recent);
    arena_release(&texts);
    (void)printf("%d versions published, %llu answers of %d readers\n", SWAPS,
                 (unsigned long long)atomic_load(&answers), READERS);
    return EXIT_SUCCESS;
}
