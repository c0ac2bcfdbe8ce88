#include "experimentd/results/periods.h"

#include "experimentd/results/verdict.h"

/* At one look, whatever was declared: an effect and its standard error are what the test wants. */
static bool effect_of(const struct result_metric *m, const struct result_arm *arms, size_t variant,
                      struct comparison *out)
{
    const struct compare_plan once = { RESULT_LEVEL, 0 };
    struct arm control = { .kind = m->kind, .m = arms[0].m }, treatment = { .kind = m->kind, .m = arms[variant].m };
    return stats_compare(&control, &treatment, &once, out, NULL);
}

bool periods_trend(const struct result_metric *m, enum result_part_kind kind, size_t variant, struct arena *arena,
                   struct trend *out, size_t *out_periods, struct err *err)
{
    const struct result_parts *parts = &m->parts[kind];
    double *effects = arena_zalloc(arena, (3 * parts->n + 1) * sizeof *effects);
    double *ses = effects + parts->n, *days = ses + parts->n;
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        struct comparison c;
        if (!effect_of(m, parts->p[i].arms, variant, &c))
            continue;
        effects[n] = c.difference;
        ses[n] = c.se;
        days[n++] = (double)(parts->p[i].number - parts->p[0].number);
    }
    *out_periods = n;
    if (n < PERIODS_MIN)
        return err_set(err, ERR_INVALID, "%zu days can be compared, a trend needs at least %d", n, PERIODS_MIN);
    return trend_test(effects, ses, days, n, PERIODS_EARLY, out, err);
}
