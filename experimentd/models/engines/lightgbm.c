/* LightGBM's text: inner nodes and leaves are numbered apart, a child below 0 is leaf −child − 1. A value goes left when it is at most the threshold;
 * decision type 8 is "missing is NaN", 2 more when it goes left. */
#include <math.h>

#include "experimentd/models/engines/engine.h"

enum { NAN_IS_MISSING = 8, DEFAULT_LEFT = 2 };

enum line { SPLIT_FEATURE, SPLIT_GAIN, THRESHOLD, DECISION, LEFT, RIGHT, INTERNAL_WEIGHT, LINE_COUNT };
static const char *const lines[] = { "split_feature", "split_gain",  "threshold",      "decision_type",
                                     "left_child",    "right_child", "internal_weight" };

struct tree {
    const struct ranker *r;
    const struct ranker_tree_node *nodes;
    const uint32_t *numbers; /* among inner nodes, or among leaves */
    uint32_t count;
};

static int child(const struct tree *t, uint32_t node)
{
    int number = (int)t->numbers[node];
    return t->nodes[node].left ? number : -number - 1;
}

static void put_cell(const struct tree *t, const struct ranker_tree_node *n, enum line line, struct buf *out)
{
    switch (line) {
    case SPLIT_FEATURE:
        buf_addf(out, "%u", n->feature);
        return;
    case SPLIT_GAIN:
        engine_float(out, n->gain);
        return;
    case THRESHOLD:
        engine_double(out, (double)nextafterf(n->threshold, -INFINITY));
        return;
    case DECISION:
        buf_addf(out, "%d", NAN_IS_MISSING + (engine_missing_left(t->r, n) ? DEFAULT_LEFT : 0));
        return;
    case LEFT:
    case RIGHT:
        buf_addf(out, "%d", child(t, line == LEFT ? n->left : n->right));
        return;
    case INTERNAL_WEIGHT:
    case LINE_COUNT:
    default:
        engine_float(out, n->cover);
    }
}

static void put_inner(const struct tree *t, enum line line, struct buf *out)
{
    bool space = false;
    buf_addf(out, "%s=", lines[line]);
    for (uint32_t i = 0; i < t->count; i++) {
        if (!t->nodes[i].left)
            continue;
        if (space)
            buf_add_byte(out, ' ');
        space = true;
        put_cell(t, &t->nodes[i], line, out);
    }
    buf_add_byte(out, '\n');
}

static void put_leaves(const struct tree *t, const char *name, bool weights, struct buf *out)
{
    bool space = false;
    buf_addf(out, "%s=", name);
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->nodes[i].left)
            continue;
        if (space)
            buf_add_byte(out, ' ');
        space = true;
        if (weights)
            engine_float(out, t->nodes[i].cover);
        else
            engine_double(out, (double)t->nodes[i].leaf);
    }
    buf_add_byte(out, '\n');
}

static void put_tree(const struct ranker *r, uint32_t number, struct buf *out)
{
    struct ranker_tree_node *nodes = engine_tree(r, number);
    uint32_t count = ranker_tree_size(r, number), inner = 0, leaves = 0;
    AUTO(mem_free) char *memory = mem_alloc(count * sizeof(uint32_t));
    uint32_t *numbers = (uint32_t *)(void *)memory;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = nodes[i].left ? inner++ : leaves++;
    const struct tree t = { r, nodes, numbers, count };
    buf_addf(out, "Tree=%u\nnum_leaves=%u\nnum_cat=0\n", number, leaves);
    for (int line = 0; line < LINE_COUNT && inner; line++)
        put_inner(&t, (enum line)line, out);
    put_leaves(&t, "leaf_value", false, out);
    if (inner)
        put_leaves(&t, "leaf_weight", true, out);
    buf_add_c(out, "is_linear=0\nshrinkage=1\n\n\n");
    mem_free(nodes);
}

/* Its names are divided by spaces, and hold nothing that JSON escapes. */
static bool names_fit(const struct ranker *r)
{
    for (uint32_t f = 0; f < r->features; f++)
        for (size_t i = 0; i < r->names[f].n; i++)
            if (strchr(" \t,:\"[]{}", r->names[f].p[i]))
                return false;
    return true;
}

bool lightgbm_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    bool own = names_fit(r);
    (void)err;
    buf_addf(out,
             "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=%u\nobjective="
             "lambdarank\nfeature_names=",
             r->features - 1);
    for (uint32_t f = 0; f < r->features; f++) {
        buf_add_c(out, f ? " " : "");
        if (own)
            buf_add_str(out, r->names[f]);
        else
            buf_addf(out, "Column_%u", f);
    }
    buf_add_c(out, "\nfeature_infos=");
    for (uint32_t f = 0; f < r->features; f++)
        buf_add_c(out, f ? " [-1e+308:1e+308]" : "[-1e+308:1e+308]");
    buf_add_c(out, "\n\n");
    for (uint32_t t = 0; t < r->trees; t++)
        put_tree(r, t, out);
    buf_add_c(out, "end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n\npandas_categorical:[]\n");
    if (!own)
        engine_note(a, "names of features hold characters that LightGBM does not take: they are Column_0, Column_1, …");
    return true;
}
