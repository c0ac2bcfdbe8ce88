#include "experimentd/features/spec.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/features/rows.h"

static const char *const sources[] = { "file", "logged", "signals" };

/* ---- writing ---- */

static void put_any(struct jsonw *w, const char *key, const json_t *v)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, FEATURE_SPEC_BYTES_MAX);
    json_write(&b, v);
    jsonw_raw(w, key, buf_str(&b));
}

void feature_spec_of_names(const struct str *names, uint32_t count, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "features", '[');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "name", names[i]);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
}

/* ---- reading ---- */

struct feature {
    struct str name, source, vespa;
    double fallback;
    int64_t monotone;
    json_t *solr, *elasticsearch;
};

static bool source_known(struct str s)
{
    for (size_t i = 0; i < COUNT_OF(sources); i++)
        if (str_eq_c(s, sources[i]))
            return true;
    return false;
}

static bool read_object(json_t *v, const char *what, struct feature *f, struct err *err)
{
    struct json_reader r;
    float fallback;
    json_reader_open(&r, v, what);
    (void)json_get_str(&r, "name", JSON_REQUIRED, &f->name, NULL);
    if (json_get_str(&r, "source", JSON_OPTIONAL, &f->source, NULL) && !source_known(f->source))
        (void)json_fail(&r, "source", "is none of \"file\", \"logged\", \"signals\"");
    if (json_get_double(&r, "default", JSON_OPTIONAL, &f->fallback) && !feature_value_of(f->fallback, &fallback, NULL))
        (void)json_fail(&r, "default", "is no number of 32 bits");
    if (json_get_i64(&r, "monotone", JSON_OPTIONAL, &f->monotone) && (f->monotone < -1 || f->monotone > 1))
        (void)json_fail(&r, "monotone", "is none of -1, 0, 1");
    (void)json_get_object(&r, "solr", JSON_OPTIONAL, &f->solr);
    (void)json_get_object(&r, "elasticsearch", JSON_OPTIONAL, &f->elasticsearch);
    (void)json_get_str(&r, "vespa", JSON_OPTIONAL, &f->vespa, NULL);
    return json_reader_close(&r, err);
}

static bool read_feature(json_t *v, size_t number, struct feature *f, struct err *err)
{
    char what[32];
    (void)snprintf(what, sizeof what, "features[%zu]", number);
    *f = (struct feature){ .fallback = NAN };
    if (json_is_string(v))
        f->name = (struct str){ json_string_value(v), json_string_length(v) };
    else if (!json_is_object(v))
        return err_set(err, ERR_INVALID, "%s is neither a text nor an object", what);
    else if (!read_object(v, what, f, err))
        return false;
    return feature_name_check(f->name, err) || err_prefix(err, "%s: ", what);
}

static void put_feature(struct jsonw *w, const struct feature *f)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", f->name);
    if (f->source.n)
        jsonw_str(w, "source", f->source);
    if (!isnan(f->fallback))
        jsonw_double(w, "default", f->fallback);
    if (f->monotone)
        jsonw_i64(w, "monotone", f->monotone);
    if (f->solr)
        put_any(w, "solr", f->solr);
    if (f->elasticsearch)
        put_any(w, "elasticsearch", f->elasticsearch);
    if (f->vespa.n)
        jsonw_str(w, "vespa", f->vespa);
    jsonw_close(w);
}

static bool once(json_t *seen, struct str name, struct err *err)
{
    if (json_object_getn(seen, name.p, name.n))
        return err_set(err, ERR_INVALID, "feature \"" STR_FMT "\" is there twice", STR_ARG(str_cut(name, 60)));
    (void)json_object_setn_new(seen, name.p, name.n, json_true());
    return true;
}

static bool read_features(json_t *list, struct feature_spec *out, struct err *err)
{
    struct jsonw w;
    json_auto_t *seen = json_object();
    const size_t n = json_array_size(list);
    if (n == 0 || n > FEATURES_MAX)
        return err_set(err, ERR_INVALID, "field \"features\" has %zu features, not from 1 to %d", n, FEATURES_MAX);
    jsonw_init(&w, &out->stored);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "features", '[');
    for (size_t i = 0; i < n; i++) {
        struct feature f;
        if (!read_feature(json_array_get(list, i), i, &f, err) || !once(seen, f.name, err))
            return false;
        put_feature(&w, &f);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    out->features = (uint32_t)n;
    return buf_ok(&out->stored, "the set of features", err);
}

bool feature_spec_read(struct str json, struct arena *arena, struct feature_spec *out, struct err *err)
{
    struct json_reader r;
    json_t *list = NULL;
    *out = (struct feature_spec){ .description = STR("") };
    buf_init(&out->stored, FEATURE_SPEC_BYTES_MAX);
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    json_reader_open(&r, root, "feature set");
    if (json_get_str(&r, "description", JSON_OPTIONAL, &out->description, arena) &&
        out->description.n > FEATURE_DESCRIPTION_MAX)
        (void)json_fail(&r, "description", "has more than %d bytes", FEATURE_DESCRIPTION_MAX);
    (void)json_get_array(&r, "features", JSON_REQUIRED, &list);
    return json_reader_close(&r, err) && read_features(list, out, err);
}

bool feature_spec_names(struct str stored, struct arena *arena, struct str **out_names, uint32_t *out_count,
                        struct err *err)
{
    json_auto_t *root = json_parse(stored, err);
    if (!root)
        return false;
    const json_t *list = json_object_get(root, "features");
    const size_t n = json_array_size(list);
    struct str *names = arena_zalloc(arena, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_object_get(json_array_get(list, i), "name");
        names[i] = arena_str(arena, (struct str){ json_string_value(name), json_string_length(name) });
    }
    *out_names = names;
    *out_count = (uint32_t)n;
    return true;
}
