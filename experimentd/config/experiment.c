/* The document of an experiment: its words, variants and metrics. Who gets in is read by audience.c, how it runs by rollout.c. */
#include "experimentd/config/experiment.h"

#include <assert.h>
#include <math.h>

#include "experimentd/config/experiment_parts.h"

#define WEIGHT_SUM_TOLERANCE 1e-6
enum { SHOWN_MAX = 60 };

const char *const experiment_status_names[] = {
    [EXPERIMENT_DRAFT] = "draft",
    [EXPERIMENT_RUNNING] = "running",
    [EXPERIMENT_STOPPED] = "stopped",
    [EXPERIMENT_CONCLUDED] = "concluded",
};
static_assert(COUNT_OF(experiment_status_names) == EXPERIMENT_STATUS_COUNT, "a name for every status");
const char *const experiment_kind_names[] = {
    [EXPERIMENT_AB] = "ab",
    [EXPERIMENT_BANDIT] = "bandit",
    [EXPERIMENT_INTERLEAVE] = "interleave",
    [EXPERIMENT_HOLDOUT] = "holdout",
};
static_assert(COUNT_OF(experiment_kind_names) == EXPERIMENT_KIND_COUNT, "a name for every kind");

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
void check_key(struct json_reader *r, const char *field, struct str key, bool capitals)
{
    if (r->err.kind == ERR_NONE && !key_format(key, capitals))
        (void)json_fail(
            r, field,
            "is \"%.*s\": must be 1 to %d of a-z, %s0-9, \"_\", \".\", \"-\" and start with a letter or digit",
            STR_ARG(str_cut(key, SHOWN_MAX)), EXPERIMENT_KEY_MAX, capitals ? "A-Z, " : "");
}

bool check_length(struct json_reader *r, const char *field, struct str text)
{
    if (text.n > EXPERIMENT_TEXT_MAX)
        return json_fail(r, field, "is longer than %d bytes", EXPERIMENT_TEXT_MAX);
    return true;
}

struct str json_text(const json_t *v, struct arena *arena)
{
    struct buf b;
    buf_init(&b, EXPERIMENT_BYTES_MAX);
    json_write(&b, v);
    struct str text = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

/* A variant without a value is worth its key. */
static struct str value_text(json_t *value, struct str key, struct arena *arena)
{
    json_auto_t *own = value ? NULL : json_stringn(key.p, key.n);
    return json_text(value ? value : own, arena);
}

static bool read_variant(json_t *in, size_t i, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct snapshot_variant *v = &e->variants[i];
    struct str what = arena_printf(arena, "variants[%zu]", i);
    json_t *value = NULL;
    *v = (struct snapshot_variant){ .name = STR(""), .weight = NAN };
    json_reader_open(&r, in, what.p);
    (void)json_get_str(&r, "key", JSON_REQUIRED, &v->key, arena);
    if (!str_eq(e->origin, STR("imported"))) /* a log names its variants as it likes */
        check_key(&r, "key", v->key, true);
    (void)json_get_str(&r, "name", JSON_OPTIONAL, &v->name, arena);
    (void)check_length(&r, "name", v->name);
    (void)json_get_double(&r, "weight", JSON_OPTIONAL, &v->weight);
    if (!isnan(v->weight) && (v->weight < 0 || v->weight > 1))
        (void)json_fail(&r, "weight", "is %g, outside 0 to 1", v->weight);
    (void)json_get_any(&r, "value", JSON_OPTIONAL, &value);
    for (size_t k = 0; k < i; k++)
        if (r.err.kind == ERR_NONE && str_eq(e->variants[k].key, v->key))
            (void)json_fail(&r, "key", "\"%.*s\" is there twice", (int)v->key.n, v->key.p);
    if (!json_reader_close(&r, err))
        return false;
    v->value_json = value_text(value, v->key, arena);
    return true;
}

static bool fill_weights(struct snapshot_experiment *e, struct err *err)
{
    size_t given = 0;
    double sum = 0;
    for (size_t i = 0; i < e->variants_count; i++) {
        given += isnan(e->variants[i].weight) ? 0 : 1;
        sum += isnan(e->variants[i].weight) ? 0 : e->variants[i].weight;
    }
    if (given == 0) {
        for (size_t i = 0; i < e->variants_count; i++)
            e->variants[i].weight = 1.0 / (double)e->variants_count;
        return true;
    }
    if (given < e->variants_count)
        return err_set(err, ERR_INVALID,
                       "experiment: %zu of %zu variants have a field \"weight\": give all of them or none", given,
                       e->variants_count);
    if (fabs(sum - 1) > WEIGHT_SUM_TOLERANCE)
        return err_set(err, ERR_INVALID, "experiment \"%.*s\": weights sum to %.9g, not 1", (int)e->key.n, e->key.p,
                       sum);
    return true;
}

static bool read_variants(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    size_t n = json_array_size(in);
    if (n < 2 || n > EXPERIMENT_VARIANTS_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"variants\" has %zu elements, must have 2 to %d", n,
                       EXPERIMENT_VARIANTS_MAX);
    e->variants = arena_zalloc(arena, n * sizeof *e->variants);
    for (size_t i = 0; i < n; i++)
        if (!read_variant(json_array_get(in, i), i, e, arena, err))
            return false;
    e->variants_count = n;
    return fill_weights(e, err);
}

static bool known_role(struct str role)
{
    return str_eq(role, STR("primary")) || str_eq(role, STR("secondary")) || str_eq(role, STR("guardrail"));
}

static bool add_metric(struct snapshot_experiment *e, struct str key, struct str role, struct err *err)
{
    if (!known_role(role))
        return err_set(err, ERR_INVALID,
                       "experiment: field \"metrics\": role \"%.*s\" is not primary, secondary or guardrail",
                       STR_ARG(str_cut(role, SHOWN_MAX)));
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].metric, key))
            return err_set(err, ERR_INVALID, "experiment: field \"metrics\": metric \"%.*s\" is there twice",
                           STR_ARG(str_cut(key, SHOWN_MAX)));
    e->metrics[e->metrics_count].metric = key;
    e->metrics[e->metrics_count++].role = role;
    return true;
}

/* How much worse a guardrail may be: a share of the control, or so much. */
static void read_margin(struct json_reader *r, struct str role, struct experiment_metric *m)
{
    bool relative = json_get_double(r, "margin", JSON_OPTIONAL, &m->margin);
    bool absolute = json_get_double(r, "margin_absolute", JSON_OPTIONAL, &m->margin_absolute);
    if ((relative || absolute) && !str_eq(role, STR("guardrail")))
        (void)json_fail(r, relative ? "margin" : "margin_absolute", "is only for the role guardrail");
    if (relative && absolute)
        (void)json_fail(r, "margin", "and \"margin_absolute\" are both given: give one of them");
    if (relative && !(m->margin > 0 && m->margin < 1))
        (void)json_fail(r, "margin", "is %g: a share of the control's value, between 0 and 1", m->margin);
    if (absolute && !(m->margin_absolute > 0 && isfinite(m->margin_absolute)))
        (void)json_fail(r, "margin_absolute", "is %g, not above 0", m->margin_absolute);
}

static bool read_metric(json_t *in, size_t i, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    struct str key = { NULL, 0 }, role = i == 0 ? STR("primary") : STR("secondary");
    if (json_is_string(in))
        return add_metric(e, arena_str(arena, (struct str){ json_string_value(in), json_string_length(in) }), role,
                          err);
    struct json_reader r;
    json_reader_open(&r, in, arena_printf(arena, "metrics[%zu]", i).p);
    (void)json_get_str(&r, "metric", JSON_REQUIRED, &key, arena);
    (void)json_get_str(&r, "role", JSON_OPTIONAL, &role, arena);
    read_margin(&r, role, &e->metrics[i]);
    return json_reader_close(&r, err) && add_metric(e, key, role, err);
}

/* The verdict is about a primary metric. */
static bool has_primary(const struct snapshot_experiment *e)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].role, STR("primary")))
            return true;
    return false;
}

static bool read_metrics(json_t *in, struct snapshot_experiment *e, struct arena *arena, struct err *err)
{
    static const struct {
        const char *key, *role;
    } usual[] = {
        { "ctr", "primary" },   { "clicks_per_unit", "secondary" },     { "clicks_per_query", "secondary" },
        { "mrr", "secondary" }, { "time_to_first_click", "secondary" }, { "zero_result_rate", "guardrail" },
    };
    size_t n = in ? json_array_size(in) : COUNT_OF(usual);
    if (n < 1 || n > EXPERIMENT_METRICS_MAX)
        return err_set(err, ERR_INVALID, "experiment: field \"metrics\" has %zu elements, must have 1 to %d", n,
                       EXPERIMENT_METRICS_MAX);
    e->metrics = arena_zalloc(arena, n * sizeof *e->metrics);
    for (size_t i = 0; i < n; i++)
        if (in ? !read_metric(json_array_get(in, i), i, e, arena, err)
               : !add_metric(e, str_of(usual[i].key), str_of(usual[i].role), err))
            return false;
    return has_primary(e) || err_set(err, ERR_INVALID, "experiment: field \"metrics\": none has the role primary");
}

static void check_fields(struct json_reader *r, struct snapshot_experiment *e)
{
    check_key(r, "key", e->key, false);
    (void)check_length(r, "name", e->name);
    (void)check_length(r, "hypothesis", e->hypothesis);
    (void)check_length(r, "hash_attribute", e->hash_attribute);
    (void)check_length(r, "seed", e->seed);
    if (e->hash_attribute.n == 0)
        (void)json_fail(r, "hash_attribute", "is empty");
    if (e->hash_version != 1 && e->hash_version != 2)
        (void)json_fail(r, "hash_version", "is %d, must be 1 or 2", e->hash_version);
    if (!(e->coverage >= 0 && e->coverage <= 1))
        (void)json_fail(r, "coverage", "is %g, outside 0 to 1", e->coverage);
    if (!str_eq(e->origin, STR("live")) && !str_eq(e->origin, STR("simulated")) && !str_eq(e->origin, STR("imported")))
        (void)json_fail(r, "origin", "must be \"live\" or \"simulated\"");
}

static void read_kind(struct json_reader *r, struct snapshot_experiment *e)
{
    struct str name = STR("ab");
    (void)json_get_str(r, "kind", JSON_OPTIONAL, &name, NULL);
    for (int k = 0; k < EXPERIMENT_KIND_COUNT; k++) {
        if (str_eq_c(name, experiment_kind_names[k])) {
            e->kind = (enum experiment_kind)k;
            return;
        }
    }
    (void)json_fail(r, "kind", "is \"%.*s\", not ab, bandit, interleave or holdout", STR_ARG(str_cut(name, SHOWN_MAX)));
}

static void read_words(struct json_reader *r, struct snapshot_experiment *e, struct arena *arena)
{
    int64_t hash_version = 2;
    e->name = e->hypothesis = e->seed = STR("");
    e->hash_attribute = STR("id");
    e->origin = STR("live");
    e->coverage = 1;
    (void)json_get_str(r, "key", JSON_REQUIRED, &e->key, arena);
    (void)json_get_str(r, "name", JSON_OPTIONAL, &e->name, arena);
    (void)json_get_str(r, "hypothesis", JSON_OPTIONAL, &e->hypothesis, arena);
    (void)json_get_str(r, "hash_attribute", JSON_OPTIONAL, &e->hash_attribute, arena);
    (void)json_get_str(r, "seed", JSON_OPTIONAL, &e->seed, arena);
    (void)json_get_str(r, "origin", JSON_OPTIONAL, &e->origin, arena);
    (void)json_get_i64(r, "hash_version", JSON_OPTIONAL, &hash_version);
    (void)json_get_double(r, "coverage", JSON_OPTIONAL, &e->coverage);
    e->hash_version = hash_version == 1 || hash_version == 2 ? (int)hash_version : hash_version > 2 ? 3 : 0;
    check_fields(r, e);
    e->name = e->name.n ? e->name : e->key;
    e->seed = e->seed.n ? e->seed : e->key;
}

bool experiment_read(json_t *root, struct arena *arena, struct snapshot_experiment *e, struct err *err)
{
    struct json_reader r;
    json_t *variants = NULL, *metrics = NULL;
    *e = (struct snapshot_experiment){ .phase = 1 };
    json_reader_open(&r, root, "experiment");
    read_words(&r, e, arena);
    read_kind(&r, e);
    (void)json_get_array(&r, "variants", e->kind == EXPERIMENT_HOLDOUT ? JSON_OPTIONAL : JSON_REQUIRED, &variants);
    (void)json_get_array(&r, "metrics", JSON_OPTIONAL, &metrics);
    struct audience_json audience = { 0 };
    struct rollout_json rollout = { 0 };
    audience_fields(&r, &audience, e, arena);
    rollout_fields(&r, &rollout, e, arena);
    if (!json_reader_close(&r, err) || !rollout_read(&rollout, e, arena, err))
        return false;
    bool ok = e->kind == EXPERIMENT_HOLDOUT ? holdout_variants(variants, e, arena, err)
                                            : read_variants(variants, e, arena, err);
    return ok && read_metrics(metrics, e, arena, err) && audience_read(&audience, e, arena, err) &&
           rollout_check(e, err);
}

/* ---- writing ---- */

static void write_lists(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < e->variants_count; i++) {
        const struct snapshot_variant *v = &e->variants[i];
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", v->key);
        jsonw_str(w, "name", v->name);
        jsonw_double(w, "weight", v->weight);
        jsonw_raw(w, "value", v->value_json);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < e->metrics_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "metric", e->metrics[i].metric);
        jsonw_str(w, "role", e->metrics[i].role);
        if (e->metrics[i].margin > 0)
            jsonw_double(w, "margin", e->metrics[i].margin);
        if (e->metrics[i].margin_absolute > 0)
            jsonw_double(w, "margin_absolute", e->metrics[i].margin_absolute);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void experiment_write(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_str(w, "key", e->key);
    jsonw_str(w, "name", e->name);
    jsonw_str(w, "hypothesis", e->hypothesis);
    jsonw_text(w, "kind", experiment_kind_names[e->kind]);
    jsonw_str(w, "hash_attribute", e->hash_attribute);
    jsonw_i64(w, "hash_version", e->hash_version);
    jsonw_str(w, "seed", e->seed);
    jsonw_double(w, "coverage", e->coverage);
    jsonw_str(w, "origin", e->origin);
    write_lists(w, e);
    audience_write(w, e);
    rollout_write(w, e);
}

bool experiment_spec(const struct snapshot_experiment *e, struct arena *arena, struct str *out, struct err *err)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, EXPERIMENT_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    experiment_write(&w, e);
    jsonw_close(&w);
    bool ok = buf_ok(&b, "the experiment", err);
    if (ok)
        *out = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return ok;
}
