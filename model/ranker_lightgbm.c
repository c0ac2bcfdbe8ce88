#include "model/ranker_lightgbm.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum { CATEGORICAL = 1, DEFAULT_LEFT = 2, MISSING_SHIFT = 2, MISSING_NONE = 0, MISSING_NAN = 2 };

/* Lines of a tree, "name=value value …". */
enum line {
    LEAVES,
    CATEGORIES,
    FEATURE,
    GAIN,
    THRESHOLD,
    DECISION,
    LEFT,
    RIGHT,
    LEAF,
    LEAF_WEIGHT,
    INNER_WEIGHT,
    LINEAR,
    LINE_COUNT
};
static const char *const lines[] = { "num_leaves", "num_cat",       "split_feature",   "split_gain",
                                     "threshold",  "decision_type", "left_child",      "right_child",
                                     "leaf_value", "leaf_weight",   "internal_weight", "is_linear" };
static_assert(COUNT_OF(lines) == LINE_COUNT, "one name each");

static bool next_line(struct str *rest, struct str *out)
{
    if (!str_split(rest, '\n', out))
        return false;
    *out = str_trim(*out);
    return true;
}

static bool next_word(struct str *rest, struct str *out)
{
    do {
        if (!str_split(rest, ' ', out))
            return false;
    } while (!out->n);
    return true;
}

/* The next number of a line; false when there is none. */
static bool next_number(struct str *rest, double *out)
{
    struct str word;
    return next_word(rest, &word) && parse_double(word, out, NULL) && isfinite(*out);
}

/* A split that only asks whether the value is missing is at "inf". */
static bool next_threshold(struct str *rest, double *out)
{
    struct str word;
    if (!next_word(rest, &word))
        return false;
    *out = str_eq_c(word, "-inf") ? -INFINITY : INFINITY;
    return str_eq_c(word, "inf") || str_eq_c(word, "-inf") || (parse_double(word, out, NULL) && isfinite(*out));
}

static bool next_whole(struct str *rest, double low, double high, double *out)
{
    return next_number(rest, out) && *out >= low && *out <= high && !(floor(*out) < *out);
}

static bool bad_line(struct err *err, enum line line)
{
    return err_set(err, ERR_INVALID, "line \"%s\" is missing, too short, or holds what cannot be", lines[line]);
}

/* The greatest float32 that goes left, and ours is the one above; at most the greatest that there is. */
static float threshold_of(double t)
{
    if (t >= (double)FLT_MAX || t < -(double)FLT_MAX)
        return t > 0 ? FLT_MAX : -FLT_MAX;
    float f = (float)t;
    if ((double)f > t)
        f = nextafterf(f, -INFINITY);
    return nextafterf(f, INFINITY);
}

/* Inner nodes first, then leaves: node i is inner node i, node inner + k is leaf k. */
static bool child(double number, uint32_t inner, uint32_t *out)
{
    if (!(number >= -(double)inner - 1 && number < (double)inner))
        return false;
    *out = number < 0 ? inner + (uint32_t)(-number - 1) : (uint32_t)number;
    return true;
}

static bool read_inner(struct str values[LINE_COUNT], uint32_t inner, uint32_t features, struct ranker_tree_node *n,
                       struct err *err)
{
    double v[LINE_COUNT] = { 0 };
    if (!next_whole(&values[FEATURE], 0, (double)features - 1, &v[FEATURE]))
        return bad_line(err, FEATURE);
    if (!next_threshold(&values[THRESHOLD], &v[THRESHOLD]))
        return bad_line(err, THRESHOLD);
    if (!next_whole(&values[DECISION], 0, 15, &v[DECISION]))
        return bad_line(err, DECISION);
    if (!next_whole(&values[LEFT], -65536, 65536, &v[LEFT]) || !child(v[LEFT], inner, &n->left))
        return bad_line(err, LEFT);
    if (!next_whole(&values[RIGHT], -65536, 65536, &v[RIGHT]) || !child(v[RIGHT], inner, &n->right))
        return bad_line(err, RIGHT);
    (void)next_number(&values[GAIN], &v[GAIN]);
    (void)next_number(&values[INNER_WEIGHT], &v[INNER_WEIGHT]);
    unsigned decision = (unsigned)v[DECISION], missing = decision >> MISSING_SHIFT;
    if (decision & CATEGORICAL)
        return err_set(err, ERR_INVALID, "it has a categorical split");
    if (missing != MISSING_NONE && missing != MISSING_NAN)
        return err_set(err, ERR_INVALID, "0 is its missing value (zero_as_missing)");
    n->feature = (uint32_t)v[FEATURE];
    n->threshold = threshold_of(v[THRESHOLD]);
    n->missing_left = missing == MISSING_NAN ? (decision & DEFAULT_LEFT) != 0 : 0 < n->threshold;
    n->gain = (float)v[GAIN];
    n->cover = v[INNER_WEIGHT] > 0 ? (float)v[INNER_WEIGHT] : 0;
    return true;
}

static bool read_nodes(struct str values[LINE_COUNT], uint32_t leaves, uint32_t features, struct ranker_tree *t,
                       struct err *err)
{
    uint32_t inner = leaves - 1;
    for (uint32_t i = 0; i < inner; i++)
        if (!read_inner(values, inner, features, &t->nodes[i], err))
            return false;
    for (uint32_t i = 0; i < leaves; i++) {
        double leaf, weight = 0;
        if (!next_number(&values[LEAF], &leaf))
            return bad_line(err, LEAF);
        (void)next_number(&values[LEAF_WEIGHT], &weight);
        t->nodes[inner + i] = (struct ranker_tree_node){ .leaf = (float)leaf, .cover = weight > 0 ? (float)weight : 0 };
    }
    return true;
}

/* From behind "Tree=" to an empty line. */
static bool read_tree(struct str *rest, uint32_t features, struct arena *arena, struct ranker_tree *out,
                      struct err *err)
{
    struct str values[LINE_COUNT] = { { NULL, 0 } }, line;
    double leaves, categories = 0, linear = 0;
    while (next_line(rest, &line) && line.n) {
        struct str value = line, name;
        (void)str_split(&value, '=', &name);
        for (int i = 0; i < LINE_COUNT; i++)
            if (str_eq_c(name, lines[i]))
                values[i] = value;
    }
    if (!next_whole(&values[LEAVES], 1, (RANKER_TREE_NODES_MAX + 1) / 2, &leaves))
        return bad_line(err, LEAVES);
    (void)next_number(&values[CATEGORIES], &categories);
    (void)next_number(&values[LINEAR], &linear);
    if (categories > 0 || linear > 0)
        return err_set(err, ERR_INVALID, categories > 0 ? "it has categorical splits" : "its leaves are linear models");
    out->count = 2 * (uint32_t)leaves - 1;
    out->nodes = arena_zalloc(arena, out->count * sizeof *out->nodes);
    return read_nodes(values, (uint32_t)leaves, features, out, err);
}

static bool read_names(struct str value, struct arena *arena, struct ranker_forest *out, struct err *err)
{
    struct str name;
    out->features = 0;
    out->names = arena_alloc(arena, RANKER_FEATURES_MAX * sizeof *out->names);
    while (str_split(&value, ' ', &name)) {
        if (!name.n)
            continue;
        if (out->features == RANKER_FEATURES_MAX)
            return err_set(err, ERR_TOO_LARGE, "LightGBM model: more than %d features", RANKER_FEATURES_MAX);
        out->names[out->features++] = arena_str(arena, name);
    }
    return true;
}

/* Up to the first tree. */
static bool read_head(struct str *rest, struct arena *arena, struct ranker_forest *out, struct err *err)
{
    struct str line, value, name;
    double each = 1;
    if (!next_line(rest, &line) || !str_eq_c(line, "tree"))
        return err_set(err, ERR_INVALID, "LightGBM model: its first line is not \"tree\"");
    while (!str_starts(*rest, STR("Tree=")) && next_line(rest, &line)) {
        value = line;
        (void)str_split(&value, '=', &name);
        if (str_eq_c(name, "num_tree_per_iteration"))
            (void)next_number(&value, &each);
        else if (str_eq_c(name, "feature_names") && !read_names(value, arena, out, err))
            return false;
    }
    if (each > 1)
        return err_set(err, ERR_INVALID, "LightGBM model: it has several trees an iteration");
    return out->features > 0 || err_set(err, ERR_INVALID, "LightGBM model: line \"feature_names\" is missing");
}

static bool more_room(struct arena *arena, struct ranker_forest *f, uint32_t *room)
{
    if (f->trees_count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 64;
    struct ranker_tree *trees = arena_alloc(arena, more * sizeof *trees);
    if (f->trees_count)
        memcpy(trees, f->trees, f->trees_count * sizeof *trees);
    f->trees = trees;
    *room = more;
    return f->trees_count < RANKER_TREES_MAX;
}

bool ranker_lightgbm_read(struct str text, struct arena *arena, struct ranker_forest *out, struct err *err)
{
    struct ranker_forest f = { .features = 0 };
    struct str line;
    uint32_t room = 0;
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID, "LightGBM model: it is not UTF-8");
    if (!read_head(&text, arena, &f, err))
        return false;
    while (next_line(&text, &line) && !str_eq_c(line, "end of trees")) {
        if (!str_starts(line, STR("Tree=")))
            continue;
        if (!more_room(arena, &f, &room))
            return err_set(err, ERR_TOO_LARGE, "LightGBM model: more than %d trees", RANKER_TREES_MAX);
        if (!read_tree(&text, f.features, arena, &f.trees[f.trees_count], err))
            return err_prefix(err, "LightGBM model: tree %u: ", f.trees_count);
        f.trees_count++;
    }
    if (f.trees_count == 0)
        return err_set(err, ERR_INVALID, "LightGBM model: it has no tree");
    *out = f;
    return true;
}
