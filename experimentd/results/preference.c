#include "experimentd/results/preference.h"

#include <assert.h>
#include <math.h>

#include "base/pg.h"
#include "experimentd/health/health.h"
#include "experimentd/results/verdict.h"
#include "stats/multiple/family.h"
#include "stats/sequential/confseq.h"
#include "stats/special/special.h"

/* ---- reading ---- */

enum column {
    EXPERIMENT,
    AS_OF,
    PUBLISHED,
    A,
    B,
    DAY,
    WINS_A,
    WINS_B,
    TIES,
    UNITS,
    MEAN_UNIT,
    M2_UNIT,
    MEAN_X,
    M2_X,
    MEAN_Y,
    M2_Y,
    CXY
};

static bool find_variant(const struct snapshot_experiment *e, struct str key, size_t *out)
{
    for (size_t i = 0; i < e->variants_count; i++)
        if (str_eq(e->variants[i].key, key)) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_day(struct preference_day *d, const struct snapshot_experiment *e, const PGresult *r, int row)
{
    *d = (struct preference_day){ .day = (int32_t)pg_get_i64(r, row, DAY) };
    if (!find_variant(e, pg_get(r, row, A), &d->a) || !find_variant(e, pg_get(r, row, B), &d->b))
        return false;
    d->counts = (struct preference_counts){ pg_get_i64(r, row, WINS_A), pg_get_i64(r, row, WINS_B),
                                            pg_get_i64(r, row, TIES) };
    d->means = (struct moments){ pg_get_i64(r, row, UNITS), pg_get_double(r, row, MEAN_UNIT),
                                 pg_get_double(r, row, M2_UNIT) };
    d->sums = (struct moments2){ .n = d->means.n,
                                 .mean_x = pg_get_double(r, row, MEAN_X),
                                 .m2_x = pg_get_double(r, row, M2_X),
                                 .mean_y = pg_get_double(r, row, MEAN_Y),
                                 .m2_y = pg_get_double(r, row, M2_Y),
                                 .cxy = pg_get_double(r, row, CXY) };
    return true;
}

static struct preferences *list_of(struct preferences_list *out, struct str key, struct preference_day *room,
                                   struct arena *arena)
{
    struct preferences *p = out->n ? &out->p[out->n - 1] : NULL;
    if (!p || !str_eq(p->experiment, key)) {
        p = &out->p[out->n++];
        *p = (struct preferences){ .experiment = arena_str(arena, key), .days = room };
    }
    return p;
}

/* All days in one piece: an experiment's rows follow each other. */
void preferences_read(struct preferences_list *out, const struct snapshot *s, const PGresult *rows, struct arena *arena)
{
    size_t n = (size_t)PQntuples(rows), used = 0;
    struct preference_day *days = arena_alloc(arena, (n + 1) * sizeof *days);
    *out = (struct preferences_list){ arena_alloc(arena, (n + 1) * sizeof *out->p), 0 };
    for (int i = 0; i < (int)n; i++) {
        const struct snapshot_experiment *e = snapshot_experiment(s, pg_get(rows, i, EXPERIMENT));
        if (!e)
            continue;
        struct preferences *p = list_of(out, e->key, &days[used], arena);
        p->as_of_us = pg_get_i64(rows, i, AS_OF);
        p->published_us = pg_get_i64(rows, i, PUBLISHED);
        if (PQgetisnull(rows, i, A) || !read_day(&days[used], e, rows, i))
            continue;
        p->days_count++;
        used++;
    }
}

const struct preferences *preferences_of(const struct preferences_list *list, const struct snapshot_experiment *e)
{
    static const struct preferences nothing;
    if (e->kind != EXPERIMENT_INTERLEAVE)
        return NULL;
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->p[i].experiment, e->key))
            return &list->p[i];
    return &nothing;
}

int64_t preferences_units(const struct preferences *p)
{
    return p->days_count ? p->days[p->days_count - 1].means.n : 0;
}

/* ---- testing ---- */

/* The units that it ends by are those that searched. */
static bool has_ended(const struct result *r, int64_t units)
{
    struct result seen = *r;
    seen.as_of_us = r->preferences->as_of_us;
    seen.units = units;
    return result_ended(&seen);
}

bool preference_test_day(const struct result *r, const struct preference_day *d, struct preference_tested *out,
                         struct err *err)
{
    struct preference_tested t = { .rho = 0 };
    struct compare_plan plan = result_plan(r);
    double alpha = 1 - plan.level, n = (double)d->means.n, half;
    struct confseq c;
    if (!preference_moments(&d->means, &d->sums, &t.users, err))
        return false;
    if (!(t.users.se > 0))
        return err_set(err, ERR_INVALID, "all %lld units have the same mean score", (long long)d->means.n);
    if (plan.planned_units > 0) {
        if (!confseq_rho_exact(plan.planned_units, alpha, CONFSEQ_TWO, &t.rho, err) ||
            !confseq_asymptotic(t.users.mean, t.users.se, n, t.rho, alpha, CONFSEQ_TWO, &c, err))
            return false;
        t.log_p = c.log_p;
        half = c.half_width;
    } else {
        t.log_p = t.users.log_p;
        half = special_t_qinv(alpha / 2, n - 1) * t.users.se;
    }
    t.delta = t.users.mean / 2;
    t.lo = (t.users.mean - half) / 2;
    t.hi = (t.users.mean + half) / 2;
    *out = t;
    return true;
}

/* Pairs follow each other in the rows, and so do their days. */
static void find_pairs(struct preferred_pairs *out, const struct preferences *all, struct arena *arena)
{
    out->p = arena_zalloc(arena, (all->days_count + 1) * sizeof *out->p);
    for (size_t i = 0; i < all->days_count; i++) {
        const struct preference_day *d = &all->days[i];
        struct preferred *p = out->n ? &out->p[out->n - 1] : NULL;
        if (!p || p->last->a != d->a || p->last->b != d->b) {
            p = &out->p[out->n++];
            p->days = d;
        }
        p->last = d;
        p->days_count++;
    }
}

static void adjust(struct preferred_pairs *out, const struct result *r, struct arena *arena)
{
    double *log_p = arena_zalloc(arena, (2 * out->n + 1) * sizeof *log_p), *adjusted = log_p + out->n;
    struct family_rank *ranks = arena_zalloc(arena, (out->n + 1) * sizeof *ranks);
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i].tested)
            log_p[out->tested++] = out->p[i].test.log_p;
    out->adjusted = out->tested > 1 && r->experiment->multiplicity != MULTIPLICITY_NONE;
    family_rank(log_p, out->tested, ranks);
    family_p(FAMILY_HOLM, ranks, out->tested, adjusted);
    for (size_t i = 0, at = 0; i < out->n; i++) {
        struct preferred *p = &out->p[i];
        if (p->tested)
            p->log_p_adjusted = out->adjusted ? adjusted[at++] : p->test.log_p;
    }
}

static enum outcome outcome_of_pair(const struct result *r, const struct preferred *p)
{
    if (!p->tested)
        return OUTCOME_NONE;
    if (r->experiment->analysis.method != ANALYSIS_ANY_TIME && !has_ended(r, p->last->means.n))
        return OUTCOME_NOT_YET;
    if (p->log_p_adjusted >= log(1 - result_level(r)))
        return OUTCOME_NO_DIFFERENCE;
    return p->test.delta > 0 ? OUTCOME_BETTER : OUTCOME_WORSE;
}

void preferences_test(struct preferred_pairs *out, const struct result *r, struct arena *arena)
{
    *out = (struct preferred_pairs){ .n = 0 };
    find_pairs(out, r->preferences, arena);
    for (size_t i = 0; i < out->n; i++) {
        struct preferred *p = &out->p[i];
        struct err err = { 0 };
        p->tested = preference_test_day(r, p->last, &p->test, &err) &&
                    preference_test(&p->last->counts, 1 - result_level(r), &p->sign, &err);
        if (!p->tested)
            p->reason = arena_str(arena, str_of(err.text));
    }
    adjust(out, r, arena);
    for (size_t i = 0; i < out->n; i++)
        out->p[i].outcome = outcome_of_pair(r, &out->p[i]);
}

const struct preferred *preferences_strongest(const struct preferred_pairs *pairs)
{
    const struct preferred *best = NULL;
    for (size_t i = 0; i < pairs->n; i++) {
        const struct preferred *p = &pairs->p[i];
        if (p->tested && p->last->b == 0 && (!best || p->test.log_p < best->test.log_p))
            best = p;
    }
    return best;
}

/* ---- words ---- */

static const char *const relations[] = {
    [OUTCOME_NONE] = "cannot be compared with",
    [OUTCOME_BETTER] = "is preferred to",
    [OUTCOME_WORSE] = "is less liked than",
    [OUTCOME_NO_DIFFERENCE] = "shows no preference against",
    [OUTCOME_NOT_YET] = "is not yet to be judged beside",
};
static_assert(COUNT_OF(relations) == OUTCOME_COUNT, "words for every outcome");

void preference_say(struct buf *b, const struct result *r, const struct preferred *p)
{
    const struct snapshot_variant *v = r->experiment->variants;
    struct str a = verdict_name(&v[p->last->a]), other = verdict_name(&v[p->last->b]);
    buf_addf(b, "\"" STR_FMT "\" %s \"" STR_FMT "\": ", STR_ARG(a), relations[p->outcome], STR_ARG(other));
    if (!p->tested) {
        buf_addf(b, STR_FMT ".", STR_ARG(p->reason));
        return;
    }
    buf_addf(b, "delta %+.2f %% (%g %% interval %.2f %% to %.2f %%, ", p->test.delta * 100, result_level(r) * 100,
             p->test.lo * 100, p->test.hi * 100);
    health_add_p(b, p->log_p_adjusted);
    buf_addf(b, ") over %lld units.", (long long)p->last->means.n);
}
