#include "trainer/jobs/metrics_passes.h"

bool metrics_pass_days(struct metrics_plan *p, struct err *err)
{
    return day_plan_pass(&p->by_day, &p->rules, "days", p->params, err);
}

bool metrics_pass_units(struct run_context *run, struct metrics_plan *p, const char *kernel, const char *name,
                        struct str params, struct engine_result *out, struct err *err)
{
    uint32_t ranges = p->by_day.ranges;
    struct engine_split *splits = arena_zalloc(&p->arena, ranges * sizeof *splits);
    for (uint32_t i = 0; i < ranges; i++)
        splits[i] = day_plan_range(&p->by_day, i);
    struct engine_pass pass = { .name = name,
                                .kernel = kernel,
                                .params = params,
                                .snapshot = p->by_day.snapshot,
                                .reads_database = true, /* which units are marked */
                                .splits = splits,
                                .splits_count = ranges,
                                .input_pass = p->by_day.pass,
                                .out = ENGINE_COLLECT };
    return run_pass(run, &pass, out, err);
}

bool metrics_pass_merged(struct run_context *run, struct metrics_plan *p, const char *name, struct str params,
                         struct merged *out, struct err *err)
{
    struct engine_result result;
    if (!metrics_pass_units(run, p, "metrics.units@3", name, params, &result, err))
        return false;
    bool ok = merged_make(out, &p->program, p->experiments, result.parts, result.count, err);
    engine_result_release(&result);
    if (!ok)
        merged_release(out);
    return ok;
}

static bool has_percentiles(const struct program *p)
{
    for (size_t i = 0; i < p->metrics_count; i++)
        if (!isnan(p->metrics[i].def.cap_percentile))
            return true;
    return false;
}

bool metrics_pass_caps(struct run_context *run, struct metrics_plan *p, struct metrics_cap **out, size_t *out_count,
                       struct err *err)
{
    struct merged merged;
    struct str params;
    *out = NULL;
    *out_count = 0;
    if (!has_percentiles(&p->program))
        return true;
    if (!metrics_plan_params(p, true, NULL, 0, &params, err) ||
        !metrics_pass_merged(run, p, "caps", params, &merged, err))
        return false;
    bool ok = merged_caps(&merged, &p->program, &p->arena, out, out_count, err);
    merged_release(&merged);
    return ok;
}
