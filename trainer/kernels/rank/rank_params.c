#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/rank/rank.h"

enum { JSON_MAX = 4 << 20 };

const char *const rank_objective_names[RANK_OBJECTIVE_COUNT] = {
    [RANK_LAMBDAMART] = "lambdamart", [RANK_PAIRWISE] = "pairwise", [RANK_LISTWISE] = "listwise"
};

bool rank_params_write(const struct rank_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "objective", rank_objective_names[p->objective]);
    jsonw_text(&w, "gain", rank_gain_names[p->lambda.gain]);
    jsonw_i64(&w, "truncation", p->lambda.truncation);
    jsonw_i64(&w, "k", p->lambda.k);
    jsonw_i64(&w, "trees", p->trees);
    jsonw_i64(&w, "depth", p->depth);
    jsonw_i64(&w, "leaves", p->leaves);
    jsonw_i64(&w, "early_stopping", p->early_stopping);
    jsonw_i64(&w, "threads", p->threads);
    jsonw_i64(&w, "iterations", p->iterations);
    jsonw_double(&w, "learning_rate", p->learning_rate);
    jsonw_double(&w, "min_child_weight", p->min_child_weight);
    jsonw_double(&w, "subsample", p->subsample);
    jsonw_double(&w, "colsample", p->colsample);
    jsonw_double(&w, "l2", p->l2);
    jsonw_i64(&w, "seed", (int64_t)p->seed);
    jsonw_open(&w, "features", '[');
    for (uint32_t i = 0; i < p->features; i++)
        jsonw_str(&w, NULL, p->names[i]);
    jsonw_close(&w);
    jsonw_open(&w, "monotone", '[');
    for (uint32_t i = 0; i < p->features; i++)
        jsonw_i64(&w, NULL, p->monotone[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool choice(struct json_reader *r, const char *key, const char *const *names, int count, int *out,
                   struct arena *arena)
{
    struct str text;
    if (!json_get_str(r, key, JSON_REQUIRED, &text, arena))
        return false;
    for (int i = 0; i < count; i++)
        if (str_eq_c(text, names[i])) {
            *out = i;
            return true;
        }
    return json_fail(r, key, "is none of those that there are");
}

static bool number(struct json_reader *r, const char *key, uint32_t *out)
{
    int64_t v;
    if (!json_get_i64(r, key, JSON_REQUIRED, &v))
        return false;
    if (v < 0 || v > UINT32_MAX)
        return json_fail(r, key, "is no whole number from 0");
    *out = (uint32_t)v;
    return true;
}

static bool features(struct json_reader *r, struct arena *arena, struct rank_params *out)
{
    json_t *names, *monotone;
    if (!json_get_array(r, "features", JSON_REQUIRED, &names) ||
        !json_get_array(r, "monotone", JSON_REQUIRED, &monotone))
        return false;
    const size_t n = json_array_size(names);
    if (n == 0 || n > RANK_FEATURES_MAX || json_array_size(monotone) != n)
        return json_fail(r, "features", "are not from 1 to %d, each with its direction", RANK_FEATURES_MAX);
    out->features = (uint32_t)n;
    out->names = arena_zalloc(arena, n * sizeof *out->names);
    out->monotone = arena_zalloc(arena, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(names, i);
        if (!json_is_string(name))
            return json_fail(r, "features", "are not all texts");
        out->names[i] = arena_str(arena, (struct str){ json_string_value(name), json_string_length(name) });
        out->monotone[i] = (int8_t)json_integer_value(json_array_get(monotone, i));
    }
    return true;
}

static void numbers(struct json_reader *r, struct rank_params *out)
{
    (void)number(r, "truncation", &out->lambda.truncation);
    (void)number(r, "k", &out->lambda.k);
    (void)number(r, "trees", &out->trees);
    (void)number(r, "depth", &out->depth);
    (void)number(r, "leaves", &out->leaves);
    (void)number(r, "early_stopping", &out->early_stopping);
    (void)number(r, "threads", &out->threads);
    (void)number(r, "iterations", &out->iterations);
    (void)json_get_double(r, "learning_rate", JSON_REQUIRED, &out->learning_rate);
    (void)json_get_double(r, "min_child_weight", JSON_REQUIRED, &out->min_child_weight);
    (void)json_get_double(r, "subsample", JSON_REQUIRED, &out->subsample);
    (void)json_get_double(r, "colsample", JSON_REQUIRED, &out->colsample);
    (void)json_get_double(r, "l2", JSON_REQUIRED, &out->l2);
}

bool rank_params_read(struct str json, struct arena *arena, struct rank_params *out, struct err *err)
{
    struct json_reader r;
    int objective = 0, gain = 0;
    int64_t seed = 0;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct rank_params){ .features = 0 };
    json_reader_open(&r, root, "params");
    (void)choice(&r, "objective", rank_objective_names, RANK_OBJECTIVE_COUNT, &objective, arena);
    (void)choice(&r, "gain", rank_gain_names, RANK_GAIN_COUNT, &gain, arena);
    (void)json_get_i64(&r, "seed", JSON_REQUIRED, &seed);
    numbers(&r, out);
    (void)features(&r, arena, out);
    out->objective = (enum rank_objective)objective;
    out->lambda.gain = (enum rank_gain)gain;
    out->seed = (uint64_t)seed;
    return json_reader_close(&r, err);
}
