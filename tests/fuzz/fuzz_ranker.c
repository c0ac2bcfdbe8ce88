/* The first byte says what follows: section "ranker", which when it is taken is walked, explained and written again, the same; or a model of
 * XGBoost or LightGBM. */
#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "model/ranker.h"
#include "model/ranker_lightgbm.h"
#include "model/ranker_xgboost.h"

enum { DOCS = 9 };

static void walk(const struct ranker *r, struct arena *arena)
{
    size_t n = (size_t)r->features * DOCS;
    float *values = arena_alloc(arena, n * sizeof *values), scores[DOCS];
    double *parts = arena_alloc(arena, r->features * sizeof *parts), base;
    for (size_t i = 0; i < n; i++)
        values[i] = i % 3 == 0 ? NAN : (float)i / 8 - 4;
    ranker_score(r, values, DOCS, scores);
    ranker_explain(r, values, parts, &base);
    for (uint32_t f = 0; f < r->features; f++)
        assert(ranker_feature(r, r->names[f]) == (int)f);
}

static void again(const struct ranker *r, struct arena *arena, struct str section)
{
    struct ranker_out o;
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 24);
    ranker_begin(&o, r->type, r->names, r->features);
    for (uint32_t t = 0; t < r->trees; t++) {
        uint32_t count = ranker_tree_size(r, t);
        struct ranker_tree_node *nodes = arena_alloc(arena, count * sizeof *nodes);
        ranker_tree_nodes(r, t, nodes);
        ranker_tree(&o, nodes, count);
    }
    if (r->type == RANKER_LINEAR)
        ranker_linear(&o, r->weights, r->centers, r->scales);
    bool fine = ranker_end(&o, &out, &err);
    assert(fine && out.n == section.n);
    buf_release(&out);
}

static void section(struct str bytes, struct arena *arena)
{
    struct ranker r;
    struct err err;
    if (!ranker_read(bytes, arena, &r, &err))
        return;
    walk(&r, arena);
    again(&r, arena, bytes);
}

static void foreign(struct str text, bool lightgbm, struct arena *arena)
{
    struct ranker_forest f;
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 24);
    bool taken = lightgbm ? ranker_lightgbm_read(text, arena, &f, &err)
                          : ranker_xgboost_read(text, NULL, 0, arena, &f, &err);
    if (taken && ranker_forest_write(&f, &out, &err))
        section(buf_str(&out), arena);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    arena_init(&arena, 1 << 12);
    struct str rest = { (const char *)data + 1, size - 1 };
    if (data[0] == 'x' || data[0] == 'l')
        foreign(rest, data[0] == 'l', &arena);
    else
        section(rest, &arena);
    arena_release(&arena);
    return 0;
}
