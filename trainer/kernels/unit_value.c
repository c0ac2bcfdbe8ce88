#include "trainer/kernels/unit_value.h"

#include <math.h>

double unit_value_cap(const struct program_metric *m, double pooled)
{
    return fmin(isnan(m->def.cap_value) ? INFINITY : m->def.cap_value, isnan(pooled) ? INFINITY : pooled);
}

bool unit_value_is_known(const struct program_metric *m, const struct total *t, int64_t data_end_us)
{
    return m->def.form != METRIC_FORM_RETENTION || m->def.window_to_us <= data_end_us - t->at_us;
}

double unit_value_of_sum(const struct program_metric *m, double sum, double cap)
{
    switch (m->def.form) {
    case METRIC_FORM_PROPORTION:
    case METRIC_FORM_RETENTION:
        return sum > 0;
    case METRIC_FORM_FUNNEL:
        return sum == (double)m->def.facts_count;
    default:
        return fmin(sum, cap);
    }
}

struct unit_value unit_value_of(const struct unit_totals *t, const struct total *total, const struct program_metric *m,
                                double cap)
{
    struct unit_value v = { .values = { 0 } };
    size_t before = program_is_ratio(m) ? 2 : 1;
    v.values[0] = unit_value_of_sum(m, unit_total_sum(t, total, m->x), cap);
    if (program_is_ratio(m))
        v.values[1] = unit_total_sum(t, total, m->y);
    if (m->before_x != PROGRAM_NONE)
        v.values[before] = fmin(unit_total_sum(t, total, m->before_x), cap);
    if (m->before_y != PROGRAM_NONE)
        v.values[before + 1] = unit_total_sum(t, total, m->before_y);
    return v;
}
