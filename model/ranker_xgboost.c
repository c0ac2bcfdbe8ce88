#include "model/ranker_xgboost.h"

#include <assert.h>
#include <math.h>

#include "base/json.h"

/* How base_score, which users give in the scale of predictions, becomes a margin. */
enum link { LINK_IDENTITY, LINK_LOGIT, LINK_LOG };
static const struct {
    const char *name;
    enum link link;
} objectives[] = {
    { "rank:ndcg", LINK_IDENTITY },
    { "rank:map", LINK_IDENTITY },
    { "rank:pairwise", LINK_IDENTITY },
    { "reg:squarederror", LINK_IDENTITY },
    { "reg:linear", LINK_IDENTITY },
    { "reg:squaredlogerror", LINK_IDENTITY },
    { "reg:pseudohubererror", LINK_IDENTITY },
    { "reg:absoluteerror", LINK_IDENTITY },
    { "reg:logistic", LINK_LOGIT },
    { "binary:logistic", LINK_LOGIT },
    { "binary:logitraw", LINK_LOGIT },
    { "binary:hinge", LINK_IDENTITY },
    { "count:poisson", LINK_LOG },
    { "reg:gamma", LINK_LOG },
    { "reg:tweedie", LINK_LOG },
};

static bool wrong(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "XGBoost model: %s", what);
}

/* ---- members; NULL and false when they are not what they are to be ---- */

static const json_t *member(const json_t *v, const char *path)
{
    struct str rest = str_of(path), part;
    while (v && str_split(&rest, '.', &part))
        v = json_is_object(v) ? json_object_getn(v, part.p, part.n) : NULL;
    return v;
}

/* "3", 3, "[5E-1]" */
static bool number_of(const json_t *v, double *out)
{
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    struct str s = { json_is_string(v) ? json_string_value(v) : "", json_is_string(v) ? json_string_length(v) : 0 };
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = (struct str){ s.p + 1, s.n - 2 };
    return s.n && parse_double(s, out, NULL) && isfinite(*out);
}

static bool count_of(const json_t *v, uint32_t most, uint32_t *out)
{
    double n;
    if (!number_of(v, &n) || !(n >= 0 && n <= (double)most) || floor(n) < n)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* ---- save_model ---- */

static bool read_base(const json_t *learner, float *out, struct err *err)
{
    const json_t *name = member(learner, "objective.name");
    double base;
    if (!number_of(member(learner, "learner_model_param.base_score"), &base))
        return wrong(err, "learner.learner_model_param.base_score is not one number");
    for (size_t i = 0; i < COUNT_OF(objectives); i++) {
        if (!json_is_string(name) || strcmp(json_string_value(name), objectives[i].name) != 0)
            continue;
        if (objectives[i].link == LINK_LOGIT)
            base = -log(1 / base - 1);
        else if (objectives[i].link == LINK_LOG)
            base = log(base);
        *out = (float)base;
        return isfinite(*out) || wrong(err, "its base_score has no margin");
    }
    return err_set(err, ERR_INVALID, "XGBoost model: objective \"%.60s\" is not known",
                   json_is_string(name) ? json_string_value(name) : "");
}

/* One tree's arrays, all of the same length. */
enum column { LEFT, RIGHT, INDEX, CONDITION, DEFAULT_LEFT, HESSIAN, GAIN, SPLIT_TYPE, COLUMN_COUNT };
static const struct {
    const char *name;
    bool required;
} columns[] = {
    [LEFT] = { "left_children", true },        [RIGHT] = { "right_children", true },
    [INDEX] = { "split_indices", true },       [CONDITION] = { "split_conditions", true },
    [DEFAULT_LEFT] = { "default_left", true }, [HESSIAN] = { "sum_hessian", false },
    [GAIN] = { "loss_changes", false },        [SPLIT_TYPE] = { "split_type", false },
};
static_assert(COUNT_OF(columns) == COLUMN_COUNT, "one row each");

static double cell(const json_t *const *arrays, enum column c, size_t i)
{
    const json_t *v = json_array_get(arrays[c], i);
    return json_is_boolean(v) ? json_boolean_value(v) : json_number_value(v);
}

static bool read_node(const json_t *const *arrays, size_t i, size_t count, struct ranker_tree_node *out)
{
    double left = cell(arrays, LEFT, i), right = cell(arrays, RIGHT, i), index = cell(arrays, INDEX, i);
    bool inner = left >= 0;
    *out = (struct ranker_tree_node){ .cover = (float)cell(arrays, HESSIAN, i) };
    if (!inner) {
        out->leaf = (float)cell(arrays, CONDITION, i);
        return true;
    }
    if (!(left < (double)count && right >= 0 && right < (double)count && index >= 0 && index < RANKER_FEATURES_MAX) ||
        cell(arrays, SPLIT_TYPE, i) > 0)
        return false;
    out->left = (uint32_t)left;
    out->right = (uint32_t)right;
    out->feature = (uint32_t)index;
    out->threshold = (float)cell(arrays, CONDITION, i);
    out->missing_left = cell(arrays, DEFAULT_LEFT, i) > 0;
    out->gain = (float)cell(arrays, GAIN, i);
    return true;
}

static bool read_tree(const json_t *v, struct arena *arena, struct ranker_tree *out, struct err *err)
{
    const json_t *arrays[COLUMN_COUNT];
    uint32_t vector = 0;
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        arrays[c] = member(v, columns[c].name);
    size_t count = json_array_size(arrays[LEFT]);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        if (columns[c].required ? json_array_size(arrays[c]) != count
                                : json_array_size(arrays[c]) != count && json_array_size(arrays[c]) != 0)
            return err_set(err, ERR_INVALID, "\"%s\" has another length than \"left_children\"", columns[c].name);
    if (count == 0 || count > RANKER_TREE_NODES_MAX)
        return err_set(err, ERR_TOO_LARGE, "it has %zu nodes; a tree has 1 to %d", count, RANKER_TREE_NODES_MAX);
    if (count_of(member(v, "tree_param.size_leaf_vector"), UINT32_MAX, &vector) && vector > 1)
        return err_set(err, ERR_INVALID, "its leaves have several outputs");
    out->nodes = arena_alloc(arena, count * sizeof *out->nodes);
    out->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        if (!read_node(arrays, i, count, &out->nodes[i]))
            return err_set(err, ERR_INVALID, "node %zu: a child or feature out of range, or a categorical split", i);
    return true;
}

static bool read_features(const json_t *learner, const struct str *names, uint32_t features, struct arena *arena,
                          struct ranker_forest *out, struct err *err)
{
    const json_t *own = member(learner, "feature_names");
    size_t own_count = json_array_size(own);
    uint32_t n = 0;
    if (!count_of(member(learner, "learner_model_param.num_feature"), RANKER_FEATURES_MAX, &n) || n == 0)
        return err_set(err, ERR_INVALID, "XGBoost model: learner.learner_model_param.num_feature is not 1 to %d",
                       RANKER_FEATURES_MAX);
    if (names && n > features)
        return err_set(err, ERR_INVALID, "XGBoost model: it has %u features, not %u", n, features);
    if (!names && own_count && own_count != n)
        return wrong(err, "learner.feature_names has another length than num_feature says");
    out->features = names ? features : n;
    out->names = arena_alloc(arena, out->features * sizeof *out->names);
    for (uint32_t f = 0; f < out->features; f++) {
        const json_t *name = json_array_get(own, f);
        if (names)
            out->names[f] = names[f];
        else if (json_is_string(name))
            out->names[f] = arena_str(arena, (struct str){ json_string_value(name), json_string_length(name) });
        else
            out->names[f] = arena_printf(arena, "f%u", f);
    }
    return true;
}

static bool check_booster(const json_t *learner, struct err *err)
{
    const json_t *name = member(learner, "gradient_booster.name");
    uint32_t classes = 0, targets = 1;
    if (!json_is_string(name) || strcmp(json_string_value(name), "gbtree") != 0)
        return err_set(err, ERR_INVALID, "XGBoost model: booster \"%.40s\" is not gbtree",
                       json_is_string(name) ? json_string_value(name) : "");
    (void)count_of(member(learner, "learner_model_param.num_class"), UINT32_MAX, &classes);
    (void)count_of(member(learner, "learner_model_param.num_target"), UINT32_MAX, &targets);
    return (classes <= 1 && targets <= 1) || wrong(err, "it has several outputs");
}

/* XGBoost's sum begins with base_score: so do the leaves of the first tree. */
static void add_base(struct ranker_tree *first, float base)
{
    for (uint32_t i = 0; i < first->count; i++)
        if (!first->nodes[i].left)
            first->nodes[i].leaf = base + first->nodes[i].leaf;
}

static bool start_trees(const json_t *trees, struct arena *arena, struct ranker_forest *out, struct err *err)
{
    size_t count = json_array_size(trees);
    if (count == 0 || count > RANKER_TREES_MAX)
        return err_set(err, ERR_INVALID, "XGBoost model: it has %zu trees; there are 1 to %d", count, RANKER_TREES_MAX);
    out->trees_count = (uint32_t)count;
    out->trees = arena_alloc(arena, count * sizeof *out->trees);
    return true;
}

static bool read_model(const json_t *learner, const struct str *names, uint32_t features, struct arena *arena,
                       struct ranker_forest *out, struct err *err)
{
    const json_t *trees = member(learner, "gradient_booster.model.trees");
    float base;
    if (!check_booster(learner, err) || !read_base(learner, &base, err) ||
        !read_features(learner, names, features, arena, out, err) || !start_trees(trees, arena, out, err))
        return false;
    for (uint32_t t = 0; t < out->trees_count; t++)
        if (!read_tree(json_array_get(trees, t), arena, &out->trees[t], err))
            return err_prefix(err, "XGBoost model: tree %u: ", t);
    add_base(&out->trees[0], base);
    return true;
}

/* ---- dump_model ---- */

struct dump {
    struct ranker_forest *forest;
    struct arena *arena;
    bool given; /* names */
    struct ranker_tree *tree;
    size_t room;
};

static bool feature_of(struct dump *d, const json_t *split, uint32_t *out, struct err *err)
{
    struct ranker_forest *f = d->forest;
    struct str name;
    if (json_is_integer(split))
        name = arena_printf(d->arena, "f%lld", (long long)json_integer_value(split));
    else if (json_is_string(split))
        name = (struct str){ json_string_value(split), json_string_length(split) };
    else
        return err_set(err, ERR_INVALID, "\"split\" is not a name");
    for (uint32_t i = 0; i < f->features; i++)
        if (str_eq(f->names[i], name)) {
            *out = i;
            return true;
        }
    if (d->given || f->features == RANKER_FEATURES_MAX)
        return err_set(err, ERR_INVALID, "feature \"" STR_FMT "\" is not known", STR_ARG(str_cut(name, 60)));
    *out = f->features;
    f->names[f->features++] = arena_str(d->arena, name);
    return true;
}

static bool dump_node(struct dump *d, const json_t *v, uint32_t at, int depth, struct err *err);

static bool dump_split(struct dump *d, const json_t *v, uint32_t at, int depth, struct err *err)
{
    const json_t *children = member(v, "children");
    double condition, gain = 0, yes, missing, first;
    uint32_t feature, left = d->tree->count;
    if (json_array_size(children) != 2 || !number_of(member(v, "split_condition"), &condition) ||
        !number_of(member(v, "yes"), &yes) || !number_of(member(json_array_get(children, 0), "nodeid"), &first))
        return err_set(err, ERR_INVALID, "a node without leaf lacks split_condition, yes, or two children with nodeid");
    if (d->tree->count + 2 > d->room)
        return err_set(err, ERR_TOO_LARGE, "it has more than %zu nodes", d->room);
    if (!feature_of(d, member(v, "split"), &feature, err))
        return false;
    bool yes_first = yes == first; // NOLINT(clang-diagnostic-float-equal)
    bool missing_left = number_of(member(v, "missing"), &missing) && !(missing < yes) && !(missing > yes);
    (void)number_of(member(v, "gain"), &gain);
    d->tree->count += 2;
    struct ranker_tree_node *n = &d->tree->nodes[at];
    n->feature = feature;
    n->threshold = (float)condition;
    n->gain = (float)gain;
    n->missing_left = missing_left;
    n->left = left;
    n->right = left + 1;
    return dump_node(d, json_array_get(children, yes_first ? 0 : 1), left, depth + 1, err) &&
           dump_node(d, json_array_get(children, yes_first ? 1 : 0), left + 1, depth + 1, err);
}

static bool dump_node(struct dump *d, const json_t *v, uint32_t at, int depth, struct err *err)
{
    double leaf, cover = 0;
    (void)number_of(member(v, "cover"), &cover);
    d->tree->nodes[at] = (struct ranker_tree_node){ .cover = (float)cover };
    if (number_of(member(v, "leaf"), &leaf)) {
        d->tree->nodes[at].leaf = (float)leaf;
        return true;
    }
    return depth < RANKER_DEPTH_MAX ? dump_split(d, v, at, depth, err)
                                    : err_set(err, ERR_TOO_LARGE, "it is deeper than %d", RANKER_DEPTH_MAX);
}

/* Nodes below this one, itself too. */
static size_t nodes_below(const json_t *v, int depth)
{
    const json_t *children = member(v, "children");
    size_t n = 1;
    for (size_t i = 0; i < json_array_size(children) && depth < RANKER_DEPTH_MAX; i++)
        n += nodes_below(json_array_get(children, i), depth + 1);
    return n;
}

static bool read_dump(const json_t *trees, const struct str *names, uint32_t features, struct arena *arena,
                      struct ranker_forest *out, struct err *err)
{
    struct dump d = { .forest = out, .arena = arena, .given = names != NULL };
    if (!start_trees(trees, arena, out, err))
        return false;
    out->features = names ? features : 0;
    out->names = arena_alloc(arena, RANKER_FEATURES_MAX * sizeof *out->names);
    if (names)
        memcpy(out->names, names, features * sizeof *names);
    for (uint32_t t = 0; t < out->trees_count; t++) {
        const json_t *root = json_array_get(trees, t);
        d.tree = &out->trees[t];
        d.room = nodes_below(root, 0);
        if (d.room > RANKER_TREE_NODES_MAX)
            return err_set(err, ERR_TOO_LARGE, "XGBoost dump: tree %u: it has %zu nodes; a tree has up to %d", t,
                           d.room, RANKER_TREE_NODES_MAX);
        d.tree->nodes = arena_alloc(arena, d.room * sizeof *d.tree->nodes);
        d.tree->count = 1;
        if (!dump_node(&d, root, 0, 0, err))
            return err_prefix(err, "XGBoost dump: tree %u: ", t);
    }
    if (out->features == 0) { /* nothing but leaves */
        out->names[0] = STR("f0");
        out->features = 1;
    }
    return true;
}

bool ranker_xgboost_read(struct str json, const struct str *names, uint32_t features, struct arena *arena,
                         struct ranker_forest *out, struct err *err)
{
    struct ranker_forest forest = { .features = 0 };
    json_t *root = json_parse(json, err);
    const json_t *learner = root ? member(root, "learner") : NULL;
    bool fine = root != NULL;
    if (names && (features == 0 || features > RANKER_FEATURES_MAX))
        fine = wrong(err, "the number of names is out of range");
    else if (learner)
        fine = read_model(learner, names, features, arena, &forest, err);
    else if (root && json_is_array(root))
        fine = read_dump(root, names, features, arena, &forest, err);
    else if (root)
        fine = wrong(err,
                     "it has neither \"learner\", as save_model writes it, nor is it an array, as dump_model does");
    json_decref(root);
    if (fine)
        *out = forest;
    return fine;
}
