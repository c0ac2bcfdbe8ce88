/* How large a ranker is, what its features matter, and which formats hold it: what a page shows of a version. */
#include <math.h>
#include <stdlib.h>

#include "experimentd/models/engines/engine.h"

struct weight {
    uint32_t feature, splits;
    double gain;
};

static int by_gain(const void *va, const void *vb)
{
    const struct weight *a = va, *b = vb;
    if (a->gain > b->gain || a->gain < b->gain)
        return a->gain > b->gain ? -1 : 1;
    return (a->feature > b->feature) - (a->feature < b->feature);
}

/* Of trees: gain and splits; of a linear model the weight of one standard deviation. The most important first. */
static void put_importance(const struct ranker *r, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 4096);
    double *gain = arena_alloc(&arena, r->features * sizeof *gain);
    uint32_t *splits = arena_alloc(&arena, r->features * sizeof *splits);
    struct weight *all = arena_alloc(&arena, r->features * sizeof *all);
    ranker_importance(r, gain, splits);
    for (uint32_t f = 0; f < r->features; f++)
        all[f] = (struct weight){ f, splits[f], r->type == RANKER_TREES ? gain[f] : fabs((double)r->weights[f]) };
    qsort(all, r->features, sizeof *all, by_gain);
    for (uint32_t i = 0; i < r->features; i++) {
        buf_add_c(out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json_str(out, r->names[all[i].feature]);
        if (r->type == RANKER_TREES)
            buf_addf(out, ",\"splits\":%u,\"gain\":", all[i].splits);
        else
            buf_add_c(out, ",\"weight\":");
        buf_add_json_double(out, r->type == RANKER_TREES ? all[i].gain : (double)r->weights[all[i].feature]);
        buf_add_byte(out, '}');
    }
    arena_release(&arena);
}

static void put_formats(const struct ranker *r, struct buf *out)
{
    bool comma = false;
    for (size_t i = 0; i < engine_formats_count; i++) {
        const struct engine_format *f = &engine_formats[i];
        if (!(r->type == RANKER_TREES ? f->trees : f->linear))
            continue;
        if (comma)
            buf_add_byte(out, ',');
        comma = true;
        buf_addf(out, "{\"name\":\"%s\",\"what\":", f->name);
        buf_add_json_str(out, str_of(f->what));
        buf_add_byte(out, '}');
    }
}

bool summary_write(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    uint32_t depth = 0;
    (void)err;
    for (uint32_t t = 0; t < r->trees; t++)
        depth = r->depth[t] > depth ? r->depth[t] : depth;
    buf_addf(out,
             "{\"model\":\"%s\",\"version\":%d,\"type\":\"%s\",\"features\":%u,\"signal_features\":%u,\"trees\":%u,"
             "\"nodes\":%u,\"depth\":%u,",
             a->model, a->version, ranker_type_names[r->type], r->features, r->has_signals ? r->signals.columns : 0,
             r->trees, r->nodes, depth);
    buf_add_c(out, "\"importance\":[");
    put_importance(r, out);
    buf_add_c(out, "],\"measured\":");
    buf_add_str(out, r->importance_json.p ? r->importance_json : STR("null"));
    buf_add_c(out, ",\"formats\":[");
    put_formats(r, out);
    buf_add_c(out, "]}\n");
    return true;
}
