/* Scoring: documents in blocks, trees outside, several documents side by side within a tree.
 *
 * A walk is a chain of loads that wait for each other; LANES walks together keep the processor busy without a branch that could be guessed wrong.
 * A block's rows and a tree's steps (8 bytes a node) fit the first cache. Each document's sum runs over the trees in their order whatever
 * the block, so the same bits come out for any number of documents. */
#include <assert.h>
#include <math.h>

#include "base/hash.h"
#include "model/ranker_parts.h"

enum { BLOCK = 64, LANES = 8, ROW_FLOATS_MAX = 2 * RANKER_FEATURES_MAX };
static_assert(ROW_FLOATS_MAX <= UINT16_MAX + 1, "a column fits its field");
static_assert(RANKER_TREE_NODES_MAX <= UINT16_MAX, "a node's number fits its field");

/* ---- laying out ---- */

struct laying {
    struct ranker *r;
    struct ranker_tree_node *nodes; /* of the tree at hand */
};

/* Children come behind their parent: backwards, both are known. */
static void mean_of(const struct ranker_tree_node *nodes, uint32_t i, double *means, double *covers)
{
    const struct ranker_tree_node *n = &nodes[i];
    if (!n->left) {
        means[i] = (double)n->leaf;
        covers[i] = (double)n->cover;
        return;
    }
    double left = covers[n->left], right = covers[n->right];
    covers[i] = left + right;
    if (!(covers[i] > 0))
        left = right = 1;
    means[i] = (left * means[n->left] + right * means[n->right]) / (left + right);
}

static void lay_out_tree(struct laying *l, uint32_t tree, double *covers)
{
    struct ranker *r = l->r;
    uint32_t first = r->first[tree], count = ranker_tree_size(r, tree);
    ranker_tree_nodes(r, tree, l->nodes);
    for (uint32_t i = 0; i < count; i++) {
        const struct ranker_tree_node *n = &l->nodes[i];
        r->leaves[first + i] = n->leaf;
        r->steps[first + i] = n->left
                                  ? (struct ranker_step){ n->threshold,
                                                          (uint16_t)(n->feature + (n->missing_left ? r->features : 0)),
                                                          (uint16_t)n->left }
                                  : (struct ranker_step){ NAN, 0, (uint16_t)i };
    }
    for (uint32_t i = count; i-- > 0;)
        mean_of(l->nodes, i, r->means + first, covers);
}

void ranker_lay_out(struct ranker *r, struct arena *arena)
{
    uint32_t most = 0;
    for (uint32_t t = 0; t < r->trees; t++)
        most = ranker_tree_size(r, t) > most ? ranker_tree_size(r, t) : most;
    AUTO(mem_free) char *nodes = mem_alloc(most * sizeof(struct ranker_tree_node));
    AUTO(mem_free) char *covers = mem_alloc(most * sizeof(double));
    struct laying l = { r, (struct ranker_tree_node *)(void *)nodes };
    r->steps = arena_alloc(arena, r->nodes * sizeof *r->steps);
    r->leaves = arena_alloc(arena, r->nodes * sizeof *r->leaves);
    r->means = arena_alloc(arena, r->nodes * sizeof *r->means);
    for (uint32_t t = 0; t < r->trees; t++)
        lay_out_tree(&l, t, (double *)(void *)covers);
}

/* ---- scoring ---- */

static inline float value_of(const struct ranker *r, const float *values, uint32_t f)
{
    return isnan(values[f]) ? r->defaults[f] : values[f];
}

/* A row of 2 × features: what is missing goes right in the first half, left in the second. */
static void expand(const struct ranker *r, const float *values, float *row)
{
    for (uint32_t f = 0; f < r->features; f++) {
        float v = r->has_defaults ? value_of(r, values, f) : values[f];
        row[f] = isnan(v) ? INFINITY : v;
        row[r->features + f] = isnan(v) ? -INFINITY : v;
    }
}

static inline uint32_t step(const struct ranker_step *steps, const float *row, uint32_t at)
{
    struct ranker_step s = steps[at];
    return s.left + (uint32_t)(row[s.column] >= s.threshold);
}

static void walk_lanes(const struct ranker_step *steps, const float *leaves, uint32_t depth, const float *rows,
                       size_t stride, float *scores)
{
    uint32_t at[LANES] = { 0 };
    for (uint32_t d = 0; d < depth; d++)
        for (size_t i = 0; i < LANES; i++)
            at[i] = step(steps, rows + i * stride, at[i]);
    for (size_t i = 0; i < LANES; i++)
        scores[i] += leaves[at[i]];
}

static void walk_one(const struct ranker_step *steps, const float *leaves, uint32_t depth, const float *row,
                     float *score)
{
    uint32_t at = 0;
    for (uint32_t d = 0; d < depth; d++)
        at = step(steps, row, at);
    *score += leaves[at];
}

static void score_block(const struct ranker *r, const float *rows, size_t docs, float *scores)
{
    size_t stride = 2 * (size_t)r->features;
    for (uint32_t t = 0; t < r->trees; t++) {
        const struct ranker_step *steps = r->steps + r->first[t];
        const float *leaves = r->leaves + r->first[t];
        size_t i = 0;
        for (; i + LANES <= docs; i += LANES)
            walk_lanes(steps, leaves, r->depth[t], rows + i * stride, stride, scores + i);
        for (; i < docs; i++)
            walk_one(steps, leaves, r->depth[t], rows + i * stride, scores + i);
    }
}

static void score_trees(const struct ranker *r, const float *values, size_t docs, float *out)
{
    AUTO(mem_free) char *memory = mem_alloc(BLOCK * 2 * (size_t)r->features * sizeof(float));
    float *rows = (float *)(void *)memory;
    for (size_t begin = 0; begin < docs; begin += BLOCK) {
        size_t n = docs - begin < BLOCK ? docs - begin : BLOCK;
        for (size_t i = 0; i < n; i++) {
            expand(r, values + (begin + i) * r->features, rows + i * 2 * r->features);
            out[begin + i] = 0;
        }
        score_block(r, rows, n, out + begin);
    }
}

static inline float term(const struct ranker *r, const float *values, uint32_t f)
{
    float v = value_of(r, values, f);
    return r->weights[f] * (((isnan(v) ? r->centers[f] : v) - r->centers[f]) / r->scales[f]);
}

void ranker_score(const struct ranker *r, const float *values, size_t docs, float *out_scores)
{
    if (r->type == RANKER_TREES) {
        score_trees(r, values, docs, out_scores);
        return;
    }
    for (size_t i = 0; i < docs; i++) {
        float sum = 0;
        for (uint32_t f = 0; f < r->features; f++)
            sum += term(r, values + i * r->features, f);
        out_scores[i] = sum;
    }
}

/* ---- explaining ---- */

static void explain_tree(const struct ranker *r, uint32_t tree, const float *row, double *out)
{
    const struct ranker_step *steps = r->steps + r->first[tree];
    const double *means = r->means + r->first[tree];
    for (uint32_t at = 0; !isnan(steps[at].threshold);) {
        uint32_t next = step(steps, row, at), column = steps[at].column;
        out[column < r->features ? column : column - r->features] += means[next] - means[at];
        at = next;
    }
}

void ranker_explain(const struct ranker *r, const float *values, double *out, double *out_base)
{
    float row[ROW_FLOATS_MAX];
    *out_base = 0;
    for (uint32_t f = 0; f < r->features; f++)
        out[f] = r->type == RANKER_LINEAR ? (double)term(r, values, f) : 0;
    if (r->type == RANKER_LINEAR)
        return;
    expand(r, values, row);
    for (uint32_t t = 0; t < r->trees; t++) {
        *out_base += r->means[r->first[t]];
        explain_tree(r, t, row, out);
    }
}

void ranker_importance(const struct ranker *r, double *out_gain, uint32_t *out_splits)
{
    for (uint32_t f = 0; f < r->features; f++) {
        out_gain[f] = 0;
        out_splits[f] = 0;
    }
    AUTO(mem_free) char *memory = mem_alloc(RANKER_TREE_NODES_MAX * sizeof(struct ranker_tree_node));
    struct ranker_tree_node *nodes = (struct ranker_tree_node *)(void *)memory;
    for (uint32_t t = 0; t < r->trees; t++) {
        ranker_tree_nodes(r, t, nodes);
        for (uint32_t i = 0; i < ranker_tree_size(r, t); i++)
            if (nodes[i].left) {
                out_gain[nodes[i].feature] += (double)nodes[i].gain;
                out_splits[nodes[i].feature]++;
            }
    }
}

/* ---- values of signals ---- */

static uint32_t find_entry(const struct lists *l, const uint32_t *slots, uint32_t slots_count, struct str doc)
{
    if (!slots_count)
        return UINT32_MAX;
    for (uint32_t at = (uint32_t)hash64(doc) & (slots_count - 1); slots[at]; at = (at + 1) & (slots_count - 1))
        if (str_eq(lists_entry(l, slots[at] - 1), doc))
            return slots[at] - 1;
    return UINT32_MAX;
}

void ranker_signals_open(const struct ranker *r, struct str query, struct arena *arena, struct ranker_signals *out)
{
    *out = (struct ranker_signals){ .r = r };
    if (!r->has_signals || !query.n || !lists_find(&r->signals, query, &out->row))
        return;
    for (out->slots_count = 4; out->slots_count < 2 * out->row.count;)
        out->slots_count *= 2;
    out->slots = arena_zalloc(arena, (size_t)out->slots_count * sizeof *out->slots);
    for (uint32_t i = out->row.first; i < out->row.first + out->row.count; i++) {
        uint32_t at = (uint32_t)hash64(lists_entry(&r->signals, i)) & (out->slots_count - 1);
        while (out->slots[at])
            at = (at + 1) & (out->slots_count - 1);
        out->slots[at] = i + 1;
    }
}

void ranker_signals_fill(const struct ranker_signals *s, struct str doc, float *values)
{
    const struct ranker *r = s->r;
    if (!r->has_signals)
        return;
    uint32_t entry = find_entry(&r->signals, s->slots, s->slots_count, doc);
    if (entry == UINT32_MAX)
        entry = find_entry(&r->signals, r->docs, r->docs_slots, doc);
    if (entry == UINT32_MAX)
        return;
    for (uint32_t c = 0; c < r->signals.columns; c++)
        if (isnan(values[r->signal_features[c]]))
            values[r->signal_features[c]] = lists_value(&r->signals, entry, c);
}
