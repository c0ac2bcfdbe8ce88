#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "experimentd/serving/serving.h"
#include "experimentd/serving/store.h"
#include "model/recommend.h"

/* A data directory with a cache: one artifact of each text, and an index that names them. The database is nowhere. */
static const char nowhere[] = "host=/nonexistent dbname=none";

static char *make_dir(struct arena *arena)
{
    char *dir = arena_cstr(arena, STR("/tmp/serving-store-XXXXXX"));
    cr_assert_not_null(mkdtemp(dir));
    cr_assert(eq(int, mkdir(arena_printf(arena, "%s/models", dir).p, 0700), 0));
    return dir;
}

static void put(struct arena *arena, const char *dir, const char *name, struct str bytes)
{
    FILE *f = fopen(arena_printf(arena, "%s/models/%s", dir, name).p, "we");
    cr_assert_not_null(f);
    cr_assert(eq(sz, fwrite(bytes.p, 1, bytes.n, f), bytes.n));
    cr_assert(eq(int, fclose(f), 0));
}

static struct str make_artifact(struct arena *arena, const char *item, char digest[ARTIFACT_DIGEST])
{
    static const char *const columns[] = { "score" };
    struct lists_out lists;
    struct artifact_out o;
    struct buf section, file;
    struct err err;
    buf_init(&section, 1 << 16);
    buf_init(&file, 1 << 16);
    lists_begin(&lists, columns, 1);
    lists_key(&lists, STR(""));
    lists_add(&lists, str_of(item), &(float){ 1 });
    cr_assert(lists_end(&lists, &section, &err), "%s", err.text);
    artifact_begin(&o, "recommender");
    artifact_add(&o, "popular", buf_str(&section));
    cr_assert(artifact_end(&o, &file, digest, &err), "%s", err.text);
    struct str bytes = arena_str(arena, buf_str(&file));
    buf_release(&section);
    buf_release(&file);
    return bytes;
}

static struct str entry(struct arena *arena, const char *model, const char *digest)
{
    return arena_printf(arena,
                        "{\"model\":\"%s\",\"alias\":\"champion\",\"kind\":\"recommender\",\"version\":7,\"digest\":\"%"
                        "s\",\"made_us\":5}",
                        model, digest);
}

static struct store *start(const char *dir)
{
    struct err err;
    struct store_options o = { .url = nowhere, .data_dir = dir };
    serving_init(1);
    struct store *s = store_start(&o, &err);
    cr_assert_not_null(s, "%s", err.text);
    return s;
}

Test(store, begins_with_what_the_cache_has_when_there_is_no_database)
{
    struct arena arena;
    struct err err;
    char one[ARTIFACT_DIGEST], two[ARTIFACT_DIGEST];
    struct store_stats stats;
    arena_init(&arena, 1 << 16);
    char *dir = make_dir(&arena);
    struct str first = make_artifact(&arena, "lamp", one), second = make_artifact(&arena, "chair", two);
    put(&arena, dir, one, first);
    put(&arena, dir, two, (struct str){ second.p, second.n - 40 });
    put(&arena, dir, "half.tmp", STR("of a killed daemon"));
    put(&arena, dir, "index.json",
        arena_printf(&arena, "{\"entries\":[" STR_FMT "," STR_FMT "],\"erased\":[[\"%016llx\",9]]}",
                     STR_ARG(entry(&arena, "damaged", two)), STR_ARG(entry(&arena, "whole", one)),
                     (unsigned long long)hash64(STR("ann"))));
    struct store *s = start(dir);
    const struct serving *now = serving_get();
    const struct serving_entry *e = serving_find(now, SERVING_RECOMMENDER, STR("whole"), STR("champion"), &err);
    cr_assert_not_null(e, "%s", err.text);
    cr_assert(eq(i64, e->version, 7));
    struct recommend_request q = { .of = RECOMMEND_TOP, .id = STR(""), .n = 1 };
    struct recommend_answer a;
    recommend(e->served->view, &q, &arena, &a);
    cr_assert(str_eq_c(a.items[0].item, "lamp"));
    cr_assert(serving_forgets(now, e, STR("ann")));
    cr_assert_not(serving_forgets(now, e, STR("bob")));
    cr_assert_null(serving_find(now, SERVING_RECOMMENDER, STR("damaged"), STR("champion"), &err));
    cr_assert_not_null(strstr(err.text, "known are: whole@champion"));
    cr_assert(eq(int, access(arena_printf(&arena, "%s/models/half.tmp", dir).p, F_OK), -1));
    store_stats(s, &stats);
    cr_assert_not(stats.database_up);
    cr_assert(eq(u64, stats.aliases, 1));
    store_stop(s);
    cr_assert_null(serving_get());
    arena_release(&arena);
}

Test(store, begins_with_nothing_when_the_index_is_damaged)
{
    static const char *const bad[] = {
        "",  "{", "{\"entries\":[]}", "{\"entries\":[{}],\"erased\":[]}", "{\"entries\":[],\"erased\":[[\"zz\",1]]}",
        "[]"
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct arena arena;
        struct err err;
        arena_init(&arena, 1 << 16);
        char *dir = make_dir(&arena);
        put(&arena, dir, "index.json", str_of(bad[i]));
        struct store *s = start(dir);
        cr_assert_null(serving_find(serving_get(), SERVING_RECOMMENDER, STR(""), STR("champion"), &err), "%s", bad[i]);
        cr_assert(eq(int, (int)err.kind, (int)ERR_NOT_FOUND));
        cr_assert(eq(str, err.text, "no recommender has the alias \"champion\"; known are: none"));
        store_stop(s);
        arena_release(&arena);
    }
}
