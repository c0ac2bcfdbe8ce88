/* Section "ranker": writing, and reading what is checked once. */
#include "model/ranker.h"

#include <assert.h>
#include <math.h>

#include "base/hash.h"
#include "base/json.h"
#include "model/ranker_parts.h"

enum { HEADER_BYTES = 64, NAMES_MAX = RANKER_FEATURES_MAX * (RANKER_NAME_MAX + 1) };

const char *const ranker_type_names[] = { "trees", "linear" };
static_assert(COUNT_OF(ranker_type_names) == RANKER_TYPE_COUNT, "one name each");
static const char magic[8] = { 'X', 'P', 'R', 'A', 'N', 'K', '0', '1' };

struct header {
    char magic[8];
    uint32_t type, features, trees, nodes, names_bytes;
    char rest[36];
};
static_assert(sizeof(struct header) == HEADER_BYTES, "the header is part of the format");

struct stored_node {
    uint32_t feature, flags;
    float threshold, leaf, gain, cover;
};
static_assert(sizeof(struct stored_node) == RANKER_NODE_BYTES, "the node is part of the format");

static size_t padded(size_t n)
{
    return (n + 3) / 4 * 4;
}

/* ---- writing ---- */

void ranker_begin(struct ranker_out *o, enum ranker_type type, const struct str *names, uint32_t features)
{
    *o = (struct ranker_out){ .type = type, .names = names, .features = features };
    buf_init(&o->ends, RANKER_TREES_MAX * sizeof(uint32_t));
    buf_init(&o->body, (size_t)RANKER_NODES_MAX * sizeof(struct stored_node));
}

void ranker_release(struct ranker_out *o)
{
    buf_release(&o->ends);
    buf_release(&o->body);
}

static bool store_node(struct ranker_out *o, const struct ranker_tree_node *n, struct err *err)
{
    bool inner = n->left != 0;
    struct stored_node s = { .leaf = inner ? 0 : n->leaf, .cover = n->cover };
    if (inner && n->feature >= o->features)
        return err_set(err, ERR_INVALID, "a node asks for feature %u of %u", n->feature, o->features);
    if (!isfinite(s.leaf) || !isfinite(n->cover) || n->cover < 0 || (inner && !isfinite(n->threshold)) ||
        (inner && !isfinite(n->gain)))
        return err_set(err, ERR_INVALID, "a node's threshold, leaf, gain or cover is not a finite number");
    if (inner) {
        s.feature = n->feature;
        s.flags = RANKER_INNER | (n->missing_left ? RANKER_MISSING_LEFT : 0);
        s.threshold = n->threshold;
        s.gain = n->gain;
    }
    buf_add(&o->body, &s, sizeof s);
    return true;
}

/* Breadth first. `queue`: numbers of nodes and, behind them, their depths; `seen`: one byte a node. */
static bool store_tree(struct ranker_out *o, const struct ranker_tree_node *nodes, uint32_t count, uint32_t *queue,
                       char *seen, struct err *err)
{
    uint32_t *depth = queue + count, known = 1;
    seen[0] = 1;
    for (uint32_t i = 0; i < known; i++) {
        const struct ranker_tree_node *n = &nodes[queue[i]];
        if (!store_node(o, n, err))
            return err_prefix(err, "node %u: ", queue[i]);
        if (!n->left)
            continue;
        if (n->left >= count || n->right >= count || n->left == n->right || seen[n->left] || seen[n->right] ||
            !n->right)
            return err_set(err, ERR_INVALID, "node %u: its children %u and %u make no tree of %u nodes", queue[i],
                           n->left, n->right, count);
        if (depth[i] == RANKER_DEPTH_MAX)
            return err_set(err, ERR_TOO_LARGE, "it is deeper than %d", RANKER_DEPTH_MAX);
        for (int side = 0; side < 2; side++) {
            uint32_t child = side ? n->right : n->left;
            seen[child] = 1;
            depth[known] = depth[i] + 1;
            queue[known++] = child;
        }
    }
    o->nodes += known;
    buf_add(&o->ends, &o->nodes, sizeof o->nodes);
    return true;
}

void ranker_tree(struct ranker_out *o, const struct ranker_tree_node *nodes, uint32_t count)
{
    if (o->wrong.kind != ERR_NONE)
        return;
    if (o->type != RANKER_TREES || count == 0 || count > RANKER_TREE_NODES_MAX || o->trees == RANKER_TREES_MAX ||
        o->nodes + count > RANKER_NODES_MAX) {
        (void)err_set(&o->wrong, ERR_TOO_LARGE,
                      "ranker: tree %u has %u nodes; trees have up to %d, a ranker up to %d trees and %d nodes",
                      o->trees, count, RANKER_TREE_NODES_MAX, RANKER_TREES_MAX, RANKER_NODES_MAX);
        return;
    }
    AUTO(mem_free) char *queue = mem_zalloc(2 * (size_t)count * sizeof(uint32_t));
    AUTO(mem_free) char *seen = mem_zalloc(count);
    if (!store_tree(o, nodes, count, (uint32_t *)(void *)queue, seen, &o->wrong))
        (void)err_prefix(&o->wrong, "ranker: tree %u: ", o->trees);
    o->trees++;
}

void ranker_linear(struct ranker_out *o, const float *weights, const float *means, const float *scales)
{
    assert(o->type == RANKER_LINEAR);
    for (uint32_t f = 0; f < o->features && o->wrong.kind == ERR_NONE; f++) {
        float v[3] = { weights[f], means ? means[f] : 0, scales ? scales[f] : 1 };
        if (!isfinite(v[0]) || !isfinite(v[1]) || !isfinite(v[2]) || !(fabsf(v[2]) > 0))
            (void)err_set(&o->wrong, ERR_INVALID,
                          "ranker: weight, mean or scale of feature %u is not a finite number, or the scale is 0", f);
        buf_add(&o->body, v, sizeof v);
    }
}

static bool name_fine(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return name.n > 0 && name.n <= RANKER_NAME_MAX && str_is_utf8(name);
}

static bool write_names(const struct ranker_out *o, struct buf *names, struct err *err)
{
    for (uint32_t f = 0; f < o->features; f++) {
        if (!name_fine(o->names[f]))
            return err_set(err, ERR_INVALID,
                           "ranker: the name of feature %u is empty, longer than %d bytes, or no plain UTF-8", f,
                           RANKER_NAME_MAX);
        buf_add_str(names, o->names[f]);
        buf_add_byte(names, '\n');
    }
    return true;
}

static bool end(struct ranker_out *o, struct buf *names, struct buf *out, struct err *err)
{
    struct header h = { .type = (uint32_t)o->type, .features = o->features, .trees = o->trees, .nodes = o->nodes };
    struct arena arena;
    struct ranker check;
    if (o->wrong.kind != ERR_NONE) {
        *err = o->wrong;
        return false;
    }
    if (o->features == 0 || o->features > RANKER_FEATURES_MAX)
        return err_set(err, ERR_INVALID, "ranker: %u features; there are 1 to %d", o->features, RANKER_FEATURES_MAX);
    if (!write_names(o, names, err))
        return false;
    h.names_bytes = (uint32_t)names->n;
    memcpy(h.magic, magic, sizeof magic);
    size_t at = out->n;
    buf_add(out, &h, sizeof h);
    buf_add_str(out, buf_str(names));
    buf_add(out, "\0\0\0", padded(names->n) - names->n);
    buf_add_str(out, buf_str(&o->ends));
    buf_add_str(out, buf_str(&o->body));
    if (!buf_ok(&o->body, "ranker", err) || !buf_ok(out, "ranker", err))
        return false;
    arena_init(&arena, 4096); /* what is written can be read: names that stand twice, linear models without weights */
    bool fine = ranker_read((struct str){ out->p + at, out->n - at }, &arena, &check, err);
    arena_release(&arena);
    return fine;
}

bool ranker_end(struct ranker_out *o, struct buf *out, struct err *err)
{
    struct buf names;
    buf_init(&names, NAMES_MAX + 4);
    bool fine = end(o, &names, out, err);
    buf_release(&names);
    ranker_release(o);
    return fine;
}

bool ranker_forest_write(const struct ranker_forest *f, struct buf *out, struct err *err)
{
    struct ranker_out o;
    ranker_begin(&o, RANKER_TREES, f->names, f->features);
    for (uint32_t t = 0; t < f->trees_count; t++)
        ranker_tree(&o, f->trees[t].nodes, f->trees[t].count);
    return ranker_end(&o, out, err);
}

/* ---- reading ---- */

static bool damaged(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "ranker: damaged: %s", what);
}

static bool read_header(struct str s, struct header *h, struct err *err)
{
    if (s.n < HEADER_BYTES)
        return damaged(err, "shorter than its header");
    memcpy(h, s.p, sizeof *h);
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return damaged(err, "it does not begin with XPRANK01");
    if (h->type >= RANKER_TYPE_COUNT || h->features == 0 || h->features > RANKER_FEATURES_MAX ||
        h->trees > RANKER_TREES_MAX || h->nodes > RANKER_NODES_MAX || h->names_bytes > NAMES_MAX)
        return damaged(err, "a count is out of range");
    if (h->type == RANKER_TREES ? h->trees == 0 : h->trees || h->nodes)
        return damaged(err, h->type == RANKER_TREES ? "there is no tree" : "a linear model has trees");
    size_t body = h->type == RANKER_TREES ? (size_t)h->trees * 4 + (size_t)h->nodes * RANKER_NODE_BYTES
                                          : (size_t)h->features * 3 * sizeof(float);
    if (s.n != HEADER_BYTES + padded(h->names_bytes) + body)
        return damaged(err, "its size is not that of its counts");
    return true;
}

static uint32_t slot_of(const struct ranker *r, struct str name)
{
    uint32_t at = (uint32_t)hash64(name) & (r->slots_count - 1);
    while (r->slots[at] && !str_eq(r->names[r->slots[at] - 1], name))
        at = (at + 1) & (r->slots_count - 1);
    return at;
}

static uint32_t power_above(uint32_t n)
{
    uint32_t p = 4;
    while (p < 2 * n)
        p *= 2;
    return p;
}

static bool read_names(struct ranker *r, struct str rest, struct arena *arena, struct err *err)
{
    r->names = arena_alloc(arena, r->features * sizeof *r->names);
    r->slots_count = power_above(r->features);
    r->slots = arena_zalloc(arena, r->slots_count * sizeof *r->slots);
    for (uint32_t f = 0; f < r->features; f++) {
        const char *line = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (!line)
            return damaged(err, "a feature has no name");
        r->names[f] = (struct str){ rest.p, (size_t)(line - rest.p) };
        rest = (struct str){ line + 1, rest.n - r->names[f].n - 1 };
        if (!name_fine(r->names[f]))
            return damaged(err, "the name of a feature is empty, too long, or no plain UTF-8");
        uint32_t at = slot_of(r, r->names[f]);
        if (r->slots[at])
            return err_set(err, ERR_INVALID, "ranker: feature \"" STR_FMT "\" is there twice",
                           STR_ARG(str_cut(r->names[f], 100)));
        r->slots[at] = f + 1;
    }
    return rest.n == 0 || damaged(err, "there are more names than features");
}

int ranker_feature(const struct ranker *r, struct str name)
{
    return (int)r->slots[slot_of(r, name)] - 1;
}

static struct stored_node node_at(const struct ranker *r, uint32_t i)
{
    struct stored_node n;
    memcpy(&n, r->body + (size_t)i * RANKER_NODE_BYTES, sizeof n);
    return n;
}

/* The children of the k-th inner node are 2k + 1 and 2k + 2: a tree when each inner node comes before them and all nodes are somebody's. */
static bool check_tree(const struct ranker *r, uint32_t first, uint32_t count, uint32_t *depth, uint32_t *out_depth,
                       struct err *err)
{
    uint32_t inner = 0, deepest = 0;
    depth[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct stored_node n = node_at(r, first + i);
        if (i > 2 * inner)
            return damaged(err, "a node is nobody's child");
        if (!isfinite(n.threshold) || !isfinite(n.leaf) || !isfinite(n.gain) || !(n.cover >= 0) || !isfinite(n.cover))
            return damaged(err, "a number of a node is not finite");
        if (depth[i] > deepest)
            deepest = depth[i];
        if (!(n.flags & RANKER_INNER))
            continue;
        if (n.feature >= r->features || n.flags > (RANKER_INNER | RANKER_MISSING_LEFT))
            return damaged(err, "a node asks for a feature that is not there");
        if (2 * inner + 2 >= count || depth[i] == RANKER_DEPTH_MAX)
            return damaged(err, "a node has no children, or a tree is too deep");
        depth[2 * inner + 1] = depth[2 * inner + 2] = depth[i] + 1;
        inner++;
    }
    *out_depth = deepest;
    return count == 2 * inner + 1 || damaged(err, "a node is nobody's child");
}

static bool read_trees(struct ranker *r, struct arena *arena, struct err *err)
{
    AUTO(mem_free) char *depths = mem_alloc(RANKER_TREE_NODES_MAX * sizeof(uint32_t));
    uint32_t begin = 0;
    r->first = arena_alloc(arena, (r->trees + (size_t)1) * sizeof *r->first);
    r->depth = arena_alloc(arena, r->trees * sizeof *r->depth);
    for (uint32_t t = 0; t < r->trees; t++) {
        uint32_t stop;
        memcpy(&stop, r->ends + t * sizeof stop, sizeof stop);
        if (stop <= begin || stop > r->nodes || stop - begin > RANKER_TREE_NODES_MAX)
            return damaged(err, "the ends of trees do not ascend within the nodes");
        if (!check_tree(r, begin, stop - begin, (uint32_t *)(void *)depths, &r->depth[t], err))
            return err_prefix(err, "tree %u: ", t);
        r->first[t] = begin;
        begin = stop;
    }
    r->first[r->trees] = begin;
    return begin == r->nodes || damaged(err, "there are nodes behind the last tree");
}

static bool read_linear(struct ranker *r, struct arena *arena, struct err *err)
{
    r->weights = arena_alloc(arena, r->features * sizeof(float));
    r->centers = arena_alloc(arena, r->features * sizeof(float));
    r->scales = arena_alloc(arena, r->features * sizeof(float));
    for (uint32_t f = 0; f < r->features; f++) {
        float v[3];
        memcpy(v, r->body + f * sizeof v, sizeof v);
        if (!isfinite(v[0]) || !isfinite(v[1]) || !isfinite(v[2]) || !(fabsf(v[2]) > 0))
            return damaged(err, "a weight, mean or scale is not a finite number, or a scale is 0");
        r->weights[f] = v[0];
        r->centers[f] = v[1];
        r->scales[f] = v[2];
    }
    return true;
}

bool ranker_read(struct str section, struct arena *arena, struct ranker *out, struct err *err)
{
    struct header h;
    struct ranker r = { .features = 0 };
    if (!read_header(section, &h, err))
        return false;
    r.type = (enum ranker_type)h.type;
    r.features = h.features;
    r.trees = h.trees;
    r.nodes = h.nodes;
    if (!read_names(&r, (struct str){ section.p + HEADER_BYTES, h.names_bytes }, arena, err))
        return false;
    r.ends = section.p + HEADER_BYTES + padded(h.names_bytes);
    r.body = r.ends + (size_t)r.trees * sizeof(uint32_t);
    r.defaults = arena_alloc(arena, r.features * sizeof *r.defaults);
    for (uint32_t f = 0; f < r.features; f++)
        r.defaults[f] = NAN;
    if (r.type == RANKER_TREES ? !read_trees(&r, arena, err) : !read_linear(&r, arena, err))
        return false;
    if (r.type == RANKER_TREES)
        ranker_lay_out(&r, arena);
    *out = r;
    return true;
}

uint32_t ranker_tree_size(const struct ranker *r, uint32_t tree)
{
    return r->first[tree + 1] - r->first[tree];
}

void ranker_tree_nodes(const struct ranker *r, uint32_t tree, struct ranker_tree_node *out)
{
    uint32_t inner = 0;
    for (uint32_t i = 0; i < ranker_tree_size(r, tree); i++) {
        struct stored_node n = node_at(r, r->first[tree] + i);
        out[i] = (struct ranker_tree_node){
            .feature = n.feature, .threshold = n.threshold, .leaf = n.leaf, .gain = n.gain, .cover = n.cover
        };
        out[i].missing_left = (n.flags & RANKER_MISSING_LEFT) != 0;
        if (n.flags & RANKER_INNER) {
            out[i].left = 2 * inner + 1;
            out[i].right = 2 * inner + 2;
            inner++;
        }
    }
}

/* ---- the other sections ---- */

static bool read_feature(struct ranker *r, uint32_t f, json_t *v, struct err *err)
{
    struct json_reader reader;
    struct str name = { NULL, 0 };
    json_t *rest;
    double missing = NAN;
    json_reader_open(&reader, v, "feature");
    json_get_str(&reader, "name", JSON_REQUIRED, &name, NULL);
    json_get_double(&reader, "default", JSON_OPTIONAL, &missing);
    static const char *const others[] = { "source", "monotone", "solr", "elasticsearch", "vespa" };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        json_get_any(&reader, others[i], JSON_OPTIONAL, &rest);
    if (!json_reader_close(&reader, err))
        return false;
    if (!str_eq(name, r->names[f]))
        return err_set(err, ERR_INVALID, "feature %u is \"" STR_FMT "\", in section \"ranker\" \"" STR_FMT "\"", f,
                       STR_ARG(str_cut(name, 60)), STR_ARG(str_cut(r->names[f], 60)));
    r->defaults[f] = (float)missing;
    r->has_defaults |= !isnan(missing);
    return isnan(missing) || isfinite(r->defaults[f]) ||
           err_set(err, ERR_INVALID, "feature %u: default %g is no float", f, missing);
}

static bool read_features(struct ranker *r, struct err *err)
{
    if (!r->features_json.p)
        return true;
    json_t *root = json_parse(r->features_json, err);
    bool fine = root && (json_is_array(root) || err_set(err, ERR_INVALID, "it is not an array"));
    if (fine && json_array_size(root) != r->features)
        fine = err_set(err, ERR_INVALID, "it has %zu features, section \"ranker\" %u", json_array_size(root),
                       r->features);
    for (uint32_t f = 0; fine && f < r->features; f++)
        fine = read_feature(r, f, json_array_get(root, f), err);
    json_decref(root);
    return fine;
}

static bool read_signals(struct ranker *r, struct str section, struct arena *arena, struct err *err)
{
    struct lists_row row;
    if (!section.p)
        return true;
    if (!lists_read(section, &r->signals, err))
        return false;
    for (uint32_t c = 0; c < r->signals.columns; c++) {
        int f = ranker_feature(r, lists_column(&r->signals, c));
        if (f < 0)
            return err_set(err, ERR_INVALID, "column \"" STR_FMT "\" is no feature",
                           STR_ARG(lists_column(&r->signals, c)));
        r->signal_features[c] = (uint32_t)f;
    }
    r->has_signals = true;
    if (!lists_find(&r->signals, STR(""), &row))
        return true;
    r->docs_slots = power_above(row.count);
    r->docs = arena_zalloc(arena, (size_t)r->docs_slots * sizeof *r->docs);
    for (uint32_t i = row.first; i < row.first + row.count; i++) {
        uint32_t at = (uint32_t)hash64(lists_entry(&r->signals, i)) & (r->docs_slots - 1);
        while (r->docs[at])
            at = (at + 1) & (r->docs_slots - 1);
        r->docs[at] = i + 1;
    }
    return true;
}

bool ranker_open(const struct artifact *a, struct arena *arena, struct ranker *out, struct err *err)
{
    struct ranker r;
    struct str section = artifact_section(a, "ranker");
    if (!section.p)
        return err_set(err, ERR_INVALID, "artifact of kind \"%s\" has no section \"ranker\"", a->kind);
    if (!ranker_read(section, arena, &r, err))
        return err_prefix(err, "section \"ranker\": ");
    r.features_json = artifact_section(a, "features");
    r.importance_json = artifact_section(a, "importance");
    if (!read_features(&r, err))
        return err_prefix(err, "section \"features\": ");
    if (!read_signals(&r, artifact_section(a, "signals"), arena, err))
        return err_prefix(err, "section \"signals\": ");
    *out = r;
    return true;
}
