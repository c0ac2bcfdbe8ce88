/* JSON lines of rows, and answers of Solr and Elasticsearch: rows.h. */
#include <jansson.h>
#include <math.h>

#include "base/json.h"
#include "experimentd/features/rows.h"

struct reading {
    struct feature_rows *r;
    const struct feature_source *source;
    size_t line;
    float values[FEATURES_MAX]; /* of the row; the first `count` */
    uint32_t count, near;
};

static struct str text_of(const json_t *v)
{
    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : (struct str){ NULL, 0 };
}

/* ---- values of a row ---- */

static void begin_row(struct reading *g)
{
    g->count = 0;
    g->near = 0;
}

static void put(struct reading *g, uint32_t feature, float v)
{
    for (; g->count <= feature; g->count++)
        g->values[g->count] = NAN;
    g->values[feature] = v;
}

static bool put_named(struct reading *g, struct str name, float v, struct err *err)
{
    uint32_t feature;
    if (!feature_rows_feature(g->r, name, g->near, &feature, err))
        return false;
    put(g, feature, v);
    g->near = feature + 1;
    return true;
}

static bool put_json(struct reading *g, struct str name, const json_t *v, struct err *err)
{
    float f = NAN;
    if (!json_is_null(v) && (!json_is_number(v) || !feature_value_of(json_number_value(v), &f, NULL)))
        return err_set(err, ERR_INVALID, "feature \"" STR_FMT "\" is no number of 32 bits", STR_ARG(str_cut(name, 60)));
    return put_named(g, name, f, err);
}

static bool end_row(struct reading *g, struct str query, struct str doc, float grade, struct err *err)
{
    float *values = feature_rows_add(g->r, g->line, query, doc, g->count, grade, err);
    if (!values)
        return false;
    memcpy(values, g->values, g->count * sizeof *values);
    return true;
}

/* ---- rows of our own ---- */

static bool put_array(struct reading *g, const json_t *array, struct err *err)
{
    if (json_array_size(array) > g->r->features)
        return err_set(err, ERR_INVALID, "field \"features\" has %zu values, the set %u features",
                       json_array_size(array), g->r->features);
    for (uint32_t i = 0; i < json_array_size(array); i++)
        if (!put_json(g, g->r->names[i], json_array_get(array, i), err))
            return false;
    return true;
}

static bool put_object(struct reading *g, json_t *object, struct err *err)
{
    const char *key;
    json_t *v;
    json_object_foreach(object, key, v) if (!put_json(g, str_of(key), v, err)) return false;
    return true;
}

static bool own_row(struct reading *g, json_t *root, struct err *err)
{
    struct json_reader r;
    struct str query = { NULL, 0 }, doc = { NULL, 0 };
    json_t *features = NULL;
    double grade = NAN, weight;
    json_reader_open(&r, root, "row");
    (void)json_get_str(&r, "query", JSON_REQUIRED, &query, NULL);
    (void)json_get_str(&r, "doc", JSON_REQUIRED, &doc, NULL);
    (void)json_get_any(&r, "features", JSON_REQUIRED, &features);
    (void)json_get_double(&r, "grade", JSON_OPTIONAL, &grade);
    (void)json_get_double(&r, "weight", JSON_OPTIONAL, &weight);
    if (!json_reader_close(&r, err))
        return false;
    if (!json_is_array(features) && !json_is_object(features))
        return err_set(err, ERR_INVALID, "row: field \"features\" is neither an object nor a list");
    begin_row(g);
    return (json_is_array(features) ? put_array(g, features, err) : put_object(g, features, err)) &&
           end_row(g, query, doc, (float)grade, err);
}

/* ---- Solr ---- */

/* "name=value,name=value" */
static bool solr_features(struct reading *g, struct str text, struct err *err)
{
    struct str one;
    begin_row(g);
    while (str_split(&text, ',', &one)) {
        float v;
        size_t at = one.n;
        while (at > 0 && one.p[at - 1] != '=')
            at--;
        if (one.n == 0)
            continue;
        if (at < 2 || !feature_value_read((struct str){ one.p + at, one.n - at }, &v, NULL))
            return err_set(err, ERR_INVALID, "\"[features]\" has \"" STR_FMT "\", not name=value",
                           STR_ARG(str_cut(one, 60)));
        if (!put_named(g, (struct str){ one.p, at - 1 }, v, err))
            return false;
    }
    return true;
}

static struct str id_of(struct reading *g, const json_t *v)
{
    if (json_is_integer(v))
        return arena_printf(g->r->arena, "%lld", (long long)json_integer_value(v));
    return text_of(json_is_array(v) ? json_array_get(v, 0) : v);
}

static struct str query_of(const struct reading *g, json_t *root)
{
    struct str own = text_of(json_object_get(root, "query"));
    if (own.n || g->source->query.n)
        return own.n ? own : g->source->query;
    return text_of(json_object_get(json_object_get(json_object_get(root, "responseHeader"), "params"), "q"));
}

static bool solr_answer(struct reading *g, json_t *root, struct err *err)
{
    const json_t *docs = json_object_get(json_object_get(root, "response"), "docs");
    struct str field = g->source->id_field.n ? g->source->id_field : STR("id");
    size_t i;
    json_t *doc;
    if (!json_is_array(docs))
        return err_set(err, ERR_INVALID, "there is no list response.docs: it is no answer of Solr");
    json_array_foreach(docs, i, doc)
    {
        const json_t *features = json_object_get(doc, "[features]");
        if (!json_is_string(features))
            return err_set(err, ERR_INVALID, "document %zu has no \"[features]\": ask for fl=%.*s,[features]", i + 1,
                           STR_ARG(str_cut(field, 60)));
        if (!solr_features(g, text_of(features), err) ||
            !end_row(g, query_of(g, root), id_of(g, json_object_getn(doc, field.p, field.n)), NAN, err))
            return err_prefix(err, "document %zu: ", i + 1);
    }
    return true;
}

/* ---- Elasticsearch ---- */

/* [{"main": [{"name", "value"}]}]: a feature that did not match has no value. */
static bool logged(struct reading *g, const json_t *log, struct err *err)
{
    size_t i, k;
    json_t *spec, *feature;
    const char *name;
    begin_row(g);
    json_array_foreach(log, i, spec) json_object_foreach(spec, name, feature)
    {
        json_t *one;
        json_array_foreach(feature, k, one)
        {
            struct str of = text_of(json_object_get(one, "name"));
            json_t *v = json_object_get(one, "value");
            if (!of.n)
                return err_set(err, ERR_INVALID, "a feature of \"_ltrlog\" has no name");
            if (v && !put_json(g, of, v, err))
                return false;
            if (!v && !put_named(g, of, NAN, err))
                return false;
        }
    }
    return true;
}

static bool elasticsearch_answer(struct reading *g, json_t *root, struct err *err)
{
    const json_t *hits = json_object_get(json_object_get(root, "hits"), "hits");
    size_t i;
    json_t *hit;
    if (!json_is_array(hits))
        return err_set(err, ERR_INVALID, "there is no list hits.hits: it is no answer of Elasticsearch");
    json_array_foreach(hits, i, hit)
    {
        const json_t *log = json_object_get(json_object_get(hit, "fields"), "_ltrlog");
        if (!json_is_array(log))
            return err_set(err, ERR_INVALID, "hit %zu has no \"_ltrlog\": ask with ext.ltr_log", i + 1);
        if (!logged(g, log, err) || !end_row(g, query_of(g, root), text_of(json_object_get(hit, "_id")), NAN, err))
            return err_prefix(err, "hit %zu: ", i + 1);
    }
    return true;
}

/* ---- lines ---- */

static bool one(struct reading *g, struct str text, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "is no JSON object");
    return g->source->format == FEATURES_JSONL  ? own_row(g, root, err)
           : g->source->format == FEATURES_SOLR ? solr_answer(g, root, err)
                                                : elasticsearch_answer(g, root, err);
}

/* An answer may be printed over many lines; then it is the only one. */
static bool is_one(struct str text)
{
    struct err err;
    if (!memchr(text.p, '\n', text.n))
        return false;
    json_auto_t *root = json_parse(text, &err);
    return root != NULL;
}

bool feature_read_json(struct feature_rows *r, const struct feature_source *source, struct err *err)
{
    struct reading *g = arena_zalloc(r->arena, sizeof *g);
    struct str rest = str_trim(source->text), line;
    *g = (struct reading){ .r = r, .source = source, .line = 1 };
    if (source->format != FEATURES_JSONL && is_one(rest))
        return one(g, rest, err);
    for (; str_split(&rest, '\n', &line); g->line++) {
        struct err wrong;
        line = str_trim(line);
        if (line.n && !one(g, line, &wrong))
            bad_lines_add(&r->bad, g->line, &wrong);
    }
    return true;
}
