/* XGBoost: what save_model writes (read by load_model, 1.7 to 3.x, and by the parser for raw models of the LTR plugins), and trees as dump_model writes
 * them (read by the plugins and by Vespa). The comparison and missing values are XGBoost's own. base_score is 0: a ranker has no constant. */
#include "experimentd/models/engines/engine.h"

/* ---- dump_model ---- */

struct dump {
    const struct ranker *r;
    const struct ranker_tree_node *nodes;
    const struct dump_style *style;
    struct buf *out;
};

static void dump_number(const struct dump *d, float v)
{
    if (d->style->doubles)
        engine_double(d->out, (double)v);
    else
        engine_float(d->out, v);
}

static void dump_node(const struct dump *d, uint32_t i, int depth)
{
    const struct ranker_tree_node *n = &d->nodes[i];
    buf_addf(d->out, "{\"nodeid\":%u", i);
    if (!n->left) {
        buf_add_c(d->out, ",\"leaf\":");
        dump_number(d, n->leaf);
        buf_add_byte(d->out, '}');
        return;
    }
    buf_addf(d->out, ",\"depth\":%d,\"split\":", depth);
    buf_add_json_str(d->out, d->style->names[n->feature]);
    buf_add_c(d->out, ",\"split_condition\":");
    dump_number(d, n->threshold);
    buf_addf(d->out, ",\"yes\":%u,\"no\":%u,\"missing\":%u,\"children\":[", n->left, n->right,
             engine_missing_left(d->r, n) ? n->left : n->right);
    dump_node(d, n->left, depth + 1);
    buf_add_byte(d->out, ',');
    dump_node(d, n->right, depth + 1);
    buf_add_c(d->out, "]}");
}

void xgboost_dump_tree(const struct ranker *r, uint32_t tree, const struct dump_style *style, struct buf *out)
{
    struct ranker_tree_node *nodes = engine_tree(r, tree);
    const struct dump d = { r, nodes, style, out };
    dump_node(&d, 0, 0);
    mem_free(nodes);
}

/* ---- save_model ---- */

enum column { WEIGHTS, DEFAULT_LEFT, LEFT, RIGHT, PARENTS, CONDITIONS, INDICES, TYPES, GAINS, COVERS, COLUMN_COUNT };
static const char *const columns[] = { "base_weights", "default_left",     "left_children", "right_children",
                                       "parents",      "split_conditions", "split_indices", "split_type",
                                       "loss_changes", "sum_hessian" };

/* A whole number without a point is an integer to XGBoost's reader, and no float. */
static void put_real(struct buf *out, float v)
{
    size_t at = out->n;
    engine_float(out, v);
    for (size_t i = at; i < out->n; i++)
        if (out->p[i] == '.' || out->p[i] == 'e')
            return;
    buf_add_c(out, ".0");
}

static void put_cell(const struct ranker *r, const struct ranker_tree_node *n, enum column c, uint32_t parent,
                     struct buf *out)
{
    bool inner = n->left != 0;
    switch (c) {
    case WEIGHTS:
        put_real(out, n->leaf);
        return;
    case DEFAULT_LEFT:
        buf_add_byte(out, inner && engine_missing_left(r, n) ? '1' : '0');
        return;
    case LEFT:
    case RIGHT:
        buf_addf(out, "%d", !inner ? -1 : c == LEFT ? (int)n->left : (int)n->right);
        return;
    case PARENTS:
        buf_addf(out, "%u", parent);
        return;
    case CONDITIONS:
        put_real(out, inner ? n->threshold : n->leaf);
        return;
    case INDICES:
        buf_addf(out, "%u", inner ? n->feature : 0);
        return;
    case GAINS:
    case COVERS:
        put_real(out, c == GAINS ? n->gain : n->cover);
        return;
    case TYPES:
    case COLUMN_COUNT:
    default:
        buf_add_byte(out, '0');
    }
}

static void put_tree(const struct ranker *r, uint32_t tree, struct buf *out)
{
    enum { NO_PARENT = 2147483647 };
    uint32_t count = ranker_tree_size(r, tree);
    struct ranker_tree_node *nodes = engine_tree(r, tree);
    AUTO(mem_free) char *memory = mem_alloc(count * sizeof(uint32_t));
    uint32_t *parents = (uint32_t *)(void *)memory;
    parents[0] = NO_PARENT;
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i].left)
            parents[nodes[i].left] = parents[nodes[i].right] = i;
    buf_addf(out,
             "{\"id\":%u,\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[]",
             tree);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        buf_addf(out, ",\"%s\":[", columns[c]);
        for (uint32_t i = 0; i < count; i++) {
            if (i)
                buf_add_byte(out, ',');
            put_cell(r, &nodes[i], (enum column)c, parents[i], out);
        }
        buf_add_byte(out, ']');
    }
    buf_addf(out,
             ",\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"%u\",\"num_nodes\":\"%u\",\"size_leaf_vector\":"
             "\"0\"}}",
             r->features, count);
    mem_free(nodes);
}

/* feature_types as long as feature_names: the plugins' parser refuses an empty list. */
static void put_names(const struct ranker *r, struct buf *out)
{
    buf_add_c(out, "\"feature_names\":[");
    for (uint32_t f = 0; f < r->features; f++) {
        if (f)
            buf_add_byte(out, ',');
        buf_add_json_str(out, r->names[f]);
    }
    buf_add_c(out, "],\"feature_types\":[");
    for (uint32_t f = 0; f < r->features; f++)
        buf_add_c(out, f ? ",\"float\"" : "\"float\"");
    buf_add_c(out, "]");
}

bool xgboost_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    (void)err;
    buf_add_c(out, "{\"version\":[1,7,4],\"learner\":{\"attributes\":{},");
    put_names(r, out);
    buf_addf(
        out,
        ",\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
        "\"num_trees\":\"%u\",\"size_leaf_vector\":\"0\"},\"tree_info\":[",
        r->trees);
    for (uint32_t t = 0; t < r->trees; t++)
        buf_add_c(out, t ? ",0" : "0");
    buf_add_c(out, "],\"trees\":[");
    for (uint32_t t = 0; t < r->trees; t++) {
        if (t)
            buf_add_byte(out, ',');
        put_tree(r, t, out);
    }
    buf_addf(out,
             "]}},\"learner_model_param\":{\"base_score\":\"0E0\",\"num_class\":\"0\",\"num_feature\":\"%u\",\"num_"
             "target\":\"1\"},"
             "\"objective\":{\"name\":\"rank:pairwise\",\"lambda_rank_param\":{\"num_pairsample\":\"1\",\"fix_list_"
             "weight\":\"0\"},"
             "\"lambdarank_param\":{}}}}\n",
             r->features);
    return true;
}
