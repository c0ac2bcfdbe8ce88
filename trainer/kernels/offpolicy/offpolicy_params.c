#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/offpolicy/offpolicy.h"

enum { JSON_MAX = 256 << 10 };
const char *const offpolicy_target_names[] = { "uniform", "logged", "model", NULL };

static void read_means(json_t *list, struct offpolicy_params *out)
{
    for (uint32_t f = 0; f < OFFPOLICY_FOLDS_MAX; f++)
        for (uint32_t p = 0; p < OFFPOLICY_POSITIONS_MAX; p++)
            out->means[f][p] = json_number_value(json_array_get(list, (size_t)f * OFFPOLICY_POSITIONS_MAX + p));
}

bool offpolicy_params_read(struct str json, struct arena *arena, struct offpolicy_params *out, struct err *err)
{
    struct json_reader r;
    int64_t folds = 1, target = 0, actions = 0;
    json_t *means = NULL;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct offpolicy_params){ .folds = 1 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_str(&r, "rewards", JSON_REQUIRED, &out->rewards, arena);
    (void)json_get_i64(&r, "folds", JSON_REQUIRED, &folds);
    (void)json_get_i64(&r, "target", JSON_REQUIRED, &target);
    (void)json_get_i64(&r, "actions", JSON_REQUIRED, &actions);
    (void)json_get_double(&r, "temperature", JSON_REQUIRED, &out->temperature);
    (void)json_get_double(&r, "prior", JSON_REQUIRED, &out->prior);
    (void)json_get_array(&r, "means", JSON_OPTIONAL, &means);
    read_means(means, out);
    if (folds < 1 || folds > OFFPOLICY_FOLDS_MAX)
        (void)json_fail(&r, "folds", "is not 1 to %d", OFFPOLICY_FOLDS_MAX);
    out->folds = (uint32_t)folds;
    out->target = (enum offpolicy_target)target;
    out->actions = (uint32_t)actions;
    return json_reader_close(&r, err);
}

bool offpolicy_params_write(const struct offpolicy_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "archive", p->archive);
    jsonw_str(&w, "rewards", p->rewards);
    jsonw_i64(&w, "folds", p->folds);
    jsonw_i64(&w, "target", p->target);
    jsonw_i64(&w, "actions", p->actions);
    jsonw_double(&w, "temperature", p->temperature);
    jsonw_double(&w, "prior", p->prior);
    jsonw_open(&w, "means", '[');
    for (uint32_t f = 0; f < OFFPOLICY_FOLDS_MAX; f++)
        for (uint32_t k = 0; k < OFFPOLICY_POSITIONS_MAX; k++)
            jsonw_double(&w, NULL, p->means[f][k]);
    jsonw_close(&w);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}
