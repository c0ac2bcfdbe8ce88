#include <math.h>

#include "trainer/jobs/job.h"
#include "trainer/models/gate.h"

static double bound_of(const struct run_context *run, const char *name)
{
    return run->param(run, name) ? run_real(run, name) : NAN;
}

struct gate_rules gate_rules_of(const struct run_context *run)
{
    const char *rule = run->param(run, "gate");
    return (struct gate_rules){ .rule = rule ? gate_rule_named(rule) : GATE_NONE,
                                .metric = run->param(run, "gate_metric"),
                                .margin = run->param(run, "gate_margin") ? run_real(run, "gate_margin") : 0,
                                .level = run->param(run, "gate_level") ? run_real(run, "gate_level") : 0.95,
                                .min_value = bound_of(run, "min_value"),
                                .max_concentration = bound_of(run, "max_concentration"),
                                .max_rise = bound_of(run, "max_concentration_rise"),
                                .min_coverage = bound_of(run, "min_coverage"),
                                .min_units = run->param(run, "gate_min_units")
                                                 ? (uint64_t)run_whole(run, "gate_min_units")
                                                 : 0 };
}
