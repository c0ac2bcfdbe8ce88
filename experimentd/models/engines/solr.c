/* Solr LTR. Its setters match the exact class of a value, so weights of trees, thresholds and leaves are JSON strings, and weights of linear models
 * numbers. A node's threshold gets 1e-6f added when it is loaded; a missing value is 0 unless the model says isNullSameAsZero false (9.2), the node
 * where it goes, and the feature's default is "NaN". */
#include <math.h>

#include "experimentd/models/engines/engine.h"

static const float SLACK = 1e-6f;

/* The greatest t with t + SLACK below the threshold, as Java's float adds. */
static float solr_threshold(float threshold)
{
    float t = threshold - SLACK;
    while (t + SLACK >= threshold)
        t = nextafterf(t, -INFINITY);
    for (float next = nextafterf(t, INFINITY); next + SLACK < threshold; next = nextafterf(t, INFINITY))
        t = next;
    return t;
}

static bool exact(float threshold)
{
    float compared = solr_threshold(threshold) + SLACK, before = nextafterf(threshold, -INFINITY);
    return compared >= before;
}

static void put_text(struct buf *out, const char *member, float v)
{
    buf_addf(out, "\"%s\":\"", member);
    engine_float(out, v);
    buf_add_byte(out, '"');
}

struct solr {
    const struct ranker *r;
    const struct ranker_tree_node *nodes;
    bool nulls;
    uint32_t inexact;
};

static void put_node(struct solr *s, uint32_t i, struct buf *out)
{
    const struct ranker_tree_node *n = &s->nodes[i];
    buf_add_byte(out, '{');
    if (!n->left) {
        put_text(out, "value", n->leaf);
        buf_add_byte(out, '}');
        return;
    }
    s->inexact += !exact(n->threshold);
    buf_add_c(out, "\"feature\":");
    buf_add_json_str(out, s->r->names[n->feature]);
    buf_add_byte(out, ',');
    put_text(out, "threshold", solr_threshold(n->threshold));
    if (s->nulls)
        buf_add_c(out, engine_missing_left(s->r, n) ? ",\"missing\":\"left\"" : ",\"missing\":\"right\"");
    buf_add_c(out, ",\"left\":");
    put_node(s, n->left, out);
    buf_add_c(out, ",\"right\":");
    put_node(s, n->right, out);
    buf_add_byte(out, '}');
}

static void put_head(const struct engine_ask *a, const char *class, struct buf *out)
{
    buf_add_c(out, "{\"store\":\"");
    engine_name(a, out);
    buf_add_c(out, "\",\"name\":\"");
    engine_name(a, out);
    buf_addf(out, "\",\"class\":\"org.apache.solr.ltr.model.%s\",\"features\":[", class);
}

/* A missing value that goes where 0 does needs nothing of Solr; with a default it is never missing there. */
static bool needs_nulls(const struct ranker *r)
{
    return r->type == RANKER_TREES && engine_missing_is_not_zero(r, false) > 0;
}

bool solr_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    struct solr s = { .r = a->r, .nulls = needs_nulls(a->r) };
    (void)err;
    put_head(a, "MultipleAdditiveTreesModel", out);
    for (uint32_t f = 0; f < a->r->features; f++) {
        buf_add_c(out, f ? ",{\"name\":" : "{\"name\":");
        buf_add_json_str(out, a->r->names[f]);
        buf_add_byte(out, '}');
    }
    buf_add_c(out, s.nulls ? "],\"params\":{\"isNullSameAsZero\":false,\"trees\":[" : "],\"params\":{\"trees\":[");
    for (uint32_t t = 0; t < a->r->trees; t++) {
        struct ranker_tree_node *nodes = engine_tree(a->r, t);
        s.nodes = nodes;
        buf_add_c(out, t ? ",{\"weight\":\"1\",\"root\":" : "{\"weight\":\"1\",\"root\":");
        put_node(&s, 0, out);
        buf_add_byte(out, '}');
        mem_free(nodes);
    }
    buf_add_c(out, "]}}\n");
    if (s.nulls)
        engine_note(a, "missing values need Solr 9.2 or later");
    if (s.inexact)
        engine_note(a, "%u thresholds lie where Solr's slack of 1e-6 cannot hit the float before them", s.inexact);
    return true;
}

/* A scale below 0 is not Solr's: both signs turn round. */
static float sign_of(const struct ranker *r, uint32_t f)
{
    return r->scales[f] < 0 ? -1 : 1;
}

bool solr_linear(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    (void)err;
    put_head(a, "LinearModel", out);
    for (uint32_t f = 0; f < r->features; f++) {
        buf_add_c(out, f ? ",{\"name\":" : "{\"name\":");
        buf_add_json_str(out, r->names[f]);
        if (fabsf(r->centers[f]) > 0 || r->scales[f] < 1 || r->scales[f] > 1) {
            buf_add_c(out, ",\"norm\":{\"class\":\"org.apache.solr.ltr.norm.StandardNormalizer\",\"params\":{");
            put_text(out, "avg", r->centers[f]);
            buf_add_byte(out, ',');
            put_text(out, "std", sign_of(r, f) * r->scales[f]);
            buf_add_c(out, "}}");
        }
        buf_add_byte(out, '}');
    }
    buf_add_c(out, "],\"params\":{\"weights\":{");
    for (uint32_t f = 0; f < r->features; f++) {
        if (f)
            buf_add_byte(out, ',');
        buf_add_json_str(out, r->names[f]);
        buf_add_byte(out, ':');
        engine_float(out, sign_of(r, f) * r->weights[f]);
    }
    buf_add_c(out, "}}}\n");
    return true;
}

/* {"class", "params"} as section "features" has it, with the default; without one, a field of the feature's name. */
static void put_feature(const struct engine_ask *a, uint32_t f, bool nulls, struct buf *out)
{
    const json_t *own = engine_words(a, f, "solr"), *class = json_object_get(own, "class");
    json_t *params = json_object_get(own, "params"),
           *all = json_is_object(params) ? json_deep_copy(params) : json_object();
    float missing = engine_missing(a->r, f);
    buf_add_c(out, "{\"store\":\"");
    engine_name(a, out);
    buf_add_c(out, "\",\"name\":");
    buf_add_json_str(out, a->r->names[f]);
    buf_add_c(out, ",\"class\":");
    buf_add_json_str(out, json_is_string(class) ? str_of(json_string_value(class))
                                                : STR("org.apache.solr.ltr.feature.FieldValueFeature"));
    if (!own)
        json_object_set_new(all, "field", json_stringn(a->r->names[f].p, a->r->names[f].n));
    if (isnan(missing) ? nulls : fabsf(missing) > 0) {
        struct buf text;
        buf_init(&text, 64);
        if (isnan(missing))
            buf_add_c(&text, "NaN");
        else
            engine_float(&text, missing);
        json_object_set_new(all, "defaultValue", json_stringn(text.p, text.n));
        buf_release(&text);
    }
    buf_add_c(out, ",\"params\":");
    json_write(out, all);
    buf_add_byte(out, '}');
    json_decref(all);
}

bool solr_features(const struct engine_ask *a, struct buf *out, struct err *err)
{
    bool nulls = needs_nulls(a->r);
    (void)err;
    for (uint32_t f = 0; f < a->r->features; f++) {
        buf_add_c(out, f ? ",\n " : "[");
        put_feature(a, f, nulls, out);
    }
    buf_add_c(out, "]\n");
    if (nulls)
        engine_note(a, "missing values need Solr 9.2 or later");
    return true;
}
