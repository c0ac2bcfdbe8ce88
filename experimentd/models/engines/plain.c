/* All that a ranker is, as JSON: for engines of one's own. */
#include <math.h>

#include "experimentd/models/engines/engine.h"

static void put_features(const struct engine_ask *a, struct buf *out)
{
    buf_add_c(out, "\"features\":[");
    for (uint32_t f = 0; f < a->r->features; f++) {
        buf_add_c(out, f ? ",{\"name\":" : "{\"name\":");
        buf_add_json_str(out, a->r->names[f]);
        if (!isnan(a->r->defaults[f])) {
            buf_add_c(out, ",\"default\":");
            engine_float(out, a->r->defaults[f]);
        }
        if (a->r->type == RANKER_LINEAR) {
            buf_add_c(out, ",\"weight\":");
            engine_float(out, a->r->weights[f]);
            buf_add_c(out, ",\"mean\":");
            engine_float(out, a->r->centers[f]);
            buf_add_c(out, ",\"scale\":");
            engine_float(out, a->r->scales[f]);
        }
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

static void put_head(const struct engine_ask *a, struct buf *out)
{
    buf_addf(out, "{\"model\":\"%s\",\"version\":%d,\"type\":\"%s\",", a->model, a->version,
             ranker_type_names[a->r->type]);
    put_features(a, out);
}

/* {"leaf"} or {"feature", "threshold", "left", "right", "missing"}: left when value < threshold, numbers of nodes in the list. */
static void put_node(const struct ranker_tree_node *n, struct buf *out)
{
    if (!n->left) {
        buf_add_c(out, "{\"leaf\":");
        engine_float(out, n->leaf);
    } else {
        buf_addf(out, "{\"feature\":%u,\"threshold\":", n->feature);
        engine_float(out, n->threshold);
        buf_addf(out, ",\"left\":%u,\"right\":%u,\"missing\":\"%s\",\"gain\":", n->left, n->right,
                 n->missing_left ? "left" : "right");
        engine_float(out, n->gain);
    }
    buf_add_c(out, ",\"cover\":");
    engine_float(out, n->cover);
    buf_add_byte(out, '}');
}

bool plain_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    (void)err;
    put_head(a, out);
    buf_add_c(out, ",\"trees\":[");
    for (uint32_t t = 0; t < a->r->trees; t++) {
        struct ranker_tree_node *nodes = engine_tree(a->r, t);
        buf_add_c(out, t ? ",\n[" : "\n[");
        for (uint32_t i = 0; i < ranker_tree_size(a->r, t); i++) {
            if (i)
                buf_add_byte(out, ',');
            put_node(&nodes[i], out);
        }
        buf_add_byte(out, ']');
        mem_free(nodes);
    }
    buf_add_c(out, "]}\n");
    return true;
}

bool plain_linear(const struct engine_ask *a, struct buf *out, struct err *err)
{
    (void)err;
    put_head(a, out);
    buf_add_c(out, "}\n");
    return true;
}
