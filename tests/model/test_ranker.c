#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <float.h>
#include <math.h>

#include "model/ranker.h"
#include "model/ranker_lightgbm.h"
#include "model/ranker_xgboost.h"

enum { FEATURES = 7, TREES = 30, NODES_MAX = 200, DOCS = 203 };

/* A fixed sequence: xorshift64. */
static uint64_t state = 88172645463325252u;
static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
static float number(void)
{
    return (float)((int)(next() % 17) - 8) / 4;
}

struct forest {
    struct ranker_tree_node nodes[TREES][NODES_MAX];
    uint32_t counts[TREES];
};

/* Splits a random leaf until enough: unbalanced trees, children in no order. */
static void grow(struct ranker_tree_node *nodes, uint32_t *count, uint32_t splits)
{
    *count = 1;
    nodes[0] = (struct ranker_tree_node){ .leaf = number(), .cover = 8 };
    for (uint32_t s = 0; s < splits; s++) {
        uint32_t at = (uint32_t)(next() % *count);
        while (nodes[at].left)
            at = next() % 2 ? nodes[at].left : nodes[at].right;
        uint32_t swap = next() % 2, left = *count + swap, right = *count + 1 - swap;
        nodes[left] = (struct ranker_tree_node){ .leaf = number(), .cover = nodes[at].cover / 4 };
        nodes[right] = (struct ranker_tree_node){ .leaf = number(), .cover = nodes[at].cover * 3 / 4 };
        nodes[at] = (struct ranker_tree_node){ .feature = (uint32_t)(next() % FEATURES),
                                               .threshold = number(),
                                               .left = left,
                                               .right = right,
                                               .missing_left = next() % 2,
                                               .gain = 1,
                                               .cover = nodes[at].cover };
        *count += 2;
    }
}

static uint32_t leaf_of(const struct ranker_tree_node *nodes, const float *row)
{
    uint32_t at = 0;
    while (nodes[at].left) {
        float v = row[nodes[at].feature];
        bool left = isnan(v) ? nodes[at].missing_left : v < nodes[at].threshold;
        at = left ? nodes[at].left : nodes[at].right;
    }
    return at;
}

static const struct str names[FEATURES] = { { "a", 1 }, { "b", 1 }, { "c", 1 }, { "d", 1 },
                                            { "e", 1 }, { "f", 1 }, { "g", 1 } };

static void write_forest(const struct forest *f, struct buf *section)
{
    struct ranker_out o;
    struct err err;
    buf_init(section, 1 << 20);
    ranker_begin(&o, RANKER_TREES, names, FEATURES);
    for (uint32_t t = 0; t < TREES; t++)
        ranker_tree(&o, f->nodes[t], f->counts[t]);
    cr_assert(ranker_end(&o, section, &err), "%s", err.text);
}

static struct forest *forest_new(void)
{
    struct forest *f = mem_alloc(sizeof *f);
    for (uint32_t t = 0; t < TREES; t++)
        grow(f->nodes[t], &f->counts[t], (uint32_t)(next() % 60));
    return f;
}

static void random_rows(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = next() % 5 == 0 ? NAN : next() % 50 == 0 ? INFINITY : number();
}

Test(ranker, scores_as_a_plain_walk_does)
{
    AUTO(mem_free) char *memory = (char *)forest_new();
    const struct forest *f = (const struct forest *)(const void *)memory;
    static float values[DOCS * FEATURES], scores[DOCS];
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    write_forest(f, &section);
    arena_init(&arena, 1 << 12);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    cr_assert(eq(u32, r.trees, TREES));
    random_rows(values, COUNT_OF(values));
    ranker_score(&r, values, DOCS, scores);
    for (size_t i = 0; i < DOCS; i++) {
        float expected = 0, alone;
        for (uint32_t t = 0; t < TREES; t++)
            expected += f->nodes[t][leaf_of(f->nodes[t], values + i * FEATURES)].leaf;
        cr_assert(eq(flt, scores[i], expected));
        ranker_score(&r, values + i * FEATURES, 1, &alone);
        cr_assert(eq(flt, alone, expected), "alone as among others");
    }
    buf_release(&section);
    arena_release(&arena);
}

Test(ranker, contributions_sum_up_to_the_score)
{
    AUTO(mem_free) char *memory = (char *)forest_new();
    const struct forest *f = (const struct forest *)(const void *)memory;
    float values[FEATURES], score;
    double parts[FEATURES], base;
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    write_forest(f, &section);
    arena_init(&arena, 1 << 12);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    for (int i = 0; i < 50; i++) {
        random_rows(values, FEATURES);
        ranker_score(&r, values, 1, &score);
        ranker_explain(&r, values, parts, &base);
        for (int k = 0; k < FEATURES; k++)
            base += parts[k];
        cr_assert(epsilon_eq(dbl, base, (double)score, 1e-4));
    }
    buf_release(&section);
    arena_release(&arena);
}

Test(ranker, a_stump_is_attributed_by_hand)
{
    /* root: expected (1 × 4 + 3 × 8) / 4 = 7 */
    const struct ranker_tree_node stump[] = {
        { .feature = 1, .threshold = 0.5f, .left = 2, .right = 1, .gain = 3, .cover = 4 },
        { .leaf = 8, .cover = 3 },
        { .leaf = 4, .cover = 1 }
    };
    double parts[2], base, gain[2];
    uint32_t splits[2];
    struct ranker_out o;
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    buf_init(&section, 1 << 12);
    arena_init(&arena, 1 << 12);
    ranker_begin(&o, RANKER_TREES, names, 2);
    ranker_tree(&o, stump, COUNT_OF(stump));
    cr_assert(ranker_end(&o, &section, &err), "%s", err.text);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    ranker_explain(&r, (float[]){ 0, 0.25f }, parts, &base);
    cr_assert(eq(dbl, base, 7));
    cr_assert(eq(dbl, parts[0], 0));
    cr_assert(eq(dbl, parts[1], -3));
    ranker_importance(&r, gain, splits);
    cr_assert(eq(dbl, gain[1], 3));
    cr_assert(eq(u32, splits[0], 0));
    cr_assert(eq(u32, splits[1], 1));
    buf_release(&section);
    arena_release(&arena);
}

Test(ranker, linear_is_weights_of_normalised_values)
{
    const float weights[] = { 0.5f, -2 }, means[] = { 10, 0 }, scales[] = { 2, 4 };
    float scores[2];
    struct ranker_out o;
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    buf_init(&section, 1 << 12);
    arena_init(&arena, 1 << 12);
    ranker_begin(&o, RANKER_LINEAR, names, 2);
    ranker_linear(&o, weights, means, scales);
    cr_assert(ranker_end(&o, &section, &err), "%s", err.text);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    ranker_score(&r, (float[]){ 12, 4, NAN, 2 }, 2, scores);
    cr_assert(eq(flt, scores[0], -1.5f));
    cr_assert(eq(flt, scores[1], -1), "what is missing is the mean, and adds nothing: −2 × 2 / 4");
    buf_release(&section);
    arena_release(&arena);
}

static void refused(const struct ranker_tree_node *nodes, uint32_t count, const char *why)
{
    struct ranker_out o;
    struct buf section;
    struct err err;
    buf_init(&section, 1 << 12);
    ranker_begin(&o, RANKER_TREES, names, FEATURES);
    ranker_tree(&o, nodes, count);
    bool fine = ranker_end(&o, &section, &err);
    cr_assert(not(fine));
    cr_assert(ne(ptr, strstr(err.text, why), NULL), "%s", err.text);
    buf_release(&section);
}

Test(ranker, what_is_no_tree_is_refused_by_name)
{
    refused((struct ranker_tree_node[]){ { .left = 1, .right = 1 }, { .leaf = 1 } }, 2, "make no tree");
    refused(
        (struct ranker_tree_node[]){
            { .left = 1, .right = 2 }, { .left = 2, .right = 3 }, { .leaf = 1 }, { .leaf = 1 } },
        4, "make no tree");
    refused((struct ranker_tree_node[]){ { .left = 1, .right = 9 }, { .leaf = 1 } }, 2, "make no tree");
    refused((struct ranker_tree_node[]){ { .feature = 9, .left = 1, .right = 2 }, { .leaf = 1 }, { .leaf = 1 } }, 3,
            "feature 9 of 7");
    refused((struct ranker_tree_node[]){ { .leaf = NAN } }, 1, "not a finite number");
}

Test(ranker, a_name_that_stands_twice_is_refused)
{
    const struct str twice[] = { { "a", 1 }, { "a", 1 } };
    struct ranker_out o;
    struct buf section;
    struct err err;
    buf_init(&section, 1 << 12);
    ranker_begin(&o, RANKER_TREES, twice, 2);
    ranker_tree(&o, (struct ranker_tree_node[]){ { .leaf = 1 } }, 1);
    bool fine = ranker_end(&o, &section, &err);
    cr_assert(not(fine));
    cr_assert(ne(ptr, strstr(err.text, "feature \"a\" is there twice"), NULL), "%s", err.text);
    buf_release(&section);
}

/* Whatever byte is another one: it is refused, or read and can be walked (ASan watches). */
Test(ranker, damage_never_leads_out_of_bounds)
{
    AUTO(mem_free) char *memory = (char *)forest_new();
    const struct forest *f = (const struct forest *)(const void *)memory;
    float values[FEATURES * 9], scores[9];
    struct buf section;
    struct arena arena;
    struct err err;
    uint32_t taken = 0;
    write_forest(f, &section);
    arena_init(&arena, 1 << 16);
    random_rows(values, COUNT_OF(values));
    for (size_t i = 0; i < section.n; i += i < 200 ? 1 : 37) {
        char before = section.p[i];
        struct ranker r;
        section.p[i] = (char)(before ^ (1 << (i % 8)));
        if (ranker_read(buf_str(&section), &arena, &r, &err)) {
            ranker_score(&r, values, 9, scores);
            taken++;
        }
        section.p[i] = before;
        arena_reset(&arena);
    }
    for (size_t n = 0; n < section.n; n += 13) {
        struct ranker r;
        bool fine = ranker_read((struct str){ section.p, n }, &arena, &r, &err);
        cr_assert(not(fine), "cut at %zu", n);
    }
    cr_assert(gt(u32, taken, 0));
    buf_release(&section);
    arena_release(&arena);
}

struct opened {
    struct arena arena;
    struct buf file;
    struct artifact artifact;
    struct ranker r;
};

static struct buf signals_section(void)
{
    static const char *const columns[] = { "c", "a" };
    struct lists_out o;
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 12);
    lists_begin(&o, columns, 2);
    lists_key(&o, STR(""));
    lists_add(&o, STR("d1"), (float[]){ 1, 2 });
    lists_add(&o, STR("d2"), (float[]){ 3, 4 });
    lists_key(&o, STR("lamp"));
    lists_add(&o, STR("d2"), (float[]){ 5, 6 });
    cr_assert(lists_end(&o, &out, &err), "%s", err.text);
    return out;
}

static bool open_with(struct opened *m, const char *features, struct str signals, struct err *err)
{
    struct artifact_out o;
    struct ranker_out w;
    struct buf section;
    char digest[ARTIFACT_DIGEST];
    arena_init(&m->arena, 1 << 12);
    buf_init(&m->file, 1 << 16);
    buf_init(&section, 1 << 12);
    ranker_begin(&w, RANKER_LINEAR, names, 3);
    ranker_linear(&w, (float[]){ 1, 10, 100 }, NULL, NULL);
    cr_assert(ranker_end(&w, &section, err), "%s", err->text);
    artifact_begin(&o, RANKER_KIND);
    artifact_add(&o, "ranker", buf_str(&section));
    artifact_add(&o, "features", str_of(features));
    if (signals.p)
        artifact_add(&o, "signals", signals);
    cr_assert(artifact_end(&o, &m->file, digest, err), "%s", err->text);
    buf_release(&section);
    cr_assert(artifact_read(buf_str(&m->file), &m->artifact, err), "%s", err->text);
    return ranker_open(&m->artifact, &m->arena, &m->r, err);
}

static void close_opened(struct opened *m)
{
    arena_release(&m->arena);
    buf_release(&m->file);
}

Test(ranker, signals_and_defaults_stand_for_what_is_missing)
{
    static const struct {
        const char *query, *doc;
        float expected;
    } cases[] = {
        { "lamp", "d2", 6 + 7 + 100 * 5 }, /* the query's entry is taken whole */
        { "lamp", "d1", 2 + 7 + 100 * 1 }, /* not under the query: under "" */
        { "desk", "d2", 4 + 7 + 100 * 3 }, { "", "d2", 4 + 7 + 100 * 3 },
        { "lamp", "d3", 0 + 7 + 0 }, /* nowhere: the default, and 0 where there is none */
    };
    struct buf signals = signals_section();
    struct ranker_signals s;
    struct opened m;
    struct err err;
    cr_assert(open_with(&m, "[{\"name\":\"a\"},{\"name\":\"b\",\"default\":0.7,\"solr\":{}},{\"name\":\"c\"}]",
                        buf_str(&signals), &err),
              "%s", err.text);
    cr_assert(eq(int, ranker_feature(&m.r, STR("c")), 2));
    cr_assert(eq(int, ranker_feature(&m.r, STR("x")), -1));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float values[3] = { NAN, NAN, NAN }, score, given[3] = { 1, 2, 3 };
        ranker_signals_open(&m.r, str_of(cases[i].query), &m.arena, &s);
        ranker_signals_fill(&s, str_of(cases[i].doc), values);
        ranker_signals_fill(&s, str_of(cases[i].doc), given);
        ranker_score(&m.r, values, 1, &score);
        cr_assert(epsilon_eq(flt, score, cases[i].expected, 1e-4f));
        cr_assert(eq(flt, given[0], 1), "what the request brings stays");
    }
    close_opened(&m);
    buf_release(&signals);
}

Test(ranker, features_that_are_not_the_rankers_are_refused)
{
    static const char *const bad[][2] = {
        { "[{\"name\":\"a\"},{\"name\":\"b\"}]", "2 features" },
        { "[{\"name\":\"a\"},{\"name\":\"x\"},{\"name\":\"c\"}]", "feature 1 is \"x\"" },
        { "[{\"name\":\"a\"},{\"name\":\"b\",\"colour\":1},{\"name\":\"c\"}]", "colour" },
        { "{}", "not an array" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct opened m;
        struct err err;
        bool fine = open_with(&m, bad[i][0], (struct str){ NULL, 0 }, &err);
        cr_assert(not(fine));
        cr_assert(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s", err.text);
        close_opened(&m);
    }
}

/* ---- XGBoost ---- */

#define TREE                                                                                                           \
    "{\"id\":0,\"base_weights\":[0.0,-1.5,2.5],\"categories\":[],\"default_left\":[1,0,0],\"left_children\":[1,-1,-1]" \
    ","                                                                                                                \
    "\"right_children\":[2,-1,-1],\"parents\":[2147483647,0,0],\"split_conditions\":[0.5,-1.5,2.5],"                   \
    "\"split_indices\":[1,0,0],\"split_type\":[0,0,0],\"loss_changes\":[1.0,0.0,0.0],\"sum_hessian\":[2.0,1.0,1.0],"   \
    "\"tree_param\":{\"num_feature\":\"2\",\"num_nodes\":\"3\",\"size_leaf_vector\":\"0\"}}"
#define MODEL(names, base, objective, booster)                                                                  \
    "{\"version\":[1,7,4],\"learner\":{\"feature_names\":[" names "],\"gradient_booster\":{\"name\":\"" booster \
    "\",\"model\":{\"trees\":[" TREE "]}},\"learner_model_param\":{\"base_score\":\"" base                      \
    "\",\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},\"objective\":{\"name\":\"" objective "\"}}}"

static void scores_of(const char *json, float out[3], struct str *first_name)
{
    const float rows[] = { 0, 0.25f, 0, 0.5f, 0, NAN };
    struct ranker_forest f;
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    static char kept[16];
    arena_init(&arena, 1 << 12);
    buf_init(&section, 1 << 12);
    cr_assert(ranker_xgboost_read(str_of(json), NULL, 0, &arena, &f, &err), "%s", err.text);
    cr_assert(ranker_forest_write(&f, &section, &err), "%s", err.text);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    cr_assert(eq(u32, r.features, 2));
    ranker_score(&r, rows, 3, out);
    memcpy(kept, r.names[0].p, r.names[0].n);
    *first_name = (struct str){ kept, r.names[0].n };
    buf_release(&section);
    arena_release(&arena);
}

Test(ranker_xgboost, reads_saved_models_of_old_and_new_versions)
{
    static const struct {
        const char *json, *name;
        float base;
    } cases[] = {
        { MODEL("\"x\",\"y\"", "0E0", "rank:pairwise", "gbtree"), "x", 0 },
        { MODEL("", "5E-1", "rank:ndcg", "gbtree"), "f0", 0.5f },
        { MODEL("", "[5E-1]", "reg:squarederror", "gbtree"), "f0", 0.5f },
        { MODEL("", "5E-1", "binary:logistic", "gbtree"), "f0", 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float scores[3];
        struct str name;
        scores_of(cases[i].json, scores, &name);
        cr_assert(eq(flt, scores[0], -1.5f + cases[i].base));
        cr_assert(eq(flt, scores[1], 2.5f + cases[i].base), "the threshold itself goes right");
        cr_assert(eq(flt, scores[2], -1.5f + cases[i].base), "missing goes left");
        cr_assert(str_eq_c(name, cases[i].name));
    }
}

Test(ranker_xgboost, reads_a_dump)
{
    float scores[3];
    struct str name;
    /* yes is the second child: by number, not by place */
    scores_of("[{\"nodeid\":0,\"split\":\"x\",\"split_condition\":7,\"yes\":1,\"no\":2,\"missing\":1,\"children\":["
              "{\"nodeid\":1,\"split\":\"y\",\"split_condition\":0.5,\"yes\":3,\"no\":4,\"missing\":4,\"children\":["
              "{\"nodeid\":4,\"leaf\":2},{\"nodeid\":3,\"leaf\":-1}]},{\"nodeid\":2,\"leaf\":100}]}]",
              scores, &name);
    cr_assert(eq(flt, scores[0], -1));
    cr_assert(eq(flt, scores[1], 2));
    cr_assert(eq(flt, scores[2], 2));
    cr_assert(str_eq_c(name, "x"));
}

Test(ranker_xgboost, refuses_what_it_cannot_keep)
{
    static const char *const bad[][2] = {
        { MODEL("", "5E-1", "rank:ndcg", "dart"), "booster \"dart\"" },
        { MODEL("", "5E-1", "multi:softmax", "gbtree"), "objective \"multi:softmax\"" },
        { MODEL("", "[1,2]", "rank:ndcg", "gbtree"), "base_score is not one number" },
        { MODEL("\"a\"", "0", "rank:ndcg", "gbtree"), "feature_names has another length" },
        { "[{\"nodeid\":0,\"split\":\"a\"}]", "tree 0: a node without leaf" },
        { "[]", "0 trees" },
        { "{}", "neither" },
        { "[1", "JSON" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ranker_forest f;
        struct arena arena;
        struct err err;
        arena_init(&arena, 1 << 12);
        bool fine = ranker_xgboost_read(str_of(bad[i][0]), NULL, 0, &arena, &f, &err);
        cr_assert(not(fine), "%s", bad[i][0]);
        cr_assert(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s", err.text);
        arena_release(&arena);
    }
}

/* ---- LightGBM ---- */

#define LIGHT(decision, more)                                                                                    \
    "tree\nversion=v4\nnum_tree_per_iteration=1\nfeature_names=a b\n\nTree=0\nnum_leaves=3\nsplit_feature=0 1\n" \
    "threshold=0.1 -1\ndecision_type=" decision "\nleft_child=1 -1\nright_child=-3 -2\nleaf_value=1 2 3\n" more  \
    "\nTree=1\nnum_leaves=1\nleaf_value=0.5\n\nend of trees\n"

Test(ranker_lightgbm, a_threshold_goes_left_and_missing_where_its_type_says)
{
    static const struct {
        float a, b, score;
    } cases[] = {
        { 0.1f, 0, 3.5f }, /* 0.1f is above the double 0.1 */
        { 0.0999999940f, -1, 1.5f }, { 0, -0.9999999f, 2.5f },
        { NAN, NAN, 2.5f }, /* a: type NaN, left; b: type None, as 0 */
        { NAN, -2, 1.5f },
    };
    struct ranker_forest f;
    struct buf section;
    struct arena arena;
    struct ranker r;
    struct err err;
    arena_init(&arena, 1 << 12);
    buf_init(&section, 1 << 12);
    cr_assert(
        ranker_lightgbm_read(STR("tree\nfeature_names=a\nTree=0\nnum_leaves=2\nsplit_feature=0\nthreshold=inf\n"
                                 "decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\nend of trees\n"),
                             &arena, &f, &err),
        "%s", err.text);
    cr_assert(eq(flt, f.trees[0].nodes[0].threshold, FLT_MAX), "missing or not");
    cr_assert(ranker_lightgbm_read(STR(LIGHT("10 0", "")), &arena, &f, &err), "%s", err.text);
    cr_assert(ranker_forest_write(&f, &section, &err), "%s", err.text);
    cr_assert(ranker_read(buf_str(&section), &arena, &r, &err), "%s", err.text);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float score;
        ranker_score(&r, (float[]){ cases[i].a, cases[i].b }, 1, &score);
        cr_assert(eq(flt, score, cases[i].score), "case %zu", i);
    }
    buf_release(&section);
    arena_release(&arena);
}

Test(ranker_lightgbm, refuses_what_it_cannot_keep)
{
    static const char *const bad[][2] = {
        { LIGHT("11 0", ""), "tree 0: it has a categorical split" },
        { LIGHT("4 0", ""), "zero_as_missing" },
        { LIGHT("2", ""), "line \"decision_type\"" },
        { LIGHT("2 2", "num_cat=1\n"), "categorical splits" },
        { LIGHT("2 2", "is_linear=1\n"), "linear models" },
        { "tree\nfeature_names=a\n", "no tree" },
        { "tree\nTree=0\n", "feature_names" },
        { "tree\nfeature_names=a\nTree=0\nnum_leaves=2\nsplit_feature=1\n", "line \"split_feature\"" },
        { "forest", "first line" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ranker_forest f;
        struct arena arena;
        struct err err;
        arena_init(&arena, 1 << 12);
        bool fine = ranker_lightgbm_read(str_of(bad[i][0]), &arena, &f, &err);
        cr_assert(not(fine), "%s", bad[i][0]);
        cr_assert(ne(ptr, strstr(err.text, bad[i][1]), NULL), "%s", err.text);
        arena_release(&arena);
    }
}
