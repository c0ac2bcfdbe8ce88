/* Bodies of /v1/rank, asked of a ranker of three features. What is taken is JSON for jansson too, keeps to its bounds, and is scored. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "experimentd/serving/rank_ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct serving_entry *shop(void)
{
    static const struct str names[] = { { "a", 1 }, { "b", 1 }, { "long name", 9 } };
    static struct serving_entry entry;
    static struct served served;
    static struct ranker r;
    static struct arena arena;
    struct ranker_out o;
    struct buf section;
    struct err err;
    if (entry.served)
        return &entry;
    arena_init(&arena, 4096);
    buf_init(&section, 1 << 12);
    ranker_begin(&o, RANKER_TREES, names, 3);
    ranker_tree(&o,
                (struct ranker_tree_node[]){
                    { .feature = 2, .threshold = 1, .left = 1, .right = 2 }, { .leaf = 1 }, { .leaf = 2 } },
                3);
    if (!ranker_end(&o, &section, &err) || !ranker_read(arena_str(&arena, buf_str(&section)), &arena, &r, &err))
        abort();
    buf_release(&section);
    served.view = &r;
    entry = (struct serving_entry){ .model = STR("m"), .alias = STR("a"), .version = 1, .served = &served };
    return &entry;
}

static const struct ranker *find(void *arg, struct str model, struct str alias)
{
    (void)arg;
    (void)alias;
    return model.n == 1 ? shop()->served->view : NULL;
}

static void taken(const struct rank_ask *ask, struct str body, struct arena *arena)
{
    const struct serving_entry *e = shop();
    struct rank_docs docs;
    struct buf out;
    struct err err = { 0 };
    if (ask->n < 1 || ask->n > RANK_DOCS_MAX || !ask->alias.n)
        abort();
    buf_init(&out, 1 << 22);
    if (rank_answer_write(ask, e, arena, &out, &err)) {
        json_t *root = json_loadb(body.p, body.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL),
               *answer = json_loadb(out.p, out.n, 0, NULL);
        if (!root || !answer || !rank_docs_read(ask, e->served->view, arena, &docs, &err) || docs.count > RANK_DOCS_MAX)
            abort();
        for (size_t i = 0; i < (size_t)docs.count * 3; i++)
            if (isinf(docs.values[i]))
                abort();
        json_decref(root);
        json_decref(answer);
    } else if (err.kind == ERR_NONE || !err.text[0]) {
        abort();
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rank_ask ask;
    struct arena arena;
    struct err err = { 0 };
    struct str body = { (const char *)data, n };
    arena_init(&arena, 4096);
    if (rank_ask_read(body, INT64_MAX / 2, find, NULL, &arena, &ask, &err))
        taken(&ask, body, &arena);
    else if (err.kind == ERR_NONE || !err.text[0])
        abort();
    arena_release(&arena);
    return 0;
}
