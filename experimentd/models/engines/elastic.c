/* The LTR plugins of Elasticsearch and OpenSearch: a feature set, and the body of _createmodel, where the model is a string of JSON. A feature that does
 * not match is missing there, and goes where the node says. The objective is one that they know and that leaves the sum as it is. */
#include <math.h>

#include "experimentd/models/engines/engine.h"

enum { DEFINITION_MAX = 1 << 30 };

static void put_model(const struct engine_ask *a, const char *type, const char *more, const struct buf *definition,
                      struct buf *out)
{
    buf_add_c(out, "{\"model\":{\"name\":\"");
    engine_name(a, out);
    buf_addf(out, "\",\"model\":{\"type\":\"%s\",%s\"definition\":", type, more);
    buf_add_json_str(out, buf_str(definition));
    buf_add_c(out, "}}}\n");
}

bool elastic_trees(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct dump_style style = { .names = a->r->names };
    AUTO(buf_release) struct buf d;
    buf_init(&d, DEFINITION_MAX);
    buf_add_c(&d, "{\"objective\":\"rank:pairwise\",\"splits\":[");
    for (uint32_t t = 0; t < a->r->trees; t++) {
        if (t)
            buf_add_byte(&d, ',');
        xgboost_dump_tree(a->r, t, &style, &d);
    }
    buf_add_c(&d, "]}");
    put_model(a, "model/xgboost+json", "", &d, out);
    return buf_ok(&d, "the model", err);
}

bool elastic_raw(const struct engine_ask *a, struct buf *out, struct err *err)
{
    AUTO(buf_release) struct buf d;
    buf_init(&d, DEFINITION_MAX);
    if (!xgboost_trees(a, &d, err))
        return false;
    put_model(a, "model/xgboost+json+raw", "", &d, out);
    return buf_ok(&d, "the model", err);
}

static void put_normalizers(const struct ranker *r, struct buf *out)
{
    bool comma = false;
    buf_add_c(out, "\"feature_normalizers\":{");
    for (uint32_t f = 0; f < r->features; f++) {
        if (!(fabsf(r->centers[f]) > 0 || r->scales[f] < 1 || r->scales[f] > 1))
            continue;
        if (comma)
            buf_add_byte(out, ',');
        comma = true;
        buf_add_json_str(out, r->names[f]);
        buf_add_c(out, ":{\"standard\":{\"mean\":");
        engine_float(out, r->centers[f]);
        buf_add_c(out, ",\"standard_deviation\":");
        engine_float(out, fabsf(r->scales[f]));
        buf_add_c(out, "}}");
    }
    buf_add_c(out, "},");
}

bool elastic_linear(const struct engine_ask *a, struct buf *out, struct err *err)
{
    const struct ranker *r = a->r;
    AUTO(buf_release) struct buf d, normalizers;
    uint32_t defaults = 0;
    buf_init(&d, DEFINITION_MAX);
    buf_init(&normalizers, DEFINITION_MAX);
    buf_add_byte(&d, '{');
    for (uint32_t f = 0; f < r->features; f++) {
        defaults += fabsf(engine_missing(r, f)) > 0;
        if (f)
            buf_add_byte(&d, ',');
        buf_add_json_str(&d, r->names[f]);
        buf_add_byte(&d, ':');
        engine_float(&d, r->scales[f] < 0 ? -r->weights[f] : r->weights[f]);
    }
    buf_add_byte(&d, '}');
    put_normalizers(r, &normalizers);
    put_model(a, "model/linear", normalizers.n ? normalizers.p : "", &d, out);
    if (defaults)
        engine_note(
            a, "a missing value is 0 there: for %u features it is another one here, which their templates must give",
            defaults);
    return buf_ok(&d, "the model", err);
}

/* Matches where the document has the field, and scores by it. */
static void put_field_template(struct str name, struct buf *out)
{
    buf_add_c(out, "\"params\":[],\"template_language\":\"mustache\",\"template\":{\"function_score\":{\"query\":{"
                   "\"exists\":{\"field\":");
    buf_add_json_str(out, name);
    buf_add_c(out, "}},\"field_value_factor\":{\"field\":");
    buf_add_json_str(out, name);
    buf_add_c(out, "},\"boost_mode\":\"replace\"}}");
}

/* The members as section "features" has them: params, template_language, template. */
static void put_own(const json_t *own, struct buf *out)
{
    static const struct {
        const char *name, *otherwise;
    } members[] = { { "params", "[]" }, { "template_language", "\"mustache\"" }, { "template", "{\"match_all\":{}}" } };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const json_t *v = json_object_get(own, members[i].name);
        buf_addf(out, "%s\"%s\":", i ? "," : "", members[i].name);
        if (v)
            json_write(out, v);
        else
            buf_add_c(out, members[i].otherwise);
    }
}

bool elastic_features(const struct engine_ask *a, struct buf *out, struct err *err)
{
    (void)err;
    buf_add_c(out, "{\"featureset\":{\"name\":\"");
    engine_name(a, out);
    buf_add_c(out, "\",\"features\":[");
    for (uint32_t f = 0; f < a->r->features; f++) {
        const json_t *own = engine_words(a, f, "elasticsearch");
        buf_add_c(out, f ? ",\n {\"name\":" : "\n {\"name\":");
        buf_add_json_str(out, a->r->names[f]);
        buf_add_byte(out, ',');
        if (json_is_object(own))
            put_own(own, out);
        else
            put_field_template(a->r->names[f], out);
        buf_add_byte(out, '}');
    }
    buf_add_c(out, "]}}\n");
    return true;
}
