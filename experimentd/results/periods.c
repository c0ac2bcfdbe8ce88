#include "experimentd/results/periods.h"

#include <math.h>

#include "experimentd/results/json_metric.h"
#include "stats/lift.h"

static bool estimate_of(const struct result_metric *m, const struct result_arm *a, struct estimate *out)
{
    struct arm_value v;
    if (!metric_value(m, a, &v, NULL))
        return false;
    *out = (struct estimate){ .value = v.value, .variance = v.se * v.se, .df = (double)a->m.n - 1 };
    return true;
}

static bool lift_of(const struct result_metric *m, const struct result_arm *arms, size_t variant, double *out,
                    double *out_se)
{
    struct estimate c, t;
    if (!estimate_of(m, &arms[0], &c) || !estimate_of(m, &arms[variant], &t) ||
        !(fabs(c.value) > PERIODS_CONTROL_Z * sqrt(c.variance)))
        return false;
    *out = (t.value - c.value) / fabs(c.value);
    *out_se = lift_delta_se(&c, &t, 0);
    return *out_se > 0;
}

bool periods_trend(const struct result_metric *m, enum result_part_kind kind, size_t variant, struct arena *arena,
                   struct trend *out, size_t *out_periods, struct err *err)
{
    const struct result_parts *parts = &m->parts[kind];
    double *effects = arena_zalloc(arena, (3 * parts->n + 1) * sizeof *effects);
    double *ses = effects + parts->n, *days = ses + parts->n;
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        if (!lift_of(m, parts->p[i].arms, variant, &effects[n], &ses[n]))
            continue;
        days[n++] = (double)(parts->p[i].number - parts->p[0].number);
    }
    *out_periods = n;
    if (n < PERIODS_MIN)
        return err_set(err, ERR_INVALID, "%zu days have a lift with a standard error, a trend needs at least %d", n,
                       PERIODS_MIN);
    return trend_test(effects, ses, days, n, PERIODS_EARLY, out, err);
}
