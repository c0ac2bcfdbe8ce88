/* Many tests that are read together: analysis.h says which families there are, and why. */
#include <math.h>

#include "experimentd/results/analysis.h"
#include "stats/multiple/gates.h"

/* Cells of one family, with room for all there are. */
struct tests {
    struct analysed **cells;
    double *log_p, *adjusted;
    struct family_rank *ranks;
    size_t n;
};

static struct tests room_for(const struct analysis *a, struct arena *arena)
{
    size_t n = a->result->metrics_count * a->result->experiment->variants_count;
    n = n ? n : 1;
    return (struct tests){ .cells = arena_zalloc(arena, n * sizeof(struct analysed *)),
                           .log_p = arena_zalloc(arena, n * sizeof(double)),
                           .adjusted = arena_zalloc(arena, n * sizeof(double)),
                           .ranks = arena_zalloc(arena, n * sizeof(struct family_rank)) };
}

static enum test_family role_of(const struct result_metric *m)
{
    if (str_eq(m->role, STR("guardrail")))
        return TEST_GUARDRAIL;
    return str_eq(m->role, STR("primary")) ? TEST_PRIMARY : TEST_SECONDARY;
}

/* The comparisons of a role (TEST_ALL: primary and secondary) and treatment (0: of all). */
static void gather(struct tests *t, struct analysis *a, enum test_family role, size_t variant)
{
    size_t variants = a->result->experiment->variants_count;
    t->n = 0;
    for (size_t m = 0; m < a->result->metrics_count; m++) {
        enum test_family of = role_of(&a->result->metrics[m]);
        if (of != role && !(role == TEST_ALL && of != TEST_GUARDRAIL))
            continue;
        for (size_t v = 1; v < variants; v++) {
            struct analysed *c = &a->cells[m * variants + v];
            if (!c->compared || (variant && v != variant))
                continue;
            t->log_p[t->n] = c->c.log_p;
            t->cells[t->n++] = c;
        }
    }
    family_rank(t->log_p, t->n, t->ranks);
}

static void conclude(struct tests *t, enum test_family family, double shares, double alpha)
{
    for (size_t i = 0; i < t->n; i++) {
        struct analysed *c = t->cells[i];
        c->family = family;
        c->family_size = t->n;
        c->log_p_adjusted = fmin(0, t->adjusted[i] + log(shares));
        c->alpha_adjusted = alpha / shares;
    }
}

/* A primary metric that cannot be compared has not been shown, either. */
static bool has_gap(const struct analysis *a, enum test_family role, size_t variant)
{
    for (size_t m = 0; m < a->result->metrics_count; m++)
        if (role_of(&a->result->metrics[m]) == role && !analysis_of(a, m, variant)->compared)
            return true;
    return false;
}

/* Within one treatment: primary metrics, then secondary ones, at its share of alpha. */
static void hierarchy(struct analysis *a, struct tests *t, size_t variant, double shares)
{
    double before = -INFINITY;
    for (enum test_family role = TEST_PRIMARY; role <= TEST_SECONDARY; role++) {
        gather(t, a, role, variant);
        before = gates_family(t->ranks, t->n, before, t->adjusted);
        before = has_gap(a, role, variant) ? 0 : before;
        conclude(t, role, shares, family_interval_alpha(FAMILY_HOLM, a->alpha, t->n, 0));
    }
}

static void one_family(struct analysis *a, struct tests *t, enum test_family family, enum family_method method)
{
    size_t rejected = 0;
    gather(t, a, family, 0);
    family_p(method, t->ranks, t->n, t->adjusted);
    for (size_t i = 0; i < t->n; i++)
        rejected += t->adjusted[i] < log(a->alpha);
    conclude(t, family, 1, family_interval_alpha(method, a->alpha, t->n, rejected));
}

static void alone(struct analysis *a, struct tests *t, enum test_family role)
{
    gather(t, a, role, 0);
    for (size_t i = 0; i < t->n; i++)
        t->adjusted[i] = t->log_p[i];
    conclude(t, TEST_ALONE, 1, a->alpha);
    for (size_t i = 0; i < t->n; i++)
        t->cells[i]->family_size = 1;
}

void families_adjust(struct analysis *a, struct arena *arena)
{
    struct tests t = room_for(a, arena);
    size_t treatments = a->result->experiment->variants_count - 1;
    switch (a->result->experiment->multiplicity) {
    case MULTIPLICITY_HIERARCHICAL:
        for (size_t v = 1; v <= treatments; v++)
            hierarchy(a, &t, v, (double)treatments);
        one_family(a, &t, TEST_GUARDRAIL, FAMILY_HOLM);
        break;
    case MULTIPLICITY_HOLM:
    case MULTIPLICITY_BH:
        one_family(a, &t, TEST_ALL, a->result->experiment->multiplicity == MULTIPLICITY_BH ? FAMILY_BH : FAMILY_HOLM);
        one_family(a, &t, TEST_GUARDRAIL, FAMILY_HOLM);
        break;
    case MULTIPLICITY_NONE:
    case MULTIPLICITY_COUNT:
        alone(a, &t, TEST_ALL);
        alone(a, &t, TEST_GUARDRAIL);
        break;
    }
}
