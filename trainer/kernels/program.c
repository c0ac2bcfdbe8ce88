#include "trainer/kernels/program.h"

#include "metric/fact.h"

/* Room for all of a definition's: its facts, or a column for what follows and one for what was before. */
enum { FACTS_EACH = METRIC_STEPS_MAX, COLUMNS_EACH = 4 };

static uint32_t fact_number(struct program *p, const struct metric_fact *f)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (fact_equal(&p->facts[i].fact, f))
            return (uint32_t)i;
    p->facts_of[f->of]++;
    p->facts[p->facts_count] = (struct program_fact){ .fact = *f, .counted = fact_is_counted(f) };
    return (uint32_t)p->facts_count++;
}

static bool same_column(const struct program_column *a, const struct program_column *b)
{
    if (a->kind != b->kind || a->facts_count != b->facts_count || a->from_us != b->from_us || a->to_us != b->to_us ||
        a->days != b->days)
        return false;
    for (size_t i = 0; i < a->facts_count; i++)
        if (a->facts[i] != b->facts[i])
            return false;
    return true;
}

static uint32_t column_number(struct program *p, const struct program_column *c)
{
    for (size_t i = 0; i < p->columns_count; i++)
        if (same_column(&p->columns[i], c))
            return (uint32_t)i;
    p->columns[p->columns_count] = *c;
    return (uint32_t)p->columns_count++;
}

static enum column_kind kind_of(const struct metric_def *def)
{
    if (def->form == METRIC_FORM_QUANTILE)
        return COLUMN_VALUES;
    if (def->form == METRIC_FORM_FUNNEL)
        return COLUMN_STEPS;
    return def->window_from_us == 0 && def->window_to_us == INT64_MAX ? COLUMN_SUM : COLUMN_WINDOW;
}

/* The column of `count` facts from `first` on. */
static uint32_t add_column(struct program *p, const struct metric_def *def, size_t first, size_t count)
{
    struct program_column c = {
        .kind = kind_of(def), .facts_count = count, .from_us = def->window_from_us, .to_us = def->window_to_us
    };
    for (size_t i = 0; i < count; i++) {
        c.facts[i] = fact_number(p, &def->facts[first + i]);
        p->facts[c.facts[i]].listed = p->facts[c.facts[i]].listed || c.kind != COLUMN_SUM;
    }
    return column_number(p, &c);
}

static uint32_t add_before(struct program *p, const struct metric_def *def, size_t fact)
{
    struct program_column c = { .kind = COLUMN_BEFORE, .facts_count = 1, .days = def->covariate_days };
    c.facts[0] = fact_number(p, &def->facts[fact]);
    return column_number(p, &c);
}

bool program_is_ratio(const struct program_metric *m)
{
    return m->def.form == METRIC_FORM_RATIO;
}

/* Units are counted one by one in all forms that can be adjusted. */
static bool has_covariates(const struct metric_def *def)
{
    return def->covariate_days > 0 && def->form != METRIC_FORM_QUANTILE && def->form != METRIC_FORM_RETENTION &&
           def->form != METRIC_FORM_FUNNEL;
}

static void add_metric(struct program *p, const struct metric_def *def)
{
    struct program_metric *m = &p->metrics[p->metrics_count++];
    *m = (struct program_metric){ *def, PROGRAM_NONE, PROGRAM_NONE, PROGRAM_NONE, PROGRAM_NONE };
    m->x = add_column(p, def, 0, def->form == METRIC_FORM_FUNNEL ? def->facts_count : 1);
    if (program_is_ratio(m))
        m->y = add_column(p, def, 1, 1);
    if (!has_covariates(def))
        return;
    m->before_x = add_before(p, def, 0);
    if (program_is_ratio(m))
        m->before_y = add_before(p, def, 1);
    if (def->covariate_days > p->covariate_days)
        p->covariate_days = def->covariate_days;
}

bool program_make(const struct metric_def *defs, size_t count, struct arena *arena, struct program *out,
                  struct err *err)
{
    if (count > PROGRAM_METRICS_MAX)
        return err_set(err, ERR_INVALID, "the experiments name %zu metrics, more than %d", count, PROGRAM_METRICS_MAX);
    *out = (struct program){ .facts = arena_zalloc(arena, (count * FACTS_EACH + 1) * sizeof *out->facts),
                             .columns = arena_zalloc(arena, (count * COLUMNS_EACH + 1) * sizeof *out->columns),
                             .metrics = arena_zalloc(arena, (count + 1) * sizeof *out->metrics) };
    for (size_t i = 0; i < count; i++)
        add_metric(out, &defs[i]);
    return true;
}
