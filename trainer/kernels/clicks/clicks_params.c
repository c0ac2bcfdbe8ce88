#include "trainer/kernels/clicks/clicks.h"
#include "trainer/kernels/signals/log_params.h"

bool clicks_day_params_read(struct str json, struct clicks_day_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct clicks_day_params){ .archive = { NULL, 0 } };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_str(&r, "filters", JSON_OPTIONAL, &out->filters, arena);
    out->types_count = log_types_read(&r, "types", CLICK_TYPES_MAX, out->types, arena);
    return json_reader_close(&r, err);
}

static bool read_weights(struct json_reader *r, json_t *list, struct click_rules *out)
{
    if (json_array_size(list) != out->types_count)
        return json_fail(r, "weights", "has not one number for each type");
    for (uint32_t i = 0; i < out->types_count; i++) {
        out->weights[i] = json_number_value(json_array_get(list, i));
        if (!(out->weights[i] >= 0 && out->weights[i] <= CLICK_WEIGHT_MAX))
            return json_fail(r, "weights", "has one that is not from 0 to %g", CLICK_WEIGHT_MAX);
    }
    return true;
}

bool clicks_rules_read(struct str json, struct click_rules *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    json_t *weights = NULL;
    int64_t as_of = 0, min_signals = 0, top = 0;
    if (!root)
        return false;
    *out = (struct click_rules){ .types_count = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_array(&r, "weights", JSON_REQUIRED, &weights);
    (void)json_get_i64(&r, "as_of", JSON_REQUIRED, &as_of);
    (void)json_get_double(&r, "half_life_days", JSON_REQUIRED, &out->half_life_days);
    (void)json_get_double(&r, "position_power", JSON_REQUIRED, &out->position_power);
    (void)json_get_i64(&r, "min_signals", JSON_REQUIRED, &min_signals);
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &top);
    out->types_count = log_types_read(&r, "types", CLICK_TYPES_MAX, out->types, arena);
    (void)read_weights(&r, weights, out);
    if (!(out->position_power >= 0 && out->position_power <= 1))
        (void)json_fail(&r, "position_power", "is not from 0 to 1");
    out->as_of = (int32_t)as_of;
    out->min_signals = (uint64_t)min_signals;
    out->top = (uint32_t)top;
    return json_reader_close(&r, err);
}
