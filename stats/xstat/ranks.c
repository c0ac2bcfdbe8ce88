/* The methods quantile_clustered and mann_whitney. */
#include <math.h>
#include <string.h>

#include "stats/lift.h"
#include "stats/ranks/quantile.h"
#include "stats/ranks/rank_sum.h"
#include "stats/ranks/sketch.h"
#include "stats/ranks/sorted.h"
#include "stats/ratio.h"
#include "stats/special/special.h"
#include "stats/xstat/xstat.h"

/* ---- quantile_clustered: raw --------------------------------------------------------------------------------------------- */

struct quantile_keys {
    const char *users, *events, *units, *value, *share, *var_iid, *var_clustered, *outer_rank_lo, *outer_rank_hi,
        *outer_lo, *outer_hi, *se_outer, *iid_rank_lo, *iid_rank_hi, *variance_iid, *variance_scaled, *reliable;
};
static const struct quantile_keys quantile_keys[2] = {
    { "users_c", "n_events_c", "n_users_c", "quantile_c", "ecdf_at_quantile_c", "var_indicator_iid_c",
      "var_indicator_cluster_c", "outer_rank_lo_c", "outer_rank_hi_c", "outer_lo_c", "outer_hi_c", "se_outer_c",
      "iid_rank_lo_c", "iid_rank_hi_c", "var_iid_c", "var_scaled_c", "reliable_c" },
    { "users_t", "n_events_t", "n_users_t", "quantile_t", "ecdf_at_quantile_t", "var_indicator_iid_t",
      "var_indicator_cluster_t", "outer_rank_lo_t", "outer_rank_hi_t", "outer_lo_t", "outer_hi_t", "se_outer_t",
      "iid_rank_lo_t", "iid_rank_hi_t", "var_iid_t", "var_scaled_t", "reliable_t" },
};

/* One arm's events, unit after unit. */
struct events {
    double *of;
    size_t *lengths, units, n;
};

static struct events read_events(struct xstat_in *in, const char *key)
{
    struct events e = { 0 };
    e.of = xstat_in_double_rows(in, key, &e.lengths, &e.units);
    for (size_t i = 0; i < e.units; i++)
        e.n += e.lengths[i];
    return e;
}

static bool raw_quantile(const struct events *e, double q, double z, struct arena *arena, struct quantile *out,
                         struct err *err)
{
    double *sorted = arena_alloc(arena, (e->n + 1) * sizeof *sorted);
    struct moments2 m = { 0 };
    memcpy(sorted, e->of, e->n * sizeof *sorted);
    if (!sorted_make(sorted, e->n, err) || !quantile_check(q, err))
        return false;
    if (e->n == 0)
        return err_set(err, ERR_INVALID, "there are no events");
    double value = sorted[quantile_rank((int64_t)e->n, q) - 1];
    for (size_t i = 0, at = 0; i < e->units; i++) {
        int64_t below = 0;
        for (size_t end = at + e->lengths[i]; at < end; at++)
            below += e->of[at] <= value;
        moments2_add(&m, (double)below, (double)e->lengths[i]);
    }
    return quantile_of_sorted(sorted, (int64_t)e->n, &m, q, z, out, err);
}

static bool sketched_quantile(const struct events *e, double q, double z, struct sketch *s, struct quantile *out,
                              struct err *err)
{
    sketch_init(s);
    for (size_t i = 0, at = 0; i < e->units; at += e->lengths[i++])
        if (!sketch_add_unit(s, e->of + at, e->lengths[i], err))
            return err_prefix(err, "user %zu: ", i + 1);
    return sketch_quantile(s, q, z, out, err);
}

static void write_quantile(const struct quantile_keys *k, const struct quantile *q, json_t *out)
{
    xstat_out_count(out, k->events, q->events);
    xstat_out_count(out, k->units, q->units);
    xstat_out_double(out, k->value, q->value);
    xstat_out_double(out, k->share, q->share);
    xstat_out_double(out, k->var_iid, q->var_iid);
    xstat_out_double(out, k->var_clustered, q->var_clustered);
    xstat_out_count(out, k->outer_rank_lo, q->outer.rank_lo);
    xstat_out_count(out, k->outer_rank_hi, q->outer.rank_hi);
    xstat_out_double(out, k->outer_lo, q->outer.lo);
    xstat_out_double(out, k->outer_hi, q->outer.hi);
    xstat_out_double(out, k->se_outer, q->se_outer);
    xstat_out_count(out, k->iid_rank_lo, q->iid.rank_lo);
    xstat_out_count(out, k->iid_rank_hi, q->iid.rank_hi);
    xstat_out_double(out, k->variance_iid, q->variance_iid);
    xstat_out_double(out, k->variance_scaled, q->variance_scaled);
    xstat_out_bool(out, k->reliable, q->reliable);
}

static void write_quantile_test(double diff, double se, const char *const keys[3], json_t *out)
{
    xstat_out_double(out, keys[0], se);
    xstat_out_double_if(out, keys[1], se > 0, diff / se);
    xstat_out_double_if(out, keys[2], se > 0, se > 0 ? welch_log_p_normal(diff / se) : 0);
}

static void write_quantile_lift(const struct quantile *c, const struct quantile *t, double z, json_t *out)
{
    const struct estimate of_c = quantile_estimate(c), of_t = quantile_estimate(t);
    bool defined = c->value != 0 && (of_c.variance > 0 || of_t.variance > 0);
    struct lift_set set = defined ? lift_fieller(&of_c, &of_t, 0, z) : (struct lift_set){ LIFT_NONE, 0, 0 };
    xstat_out_double_if(out, "lift", c->value != 0, (t->value - c->value) / fabs(c->value));
    xstat_out_double_if(out, "lift_lo", set.kind == LIFT_BOUNDED, set.lo);
    xstat_out_double_if(out, "lift_hi", set.kind == LIFT_BOUNDED, set.hi);
}

static bool quantile_raw(struct xstat_in *in, double z, json_t *out, struct err *err)
{
    static const char *const outer[3] = { "se_outer", "z_outer", "log_p_outer" };
    static const char *const scaled[3] = { "se_scaled", "z_scaled", "log_p_scaled" };
    struct quantile arms[2];
    struct events events[2];
    double q = xstat_in_double(in, "q"), worst = 0;
    bool sketched = xstat_in_bool_or(in, "sketch", false);
    struct sketch *s = arena_alloc(in->arena, sizeof *s);
    for (size_t a = 0; a < 2; a++)
        events[a] = read_events(in, quantile_keys[a].users);
    if (!xstat_in_end(in, err))
        return false;
    for (size_t a = 0; a < 2; a++) {
        if (!(sketched ? sketched_quantile(&events[a], q, z, s, &arms[a], err)
                       : raw_quantile(&events[a], q, z, in->arena, &arms[a], err)))
            return err_prefix(err, "%s: ", quantile_keys[a].users);
        write_quantile(&quantile_keys[a], &arms[a], out);
        worst = sketched ? fmax(worst, sketch_error(s)) : 0;
    }
    double diff = arms[1].value - arms[0].value;
    xstat_out_double(out, "diff", diff);
    write_quantile_test(diff, hypot(arms[0].se_outer, arms[1].se_outer), outer, out);
    write_quantile_test(diff, sqrt(arms[0].variance_scaled + arms[1].variance_scaled), scaled, out);
    write_quantile_lift(&arms[0], &arms[1], z, out);
    xstat_out_double(out, "relative_error", worst);
    return true;
}

/* ---- quantile_clustered: GrowthBook's summaries -------------------------------------------------------------------------- */

/* Sums over clusters to moments. */
static struct moments2 cluster_moments(struct xstat_in *arm)
{
    double k = (double)xstat_in_count(arm, "n_clusters"), x = xstat_in_double(arm, "main_sum");
    double y = xstat_in_double(arm, "denominator_sum");
    return (struct moments2){ (int64_t)k,
                              x / k,
                              xstat_in_double(arm, "main_sum_squares") - x * (x / k),
                              y / k,
                              xstat_in_double(arm, "denominator_sum_squares") - y * (y / k),
                              xstat_in_double(arm, "main_denominator_sum_product") - x * (y / k) };
}

/* n_star (n - 1)/n ((hi - lo)/2z)², of clusters times Var R / (q (1 - q)/n). */
static bool read_summary(struct xstat_in *arm, double z, const char *const keys[2], struct estimate *out, json_t *json,
                         struct err *err)
{
    struct estimate share = { 0 };
    struct moments2 m = { 0 };
    bool clustered = xstat_in_has(arm, "n_clusters");
    double n = (double)xstat_in_count(arm, "n"), of = (double)xstat_in_count(arm, "n_star");
    double q = xstat_in_double(arm, "nu"), value = xstat_in_double(arm, "quantile_hat");
    double half = (xstat_in_double(arm, "quantile_upper") - xstat_in_double(arm, "quantile_lower")) / (2 * z);
    if (clustered)
        m = cluster_moments(arm);
    if (!xstat_in_end(arm, err) || !quantile_check(q, err) || (clustered && !ratio_estimate(&m, &share, err)))
        return false;
    if (!(n >= 2 && of >= 1 && isfinite(value) && isfinite(half)))
        return err_set(err, ERR_INVALID, "n is below 2, n_star below 1, or a quantile is not a finite number");
    double variance = of / n * (n - 1) * half * half;
    if (clustered) {
        xstat_out_double(json, keys[1], share.variance);
        variance *= share.variance / (q * (1 - q) / n);
    }
    xstat_out_double(json, keys[0], variance);
    *out = (struct estimate){ value, variance / n, INFINITY };
    return true;
}

static bool quantile_summary(struct xstat_in *in, double z, json_t *out, struct err *err)
{
    static const char *const keys[2][2] = { { "variance_c", "var_indicator_cluster_c" },
                                            { "variance_t", "var_indicator_cluster_t" } };
    struct xstat_in arms[2];
    struct estimate e[2];
    xstat_in_object(in, "arm_c", &arms[0]);
    xstat_in_object(in, "arm_t", &arms[1]);
    if (!xstat_in_end(in, err))
        return false;
    for (size_t a = 0; a < 2; a++)
        if (!read_summary(&arms[a], z, keys[a], &e[a], out, err))
            return err_prefix(err, "%s: ", a == 0 ? "arm_c" : "arm_t");
    double diff = e[1].value - e[0].value, se = welch_se(&e[0], &e[1]);
    bool relative = e[0].value != 0;
    double lift = diff / fabs(e[0].value), lift_se = relative ? lift_delta_se(&e[0], &e[1], 0) : 0;
    xstat_out_double(out, "diff", diff);
    xstat_out_double(out, "se", se);
    xstat_out_double_if(out, "log_p", se > 0, se > 0 ? welch_log_p_normal(diff / se) : 0);
    xstat_out_double(out, "ci_lo", diff - z * se);
    xstat_out_double(out, "ci_hi", diff + z * se);
    xstat_out_double_if(out, "lift", relative, lift);
    xstat_out_double_if(out, "lift_se", relative, lift_se);
    xstat_out_double_if(out, "lift_ci_lo", relative, lift - z * lift_se);
    xstat_out_double_if(out, "lift_ci_hi", relative, lift + z * lift_se);
    return true;
}

/* ---- quantile_clustered: moments of the users' events, and the values at the ranks that they leave open -------------------- */

struct moment_keys {
    const char *arm, *rank, *rank_lo, *rank_hi, *value, *se, *ci_lo, *ci_hi;
};
static const struct moment_keys moment_keys[2] = {
    { "moments_c", "rank_c", "rank_lo_c", "rank_hi_c", "quantile_c", "se_c", "ci_lo_c", "ci_hi_c" },
    { "moments_t", "rank_t", "rank_lo_t", "rank_hi_t", "quantile_t", "se_t", "ci_lo_t", "ci_hi_t" },
};

/* Ranks are those of 95 %, whatever the level of the interval, as the daemon takes them. */
static const double rank_alpha = 0.05;

static bool read_moments(struct xstat_in *arm, double q, struct quantile *out, struct err *err)
{
    double z = special_normal_qinv(rank_alpha / 2);
    struct moments2 m = { .n = xstat_in_count(arm, "n_users") };
    double of = (double)m.n - 1;
    int64_t events = xstat_in_count(arm, "n_events");
    m.mean_x = xstat_in_double(arm, "mean_below");
    m.mean_y = xstat_in_double(arm, "mean_events");
    m.m2_x = xstat_in_double(arm, "var_below") * of;
    m.m2_y = xstat_in_double(arm, "var_events") * of;
    m.cxy = xstat_in_double(arm, "cov") * of;
    double value = xstat_in_double(arm, "value"), lo = xstat_in_double(arm, "lo"), hi = xstat_in_double(arm, "hi");
    if (!xstat_in_end(arm, err) || !quantile_plan(&m, events, q, z, out, err))
        return false;
    if (!isfinite(value) || !(lo <= hi) || !isfinite(hi - lo))
        return err_set(err, ERR_INVALID, "value, lo and hi are not finite numbers, lo at most hi");
    out->value = value;
    out->outer.lo = lo;
    out->outer.hi = hi;
    quantile_conclude(z, out);
    return true;
}

static void write_moments(const struct moment_keys *k, const struct quantile *q, double z, json_t *out)
{
    xstat_out_count(out, k->rank, q->rank);
    xstat_out_count(out, k->rank_lo, q->outer.rank_lo);
    xstat_out_count(out, k->rank_hi, q->outer.rank_hi);
    xstat_out_double(out, k->value, q->value);
    xstat_out_double(out, k->se, q->se_outer);
    xstat_out_double(out, k->ci_lo, q->value - z * q->se_outer);
    xstat_out_double(out, k->ci_hi, q->value + z * q->se_outer);
}

static bool quantile_moments(struct xstat_in *in, double z, json_t *out, struct err *err)
{
    static const char *const test[3] = { "se", "z", "log_p" };
    struct xstat_in arms[2];
    struct quantile q[2] = { 0 };
    double of = xstat_in_double(in, "q");
    xstat_in_object(in, moment_keys[0].arm, &arms[0]);
    xstat_in_object(in, moment_keys[1].arm, &arms[1]);
    if (!xstat_in_end(in, err))
        return false;
    for (size_t a = 0; a < 2; a++) {
        if (!read_moments(&arms[a], of, &q[a], err))
            return err_prefix(err, "%s: ", moment_keys[a].arm);
        write_moments(&moment_keys[a], &q[a], z, out);
    }
    double diff = q[1].value - q[0].value, se = hypot(q[0].se_outer, q[1].se_outer);
    xstat_out_double(out, "diff", diff);
    write_quantile_test(diff, se, test, out);
    xstat_out_double_if(out, "p", se > 0, se > 0 ? exp(welch_log_p_normal(diff / se)) : 0);
    xstat_out_double(out, "ci_lo", diff - z * se);
    xstat_out_double(out, "ci_hi", diff + z * se);
    write_quantile_lift(&q[0], &q[1], z, out);
    return true;
}

bool xstat_quantile_clustered(struct xstat_in *in, json_t *out, struct err *err)
{
    double alpha = xstat_in_double_or(in, "alpha", 0.05);
    if (!welch_check_alpha(alpha, err))
        return false;
    double z = special_normal_qinv(alpha / 2);
    if (xstat_in_has(in, "moments_c"))
        return quantile_moments(in, z, out, err);
    return xstat_in_has(in, "arm_c") ? quantile_summary(in, z, out, err) : quantile_raw(in, z, out, err);
}

/* ---- mann_whitney -------------------------------------------------------------------------------------------------------- */

static struct rank_sum_group *read_samples(struct xstat_in *in, size_t *out_n)
{
    size_t n_c = 0, n_t = 0;
    double *c = xstat_in_doubles(in, "x_c", &n_c), *t = xstat_in_doubles(in, "x_t", &n_t);
    struct rank_sum_group *groups = arena_alloc(in->arena, (n_c + n_t + 1) * sizeof *groups);
    *out_n = 0;
    if (in->err.kind != ERR_NONE)
        return groups;
    if (!sorted_make(c, n_c, &in->err))
        (void)err_prefix(&in->err, "x_c: ");
    else if (!sorted_make(t, n_t, &in->err))
        (void)err_prefix(&in->err, "x_t: ");
    else
        *out_n = rank_sum_groups(c, n_c, t, n_t, groups);
    return groups;
}

static struct rank_sum_group *read_histogram(struct xstat_in *in, size_t *out_n)
{
    size_t n = 0, n_c = 0, n_t = 0;
    const double *values = xstat_in_doubles(in, "values", &n);
    const int64_t *c = xstat_in_counts(in, "counts_c", &n_c), *t = xstat_in_counts(in, "counts_t", &n_t);
    struct rank_sum_group *groups = arena_alloc(in->arena, (n + 1) * sizeof *groups);
    *out_n = n;
    if (in->err.kind == ERR_NONE && (n_c != n || n_t != n))
        err_set(&in->err, ERR_INVALID, "there are %zu values, %zu counts_c and %zu counts_t", n, n_c, n_t);
    for (size_t i = 0; in->err.kind == ERR_NONE && i < n; i++)
        groups[i] = (struct rank_sum_group){ values[i], c[i], t[i] };
    return groups;
}

static void write_rank_sum(const struct rank_sum *r, double alpha, json_t *out)
{
    xstat_out_count(out, "n_c", r->n_c);
    xstat_out_count(out, "n_t", r->n_t);
    xstat_out_double(out, "u_t", r->u_t);
    xstat_out_double(out, "u_c", r->u_c);
    xstat_out_double(out, "auc", r->auc);
    xstat_out_double_if(out, "z", r->varies, r->z);
    xstat_out_double_if(out, "log_p", r->varies, r->log_p);
    xstat_out_double_if(out, "z_cc_abs", r->varies, r->z_corrected);
    xstat_out_double_if(out, "log_p_cc", r->varies, r->log_p_corrected);
    xstat_out_double_if(out, "bm_stat", r->has_bm, r->bm);
    xstat_out_double_if(out, "bm_df", r->has_bm, r->bm_df);
    xstat_out_double_if(out, "bm_log_p", r->has_bm, r->bm_log_p);
    double half = r->has_bm ? special_t_qinv(alpha / 2, r->bm_df) * r->auc_se : 0;
    xstat_out_double_if(out, "auc_lo", r->has_bm, fmax(0, r->auc - half));
    xstat_out_double_if(out, "auc_hi", r->has_bm, fmin(1, r->auc + half));
}

bool xstat_mann_whitney(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n;
    double alpha = xstat_in_double_or(in, "alpha", 0.05);
    struct rank_sum_group *groups = xstat_in_has(in, "values") ? read_histogram(in, &n) : read_samples(in, &n);
    struct rank_sum r;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !rank_sum_test(groups, n, &r, err))
        return false;
    write_rank_sum(&r, alpha, out);
    xstat_out_double(out, "hodges_lehmann", rank_sum_shift(groups, n));
    size_t room = rank_sum_exact_room(r.n_c, r.n_t);
    struct rank_sum_exact exact = { 0 };
    if (room > 0)
        exact = rank_sum_exact(groups, n, arena_alloc(in->arena, room * sizeof(double)));
    xstat_out_double_if(out, "p_exact", room > 0, exact.p);
    xstat_out_double_if(out, "p_exact_greater", room > 0, exact.p_greater);
    return true;
}
