/* The methods holm_bh and shrinkage: many tests at once, many effects at once. */
#include <math.h>
#include <string.h>

#include "stats/multiple/family.h"
#include "stats/multiple/gates.h"
#include "stats/multiple/shrink.h"
#include "stats/special/special.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

/* Hommel's p take n² steps: beyond so many tests there are none. */
enum { HOMMEL_MAX = 2000 };

/* Probabilities to logarithms, in place; refuses what is none. */
static bool to_logs(double *p, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1))
            return err_set(err, ERR_INVALID, "p %zu is %g, no probability", i + 1, p[i]);
        p[i] = log(p[i]);
    }
    return true;
}

static void write_p(json_t *out, const char *key, double *log_p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        log_p[i] = exp(log_p[i]);
    xstat_out_doubles(out, key, log_p, n);
}

/* Effects whose intervals are asked for, by the normal approximation. */
struct effects {
    const double *values, *ses;
    size_t n;
    double alpha;
};

static bool read_effects(struct xstat_in *in, struct effects *e)
{
    size_t n_ses;
    *e = (struct effects){ 0 };
    if (!xstat_in_has(in, "effects"))
        return false;
    e->alpha = xstat_in_double_or(in, "alpha", 0.05);
    e->values = xstat_in_doubles(in, "effects", &e->n);
    e->ses = xstat_in_doubles(in, "ses", &n_ses);
    if (in->err.kind == ERR_NONE && n_ses != e->n)
        (void)err_set(&in->err, ERR_INVALID, "%zu effects for %zu standard errors", e->n, n_ses);
    return true;
}

static bool check_effects(const struct effects *e, size_t n, struct err *err)
{
    if (!(e->alpha > 0 && e->alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", e->alpha);
    if (e->n != n)
        return err_set(err, ERR_INVALID, "%zu effects for %zu p", e->n, n);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(e->values[i]) || !(e->ses[i] >= 0) || !isfinite(e->ses[i]))
            return err_set(err, ERR_INVALID, "effect %zu or its standard error is not a finite number", i + 1);
    return true;
}

/* The intervals that go with a method's rejections. */
static void write_intervals(json_t *out, enum family_method method, const struct effects *e, const double *adjusted,
                            struct arena *arena)
{
    size_t rejected = 0;
    double *lo = arena_alloc(arena, (2 * e->n + 1) * sizeof *lo), *hi = lo + e->n;
    for (size_t i = 0; i < e->n; i++)
        rejected += adjusted[i] <= log(e->alpha);
    double each = family_interval_alpha(method, e->alpha, e->n, rejected), z = special_normal_qinv(each / 2);
    for (size_t i = 0; i < e->n; i++) {
        lo[i] = e->values[i] - z * e->ses[i];
        hi[i] = e->values[i] + z * e->ses[i];
    }
    xstat_out_double(out, arena_printf(arena, "%s_interval_alpha", family_names[method]).p, each);
    xstat_out_doubles(out, arena_printf(arena, "%s_lo", family_names[method]).p, lo, e->n);
    xstat_out_doubles(out, arena_printf(arena, "%s_hi", family_names[method]).p, hi, e->n);
}

static bool adjust(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n;
    struct effects e;
    double *p = xstat_in_doubles(in, "p", &n);
    bool intervals = read_effects(in, &e);
    if (!xstat_in_end(in, err) || !to_logs(p, n, err) || (intervals && !check_effects(&e, n, err)))
        return false;
    struct family_rank *ranks = arena_alloc(in->arena, (n + 1) * sizeof *ranks);
    double *adjusted = arena_alloc(in->arena, (n + 1) * sizeof *adjusted);
    family_rank(p, n, ranks);
    for (int m = 0; m < FAMILY_COUNT; m++) {
        if (m == FAMILY_HOMMEL && n > HOMMEL_MAX) {
            xstat_out_null(out, family_names[m]);
            continue;
        }
        family_p((enum family_method)m, ranks, n, adjusted);
        if (intervals && (m == FAMILY_HOLM || m == FAMILY_BH))
            write_intervals(out, (enum family_method)m, &e, adjusted, in->arena);
        write_p(out, family_names[m], adjusted, n);
    }
    return true;
}

static bool weighted(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_weights;
    double *p = xstat_in_doubles(in, "p", &n);
    const double *weights = xstat_in_doubles(in, "weights", &n_weights);
    if (!xstat_in_end(in, err) || !to_logs(p, n, err))
        return false;
    if (n != n_weights)
        return err_set(err, ERR_INVALID, "%zu p for %zu weights", n, n_weights);
    struct family_rank *ranks = arena_alloc(in->arena, (n + 1) * sizeof *ranks);
    double *holm = arena_alloc(in->arena, (2 * n + 1) * sizeof *holm), *bonferroni = holm + n;
    if (!gates_weighted(p, weights, n, ranks, holm, bonferroni, err))
        return false;
    write_p(out, "weighted_holm", holm, n);
    write_p(out, "weighted_bonferroni", bonferroni, n);
    return true;
}

static bool fixed_sequence(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n;
    double *p = xstat_in_doubles(in, "p", &n);
    if (!xstat_in_end(in, err) || !to_logs(p, n, err))
        return false;
    gates_sequence(p, n, p);
    write_p(out, "adjusted", p, n);
    return true;
}

static bool gatekeeping(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t *lengths, families, all = 0;
    double *p = xstat_in_double_rows(in, "families", &lengths, &families), before = -INFINITY;
    if (!xstat_in_end(in, err))
        return false;
    for (size_t f = 0; f < families; f++)
        all += lengths[f];
    if (!to_logs(p, all, err))
        return false;
    struct family_rank *ranks = arena_alloc(in->arena, (all + 1) * sizeof *ranks);
    for (size_t f = 0; f < families; p += lengths[f], f++) {
        struct str key = arena_printf(in->arena, "family_%zu", f);
        family_rank(p, lengths[f], ranks);
        before = gates_family(ranks, lengths[f], before, p);
        write_p(out, key.p, p, lengths[f]);
    }
    return true;
}

static bool e_bh(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n;
    const double *log_e = xstat_in_doubles(in, "log_e", &n);
    double alpha = xstat_in_double(in, "alpha");
    if (!xstat_in_end(in, err))
        return false;
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    for (size_t i = 0; i < n; i++)
        if (isnan(log_e[i]))
            return err_set(err, ERR_INVALID, "log_e %zu is not a number", i + 1);
    struct family_rank *ranks = arena_alloc(in->arena, (n + 1) * sizeof *ranks);
    int64_t *rejected = arena_alloc(in->arena, (n + 1) * sizeof *rejected);
    double *flags = arena_alloc(in->arena, (n + 1) * sizeof *flags);
    xstat_out_count(out, "n_rejected", (int64_t)gates_e_bh(log_e, n, alpha, ranks, rejected));
    for (size_t i = 0; i < n; i++)
        flags[i] = (double)rejected[i];
    xstat_out_doubles(out, "rejected", flags, n);
    return true;
}

bool xstat_holm_bh(struct xstat_in *in, json_t *out, struct err *err)
{
    static const struct {
        const char *name;
        bool (*run)(struct xstat_in *in, json_t *out, struct err *err);
    } procedures[] = {
        { "adjust", adjust },
        { "weighted_holm", weighted },
        { "fixed_sequence", fixed_sequence },
        { "gatekeeping", gatekeeping },
        { "e_bh", e_bh },
    };
    const char *name = xstat_in_has(in, "procedure") ? xstat_in_text(in, "procedure") : "adjust";
    for (size_t i = 0; i < COUNT_OF(procedures); i++)
        if (strcmp(name, procedures[i].name) == 0)
            return procedures[i].run(in, out, err);
    return err_set(err, ERR_INVALID,
                   "field \"procedure\" is none of adjust, weighted_holm, fixed_sequence, gatekeeping, e_bh");
}

bool xstat_shrinkage(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_ses;
    const double *effects = xstat_in_doubles(in, "effects", &n), *ses = xstat_in_doubles(in, "ses", &n_ses);
    double alpha = xstat_in_double(in, "alpha"), *columns = arena_alloc(in->arena, (5 * n + 1) * sizeof *columns);
    static const char *const names[] = { "factor", "effect", "se", "ci_lo", "ci_hi" };
    struct shrunk *each = arena_alloc(in->arena, (n + 1) * sizeof *each);
    struct shrink s;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err))
        return false;
    if (n != n_ses)
        return err_set(err, ERR_INVALID, "%zu effects for %zu standard errors", n, n_ses);
    if (!shrink_effects(effects, ses, n, &s, each, err))
        return false;
    for (size_t k = 0; k < n; k++) {
        double half = special_normal_qinv(alpha / 2) * each[k].se;
        columns[k] = each[k].factor;
        columns[n + k] = each[k].effect;
        columns[2 * n + k] = each[k].se;
        columns[3 * n + k] = each[k].effect - half;
        columns[4 * n + k] = each[k].effect + half;
    }
    xstat_out_double(out, "mean", s.mean);
    xstat_out_double(out, "variance", s.variance);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        xstat_out_doubles(out, names[i], columns + i * n, n);
    return true;
}
