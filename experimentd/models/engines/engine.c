#include "experimentd/models/engines/engine.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=utf-8"

const struct engine_format engine_formats[] = {
    { "solr", JSON_TYPE, "json", "Solr LTR: the model, for schema/model-store", solr_trees, solr_linear },
    { "solr-features", JSON_TYPE, "json", "Solr LTR: the feature store, for schema/feature-store", solr_features,
      solr_features },
    { "elasticsearch", JSON_TYPE, "json", "Elasticsearch LTR: the body of _createmodel", elastic_trees,
      elastic_linear },
    { "elasticsearch-raw", JSON_TYPE, "json", "the same as model/xgboost+json+raw", elastic_raw, NULL },
    { "elasticsearch-features", JSON_TYPE, "json", "Elasticsearch LTR: the feature set", elastic_features,
      elastic_features },
    { "opensearch", JSON_TYPE, "json", "OpenSearch LTR: the body of _createmodel", elastic_trees, elastic_linear },
    { "opensearch-features", JSON_TYPE, "json", "OpenSearch LTR: the feature set", elastic_features, elastic_features },
    { "ranklib", TEXT_TYPE, "txt", "RankLib's LambdaMART", ranklib_trees, NULL },
    { "vespa", JSON_TYPE, "json", "Vespa: models/NAME.json", vespa_trees, NULL },
    { "vespa-profile", TEXT_TYPE, "profile", "Vespa: the rank profile; of a linear model the expression itself",
      vespa_profile, vespa_linear },
    { "xgboost", JSON_TYPE, "json", "XGBoost: load_model", xgboost_trees, NULL },
    { "lightgbm", TEXT_TYPE, "txt", "LightGBM: Booster(model_file=…)", lightgbm_trees, NULL },
    { "json", JSON_TYPE, "json", "all that there is, plainly", plain_trees, plain_linear },
    { "summary", JSON_TYPE, "json", "how large it is, and what its features matter", summary_write, summary_write },
};
const size_t engine_formats_count = COUNT_OF(engine_formats);

const struct engine_format *engine_format_of(struct str name)
{
    for (size_t i = 0; i < engine_formats_count; i++)
        if (str_eq_c(name, engine_formats[i].name))
            return &engine_formats[i];
    return NULL;
}

static bool features_of(const struct ranker *r, json_t **out, struct err *err)
{
    *out = r->features_json.p ? json_parse(r->features_json, err) : NULL;
    return *out || !r->features_json.p;
}

bool engine_export(const struct engine_format *f, const struct ranker *r, const char *model, int version,
                   struct buf *out, struct buf *out_note, struct err *err)
{
    struct engine_ask a = { .r = r, .model = model, .version = version, .note = out_note };
    bool (*write)(const struct engine_ask *, struct buf *, struct err *) = r->type == RANKER_TREES ? f->trees
                                                                                                   : f->linear;
    if (!write)
        return err_set(err, ERR_INVALID, "format \"%s\" holds no ranker of type \"%s\"", f->name,
                       ranker_type_names[r->type]);
    if (!features_of(r, &a.features, err))
        return err_prefix(err, "section \"features\": ");
    bool fine = write(&a, out, err);
    json_decref(a.features);
    return fine && buf_ok(out, "the export", err);
}

void engine_float(struct buf *out, float v)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v) // NOLINT(clang-diagnostic-float-equal)
            break;
    }
    buf_add_c(out, text);
}

void engine_double(struct buf *out, double v)
{
    char text[NUMBER_TEXT_MAX];
    buf_add(out, text, number_text(v, text));
}

void engine_name(const struct engine_ask *a, struct buf *out)
{
    buf_addf(out, "%s_v%d", a->model, a->version);
}

json_t *engine_words(const struct engine_ask *a, uint32_t f, const char *engine)
{
    json_t *v = json_object_get(json_array_get(a->features, f), engine);
    return json_is_null(v) ? NULL : v;
}

float engine_missing(const struct ranker *r, uint32_t f)
{
    return r->type == RANKER_LINEAR && isnan(r->defaults[f]) ? r->centers[f] : r->defaults[f];
}

bool engine_missing_left(const struct ranker *r, const struct ranker_tree_node *n)
{
    float d = r->defaults[n->feature];
    return isnan(d) ? n->missing_left : d < n->threshold;
}

struct ranker_tree_node *engine_tree(const struct ranker *r, uint32_t tree)
{
    struct ranker_tree_node *nodes = mem_alloc(ranker_tree_size(r, tree) * sizeof *nodes);
    ranker_tree_nodes(r, tree, nodes);
    return nodes;
}

uint32_t engine_missing_is_not_zero(const struct ranker *r, bool defaults)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < r->trees; t++) {
        struct ranker_tree_node *nodes = engine_tree(r, t);
        for (uint32_t i = 0; i < ranker_tree_size(r, t); i++)
            count += nodes[i].left && (defaults || isnan(r->defaults[nodes[i].feature])) &&
                     engine_missing_left(r, &nodes[i]) != (0 < nodes[i].threshold);
        mem_free(nodes);
    }
    return count;
}

void engine_note(const struct engine_ask *a, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (a->note->n)
        buf_add_c(a->note, "; ");
    buf_add_c(a->note, text);
}
