#include "base/json.h"
#include "trainer/kernels/metrics.h"

static bool read_metrics(struct metrics_params *out, json_t *list, struct arena *arena, struct err *err)
{
    size_t count = json_array_size(list);
    struct metric_def *defs = arena_zalloc(arena, (count + 1) * sizeof *defs);
    for (size_t i = 0; i < count; i++)
        if (!metric_read(json_array_get(list, i), arena, &defs[i], err))
            return false;
    return program_make(defs, count, arena, &out->program, err);
}

static bool read_numbers(struct total_experiment *e, json_t *list, size_t metrics, struct arena *arena)
{
    uint32_t *numbers = arena_alloc(arena, (json_array_size(list) + 1) * sizeof *numbers);
    e->metrics = numbers;
    e->metrics_count = json_array_size(list);
    for (size_t i = 0; i < e->metrics_count; i++) {
        json_int_t n = json_integer_value(json_array_get(list, i));
        if (!json_is_integer(json_array_get(list, i)) || n < 0 || (size_t)n >= metrics)
            return false;
        numbers[i] = (uint32_t)n;
    }
    return true;
}

static bool read_experiment(struct metrics_params *out, size_t i, json_t *of, struct arena *arena, struct err *err)
{
    struct json_reader r;
    json_t *metrics = NULL;
    int64_t last_day = 0;
    json_reader_open(&r, of, "params: experiment");
    (void)json_get_str(&r, "key", JSON_REQUIRED, &out->keys[i], arena);
    (void)json_get_i64(&r, "last_day", JSON_REQUIRED, &last_day);
    (void)json_get_i64(&r, "first_us", JSON_REQUIRED, &out->first_us[i]);
    (void)json_get_bool(&r, "cohorts", JSON_REQUIRED, &out->cohorts[i]);
    (void)json_get_bool(&r, "everyone", JSON_OPTIONAL, &out->everyone[i]);
    if (json_get_array(&r, "metrics", JSON_REQUIRED, &metrics) &&
        !read_numbers(&out->experiments[i], metrics, out->program.metrics_count, arena))
        (void)json_fail(&r, "metrics", "names one that is not in the list");
    out->experiments[i].last_day = (int32_t)last_day;
    return json_reader_close(&r, err);
}

static bool read_experiments(struct metrics_params *out, json_t *list, struct arena *arena, struct err *err)
{
    out->count = json_array_size(list);
    out->experiments = arena_zalloc(arena, (out->count + 1) * sizeof *out->experiments);
    out->keys = arena_zalloc(arena, (out->count + 1) * sizeof *out->keys);
    out->first_us = arena_zalloc(arena, (out->count + 1) * sizeof *out->first_us);
    out->cohorts = arena_zalloc(arena, (out->count + 1) * sizeof *out->cohorts);
    out->everyone = arena_zalloc(arena, (out->count + 1) * sizeof *out->everyone);
    for (size_t i = 0; i < out->count; i++)
        if (!read_experiment(out, i, json_array_get(list, i), arena, err))
            return false;
    return true;
}

static bool read_caps(struct metrics_params *out, json_t *list, struct arena *arena, struct err *err)
{
    out->caps_count = json_array_size(list);
    out->caps = arena_zalloc(arena, (out->caps_count + 1) * sizeof *out->caps);
    for (size_t i = 0; i < out->caps_count; i++) {
        json_t *cap = json_array_get(list, i);
        out->caps[i] = (struct metrics_cap){ .day = (int32_t)json_integer_value(json_array_get(cap, 0)),
                                             .experiment = (uint32_t)json_integer_value(json_array_get(cap, 1)),
                                             .metric = (uint32_t)json_integer_value(json_array_get(cap, 2)),
                                             .value = json_number_value(json_array_get(cap, 3)) };
        if (json_array_size(cap) != 4 || out->caps[i].experiment >= out->count ||
            out->caps[i].metric >= out->program.metrics_count || !json_is_number(json_array_get(cap, 3)))
            return err_set(err, ERR_INVALID, "params: cap %zu is not [day, experiment, metric, value]", i);
    }
    return true;
}

bool metrics_params_read(struct str json, struct metrics_params *out, struct arena *arena, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    struct json_reader r;
    json_t *metrics = NULL, *experiments = NULL, *caps = NULL;
    if (!root)
        return false;
    *out = (struct metrics_params){ .archive = { NULL, 0 } };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_i64(&r, "data_end_us", JSON_REQUIRED, &out->data_end_us);
    (void)json_get_bool(&r, "want_caps", JSON_OPTIONAL, &out->want_caps);
    (void)json_get_array(&r, "metrics", JSON_REQUIRED, &metrics);
    (void)json_get_array(&r, "experiments", JSON_REQUIRED, &experiments);
    (void)json_get_array(&r, "caps", JSON_OPTIONAL, &caps);
    return json_reader_close(&r, err) && read_metrics(out, metrics, arena, err) &&
           read_experiments(out, experiments, arena, err) && read_caps(out, caps, arena, err);
}

struct total_rules metrics_rules(const struct metrics_params *p)
{
    return (struct total_rules){ .program = &p->program, .experiments = p->experiments, .experiments_count = p->count };
}
