#include "trainer/jobs/metrics_passes.h"

#include "base/hash.h"

enum { DAYS_MAX = 8 << 20 };

bool metrics_pass_days(struct run_context *run, struct metrics_plan *p, struct kept_days *kept, struct err *err)
{
    uint32_t width = BUCKET_COUNT / p->ranges, count = (uint32_t)p->days_count * p->ranges;
    struct engine_split *splits = arena_zalloc(&p->arena, (count + 1) * sizeof *splits);
    struct engine_result result;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t range = i % p->ranges;
        splits[i].desc = arena_printf(&p->arena, "%d %u %u", p->days[i / p->ranges], range * width,
                                      (range + 1) * width - 1);
        splits[i].weight = p->weights[i / p->ranges];
        splits[i].kept = kept ? kept_days_find(kept, i) : NULL;
        splits[i].seen = kept ? kept_days_seen(kept, i) : STR("");
    }
    struct engine_pass pass = { .name = "days",
                                .kernel = METRICS_DAY_KERNEL,
                                .params = p->params,
                                .splits = splits,
                                .splits_count = count,
                                .snapshot = p->snapshot,
                                .input_pass = -1,
                                .out = ENGINE_DATASET,
                                .reads_database = true,
                                .on_dataset = kept ? kept_days_add : NULL,
                                .on_dataset_arg = kept };
    p->days_pass = run->passes;
    if (!run_pass(run, &pass, &result, err))
        return false;
    engine_result_release(&result);
    return true;
}

static struct str days_text(struct metrics_plan *p)
{
    AUTO(buf_release) struct buf days;
    buf_init(&days, DAYS_MAX);
    for (size_t d = 0; d < p->days_count; d++)
        buf_addf(&days, " %d", p->days[d]);
    return arena_str(&p->arena, buf_str(&days));
}

bool metrics_pass_units(struct run_context *run, struct metrics_plan *p, const char *kernel, const char *name,
                        struct str params, struct engine_result *out, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&p->arena, p->ranges * sizeof *splits);
    uint32_t width = BUCKET_COUNT / p->ranges;
    struct str all = days_text(p);
    for (uint32_t i = 0; i < p->ranges; i++) {
        struct engine_input *inputs = arena_zalloc(&p->arena, (p->days_count + 1) * sizeof *inputs);
        for (size_t d = 0; d < p->days_count; d++)
            inputs[d].split = (uint32_t)d * p->ranges + i;
        struct str desc = arena_printf(&p->arena, "%u %u" STR_FMT, i * width, (i + 1) * width - 1, STR_ARG(all));
        splits[i] = (struct engine_split){ .desc = desc, .weight = 1, .inputs = inputs, .inputs_count = p->days_count };
    }
    struct engine_pass pass = { .name = name,
                                .kernel = kernel,
                                .params = params,
                                .snapshot = p->snapshot,
                                .reads_database = true, /* which units are marked */
                                .splits = splits,
                                .splits_count = p->ranges,
                                .input_pass = p->days_pass,
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
