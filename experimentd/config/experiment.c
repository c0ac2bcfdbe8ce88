#include "experimentd/config/experiment.h"

#include <math.h>

#include "base/json.h"
#include "base/jsonw.h"

#define WEIGHT_SUM_TOLERANCE 1e-6
enum { SHOWN_MAX = 60 };

struct variant {
    struct str key, name;
    double weight; /* NAN: not given */
    json_t *value; /* NULL: the key itself */
};

struct metric {
    struct str key, role;
};

struct draft {
    struct str key, name, hypothesis, hash_attribute, seed, origin;
    int64_t hash_version;
    double coverage;
    struct variant variants[EXPERIMENT_VARIANTS_MAX];
    size_t variants_count;
    struct metric metrics[EXPERIMENT_METRICS_MAX];
    size_t metrics_count;
};

static bool key_format(struct str key, bool capitals)
{
    if (key.n == 0 || key.n > EXPERIMENT_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (capitals && c >= 'A' && c <= 'Z');
        if (!word && (i == 0 || !strchr("_.-", c)))
            return false;
    }
    return true;
}

/* An experiment's key stands in addresses and file names, so it has no capitals; variants are often called A and B. */
static void check_key(struct json_reader *r, struct str key, bool capitals)
{
    if (r->err.kind == ERR_NONE && !key_format(key, capitals))
        (void)json_fail(
            r, "key",
            "is \"%.*s\": must be 1 to %d of a-z, %s0-9, \"_\", \".\", \"-\" and start with a letter or digit",
            STR_ARG(str_cut(key, SHOWN_MAX)), EXPERIMENT_KEY_MAX, capitals ? "A-Z, " : "");
}

static bool check_length(struct json_reader *r, const char *field, struct str text)
{
    if (text.n > EXPERIMENT_TEXT_MAX)
        return json_fail(r, field, "is longer than %d bytes", EXPERIMENT_TEXT_MAX);
    return true;
}

static bool parse_variant(json_t *in, size_t i, struct draft *d, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct variant *v = &d->variants[i];
    struct str what = arena_printf(arena, "variants[%zu]", i);
    *v = (struct variant){ .weight = NAN };
    json_reader_open(&r, in, what.p);
    (void)json_get_str(&r, "key", JSON_REQUIRED, &v->key, arena);
    check_key(&r, v->key, true);
    (void)json_get_str(&r, "name", JSON_OPTIONAL, &v->name, arena);
    (void)check_length(&r, "name", v->name);
    (void)json_get_double(&r, "weight", JSON_OPTIONAL, &v->weight);
    if (!isnan(v->weight) && (v->weight < 0 || v->weight > 1))
        (void)json_fail(&r, "weight", "is %g, outside 0 to 1", v->weight);
    (void)json_get_any(&r, "value", JSON_OPTIONAL, &v->value);
    for (size_t k = 0; k < i; k++)
        if (r.err.kind == ERR_NONE && str_eq(d->variants[k].key, v->key))
            (void)json_fail(&r, "key", "\"%.*s\" is there twice", (int)v->key.n, v->key.p);
    return json_reader_close(&r, err);
}

static bool fill_weights(struct draft *d, struct err *err)
{
    size_t given = 0;
    double sum = 0;
    for (size_t i = 0; i < d->variants_count; i++) {
        given += isnan(d->variants[i].weight) ? 0 : 1;
        sum += isnan(d->variants[i].weight) ? 0 : d->variants[i].weight;
    }
    if (given == 0) {
        for (size_t i = 0; i < d->variants_count; i++)
            d->variants[i].weight = 1.0 / (double)d->variants_count;
        return true;
    }
    if (given < d->variants_count)
        return err_set(err, ERR_INVALID,
                       "experiment: %zu of %zu variants have a field \"weight\": give all of them or none", given,
                       d->variants_count);
    if (fabs(sum - 1) > WEIGHT_SUM_TOLERANCE)
        return err_set(err, ERR_INVALID, "experiment \"%.*s\": weights sum to %.9g, not 1", (int)d->key.n, d->key.p,
                       sum);
    return true;
}

static bool parse_variants(json_t *in, struct draft *d, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(in);
    if (n < 2 || n > EXPERIMENT_VARIANTS_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"variants\" has %zu elements, must have 2 to %d", n,
                       EXPERIMENT_VARIANTS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!parse_variant(json_array_get(in, i), i, d, arena, err))
            return false;
    d->variants_count = n;
    return fill_weights(d, err);
}

static bool known_role(struct str role)
{
    return str_eq(role, STR("primary")) || str_eq(role, STR("secondary")) || str_eq(role, STR("guardrail"));
}

static bool add_metric(struct draft *d, const struct snapshot *s, struct str key, struct str role, struct err *err)
{
    if (!snapshot_metric(s, key))
        return err_set(err, ERR_INVALID, "experiment: field \"metrics\": metric \"%.*s\" is not known",
                       STR_ARG(str_cut(key, SHOWN_MAX)));
    if (!known_role(role))
        return err_set(err, ERR_INVALID,
                       "experiment: field \"metrics\": role \"%.*s\" is not primary, secondary or guardrail",
                       STR_ARG(str_cut(role, SHOWN_MAX)));
    for (size_t i = 0; i < d->metrics_count; i++)
        if (str_eq(d->metrics[i].key, key))
            return err_set(err, ERR_INVALID, "experiment: field \"metrics\": metric \"%.*s\" is there twice",
                           (int)key.n, key.p);
    d->metrics[d->metrics_count++] = (struct metric){ key, role };
    return true;
}

static bool parse_metric(json_t *in, size_t i, struct draft *d, const struct snapshot *s, struct arena *arena,
                         struct err *err)
{
    struct str key = { NULL, 0 }, role = i == 0 ? STR("primary") : STR("secondary");
    if (json_is_string(in))
        return add_metric(d, s, arena_str(arena, (struct str){ json_string_value(in), json_string_length(in) }), role,
                          err);
    struct json_reader r;
    json_reader_open(&r, in, arena_printf(arena, "metrics[%zu]", i).p);
    (void)json_get_str(&r, "metric", JSON_REQUIRED, &key, arena);
    (void)json_get_str(&r, "role", JSON_OPTIONAL, &role, arena);
    return json_reader_close(&r, err) && add_metric(d, s, key, role, err);
}

/* The verdict is about a primary metric. */
static bool has_primary(const struct draft *d)
{
    for (size_t i = 0; i < d->metrics_count; i++)
        if (str_eq(d->metrics[i].role, STR("primary")))
            return true;
    return false;
}

static bool parse_metrics(json_t *in, struct draft *d, const struct snapshot *s, struct arena *arena, struct err *err)
{
    static const struct {
        const char *key, *role;
    } usual[] = {
        { "ctr", "primary" },   { "clicks_per_unit", "secondary" },     { "clicks_per_query", "secondary" },
        { "mrr", "secondary" }, { "time_to_first_click", "secondary" }, { "zero_result_rate", "guardrail" },
    };
    size_t n = json_array_size(in);
    if (!in) {
        for (size_t i = 0; i < COUNT_OF(usual); i++)
            if (!add_metric(d, s, str_of(usual[i].key), str_of(usual[i].role), err))
                return false;
        return true;
    }
    if (n < 1 || n > EXPERIMENT_METRICS_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"metrics\" has %zu elements, must have 1 to %d", n,
                       EXPERIMENT_METRICS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!parse_metric(json_array_get(in, i), i, d, s, arena, err))
            return false;
    return has_primary(d) || err_set(err, ERR_INVALID, "experiment: field \"metrics\": none has the role primary");
}

static void check_fields(struct json_reader *r, struct draft *d)
{
    check_key(r, d->key, false);
    (void)check_length(r, "name", d->name);
    (void)check_length(r, "hypothesis", d->hypothesis);
    (void)check_length(r, "hash_attribute", d->hash_attribute);
    (void)check_length(r, "seed", d->seed);
    if (d->hash_attribute.n == 0)
        (void)json_fail(r, "hash_attribute", "is empty");
    if (!(d->coverage >= 0 && d->coverage <= 1))
        (void)json_fail(r, "coverage", "is %g, outside 0 to 1", d->coverage);
    if (d->hash_version != 1 && d->hash_version != 2)
        (void)json_fail(r, "hash_version", "is %lld, must be 1 or 2", (long long)d->hash_version);
    if (!str_eq(d->origin, STR("live")) && !str_eq(d->origin, STR("simulated")))
        (void)json_fail(r, "origin", "must be \"live\" or \"simulated\"");
}

static bool parse_draft(json_t *root, struct draft *d, const struct snapshot *s, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *variants = NULL, *metrics = NULL;
    *d = (struct draft){ .hash_attribute = STR("id"), .origin = STR("live"), .hash_version = 2, .coverage = 1 };
    json_reader_open(&r, root, "experiment");
    (void)json_get_str(&r, "key", JSON_REQUIRED, &d->key, arena);
    (void)json_get_str(&r, "name", JSON_OPTIONAL, &d->name, arena);
    (void)json_get_str(&r, "hypothesis", JSON_OPTIONAL, &d->hypothesis, arena);
    (void)json_get_str(&r, "hash_attribute", JSON_OPTIONAL, &d->hash_attribute, arena);
    (void)json_get_str(&r, "seed", JSON_OPTIONAL, &d->seed, arena);
    (void)json_get_str(&r, "origin", JSON_OPTIONAL, &d->origin, arena);
    (void)json_get_i64(&r, "hash_version", JSON_OPTIONAL, &d->hash_version);
    (void)json_get_double(&r, "coverage", JSON_OPTIONAL, &d->coverage);
    (void)json_get_array(&r, "variants", JSON_REQUIRED, &variants);
    (void)json_get_array(&r, "metrics", JSON_OPTIONAL, &metrics);
    check_fields(&r, d);
    if (!json_reader_close(&r, err))
        return false;
    d->name = d->name.n ? d->name : d->key;
    d->seed = d->seed.n ? d->seed : d->key;
    return parse_variants(variants, d, arena, err) && parse_metrics(metrics, d, s, arena, err);
}

static void write_value(struct jsonw *w, const struct variant *v)
{
    if (!v->value) {
        jsonw_str(w, "value", v->key);
        return;
    }
    jsonw_raw(w, "value", STR("")); /* the comma and the key; json_write brings the value */
    json_write(w->out, v->value);
}

static void write_lists(struct jsonw *w, const struct draft *d)
{
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < d->variants_count; i++) {
        const struct variant *v = &d->variants[i];
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", v->key);
        jsonw_str(w, "name", v->name.p ? v->name : STR(""));
        jsonw_double(w, "weight", v->weight);
        write_value(w, v);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < d->metrics_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "metric", d->metrics[i].key);
        jsonw_str(w, "role", d->metrics[i].role);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_draft(struct buf *b, const struct draft *d)
{
    struct jsonw w;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "key", d->key);
    jsonw_str(&w, "name", d->name);
    jsonw_str(&w, "hypothesis", d->hypothesis.p ? d->hypothesis : STR(""));
    jsonw_str(&w, "hash_attribute", d->hash_attribute);
    jsonw_i64(&w, "hash_version", d->hash_version);
    jsonw_str(&w, "seed", d->seed);
    jsonw_double(&w, "coverage", d->coverage);
    jsonw_str(&w, "origin", d->origin);
    write_lists(&w, d);
    jsonw_close(&w);
}

bool experiment_parse(struct str body, const struct snapshot *s, struct arena *arena, struct str *out_key,
                      struct str *out_json, struct err *err)
{
    json_auto_t *root = json_parse(body, err);
    struct draft *d = arena_alloc(arena, sizeof *d);
    struct buf b;
    if (!root || !parse_draft(root, d, s, arena, err))
        return false;
    buf_init(&b, EXPERIMENT_BYTES_MAX);
    write_draft(&b, d);
    bool ok = buf_ok(&b, "the experiment", err);
    if (ok) {
        *out_key = d->key;
        *out_json = arena_str(arena, buf_str(&b));
    }
    buf_release(&b);
    return ok;
}
