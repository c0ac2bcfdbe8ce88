#include "stats/ranks/rank_sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "stats/special/special.h"
#include "stats/welch.h"

#define COUNT_MAX (INT64_C(1) << 53)
#define EXACT_ROOM_MAX ((size_t)1 << 18)

typedef __int128 wide;

size_t rank_sum_groups(const double *sorted_c, size_t n_c, const double *sorted_t, size_t n_t,
                       struct rank_sum_group *out)
{
    size_t i = 0, j = 0, n = 0;
    for (; i < n_c || j < n_t; n++) {
        double value = j == n_t || (i < n_c && sorted_c[i] <= sorted_t[j]) ? sorted_c[i] : sorted_t[j];
        out[n] = (struct rank_sum_group){ .value = value };
        for (; i < n_c && sorted_c[i] == value; i++)
            out[n].control++;
        for (; j < n_t && sorted_t[j] == value; j++)
            out[n].treatment++;
    }
    return n;
}

static bool check(const struct rank_sum_group *g, size_t n, int64_t *out_c, int64_t *out_t, struct err *err)
{
    int64_t c = 0, t = 0;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(g[k].value))
            return err_set(err, ERR_INVALID, "value %zu is not a finite number", k + 1);
        if (k > 0 && !(g[k].value > g[k - 1].value))
            return err_set(err, ERR_INVALID, "value %zu is not larger than the one before it", k + 1);
        if (g[k].control < 0 || g[k].treatment < 0)
            return err_set(err, ERR_INVALID, "a count of value %zu is negative", k + 1);
        if (g[k].control > COUNT_MAX - c || g[k].treatment > COUNT_MAX - t)
            return err_set(err, ERR_INVALID, "there are more than 2^53 values");
        c += g[k].control;
        t += g[k].treatment;
    }
    if (c == 0 || t == 0)
        return err_set(err, ERR_INVALID, "the %s has no values", c == 0 ? "control" : "treatment");
    *out_c = c;
    *out_t = t;
    return true;
}

/* ---- U ---- */

/* 2 U_t, a whole number. */
static wide twice_u(const struct rank_sum_group *g, size_t n)
{
    wide sum = 0, below = 0;
    for (size_t k = 0; k < n; k++) {
        sum += (wide)g[k].treatment * (2 * below + g[k].control);
        below += g[k].control;
    }
    return sum;
}

static double variance_of_u(const struct rank_sum_group *g, size_t n, double n_c, double n_t)
{
    double before = 0, sum = 0, all = n_c + n_t;
    for (size_t k = 0; k < n; k++) {
        double size = (double)g[k].control + (double)g[k].treatment, after = before + size;
        sum += before / all * size * after;
        before = after;
    }
    return n_c * n_t * (sum / (all - 1)) / 4;
}

static void add_u(const struct rank_sum_group *g, size_t n, struct rank_sum *out)
{
    wide u2 = twice_u(g, n), pairs = (wide)out->n_c * out->n_t;
    double variance = variance_of_u(g, n, (double)out->n_c, (double)out->n_t), off = (double)(u2 - pairs) / 2;
    out->u_t = (double)u2 / 2;
    out->u_c = (double)(2 * pairs - u2) / 2;
    out->auc = (double)u2 / 2 / (double)pairs;
    out->varies = variance > 0;
    if (!out->varies)
        return;
    out->z = off / sqrt(variance);
    out->log_p = welch_log_p_normal(out->z);
    out->z_corrected = fmax(0, fabs(off) - 0.5) / sqrt(variance);
    out->log_p_corrected = welch_log_p_normal(out->z_corrected);
}

/* ---- Brunner and Munzel ---- */

/* The variance over one arm of the share of the other arm below its values, ties half, over the arm's size. */
static struct estimate placements(const struct rank_sum_group *g, size_t n, bool of_treatment, int64_t size,
                                  int64_t other_size)
{
    double below = 0, mean = 0, m2 = 0, seen = 0;
    for (size_t k = 0; k < n; k++) {
        double own = (double)(of_treatment ? g[k].treatment : g[k].control);
        double other = (double)(of_treatment ? g[k].control : g[k].treatment);
        double place = (below + other / 2) / (double)other_size, d = place - mean;
        below += other;
        if (own == 0)
            continue;
        m2 += d * d * (seen / (seen + own) * own);
        seen += own;
        mean += d * (own / seen);
    }
    double df = (double)size - 1;
    return (struct estimate){ mean, m2 / df / (double)size, df };
}

static void add_brunner_munzel(const struct rank_sum_group *g, size_t n, struct rank_sum *out)
{
    if (out->n_c < 2 || out->n_t < 2)
        return;
    const struct estimate c = placements(g, n, false, out->n_c, out->n_t),
                          t = placements(g, n, true, out->n_t, out->n_c);
    out->has_bm = c.variance > 0 || t.variance > 0;
    if (!out->has_bm)
        return;
    wide pairs = (wide)out->n_c * out->n_t;
    out->auc_se = welch_se(&c, &t);
    out->bm = (double)(twice_u(g, n) - pairs) / 2 / (double)pairs / out->auc_se;
    out->bm_df = welch_df(&c, &t);
    out->bm_log_p = fmin(0, M_LN2 + special_log_t_q(fabs(out->bm), out->bm_df));
}

bool rank_sum_test(const struct rank_sum_group *groups, size_t n, struct rank_sum *out, struct err *err)
{
    struct rank_sum r = { 0 };
    if (!check(groups, n, &r.n_c, &r.n_t, err))
        return false;
    add_u(groups, n, &r);
    add_brunner_munzel(groups, n, &r);
    *out = r;
    return true;
}

/* ---- Hodges and Lehmann ---- */

/* Pairs with t - c <= v: as t grows, so does the place up to which controls are too small. */
static wide pairs_up_to(const struct rank_sum_group *g, size_t n, double v, int64_t n_c)
{
    wide sum = 0, smaller = 0;
    size_t at = 0;
    for (size_t k = 0; k < n; k++) {
        if (g[k].treatment == 0)
            continue;
        for (; at < n && g[k].value - g[at].value > v; at++)
            smaller += g[at].control;
        sum += (wide)g[k].treatment * (n_c - smaller);
    }
    return sum;
}

/* Doubles in their order as whole numbers. */
static int64_t to_order(double v)
{
    int64_t raw;
    memcpy(&raw, &v, sizeof raw);
    return raw < 0 ? INT64_MIN - raw : raw;
}

static double from_order(int64_t place)
{
    int64_t raw = place < 0 ? INT64_MIN - place : place;
    double v;
    memcpy(&v, &raw, sizeof v);
    return v;
}

/* The difference of a rank (from 1) by bisection over all doubles: 64 passes over the groups. */
static double difference_of_rank(const struct rank_sum_group *g, size_t n, int64_t n_c, wide rank)
{
    int64_t lo = to_order(-INFINITY), hi = to_order(INFINITY); /* the answer is above lo, at most hi */
    while (hi - 1 > lo) {
        int64_t middle = lo / 2 + hi / 2 + (lo % 2 + hi % 2) / 2;
        if (pairs_up_to(g, n, from_order(middle), n_c) >= rank)
            hi = middle;
        else
            lo = middle;
    }
    return from_order(hi);
}

double rank_sum_shift(const struct rank_sum_group *groups, size_t n)
{
    int64_t n_c = 0, n_t = 0;
    for (size_t k = 0; k < n; k++) {
        n_c += groups[k].control;
        n_t += groups[k].treatment;
    }
    wide pairs = (wide)n_c * n_t;
    double lower = difference_of_rank(groups, n, n_c, (pairs + 1) / 2);
    double upper = pairs % 2 == 0 ? difference_of_rank(groups, n, n_c, pairs / 2 + 1) : lower;
    return lower / 2 + upper / 2;
}

/* ---- exact ---- */

size_t rank_sum_exact_room(int64_t n_c, int64_t n_t)
{
    int64_t few = n_c < n_t ? n_c : n_t, many = n_c < n_t ? n_t : n_c;
    if (few < 1 || few > (int64_t)EXACT_ROOM_MAX || many > (int64_t)EXACT_ROOM_MAX)
        return 0;
    size_t room = ((size_t)few + 1) * (2 * (size_t)few * (size_t)many + 1);
    return room <= EXACT_ROOM_MAX ? room : 0;
}

/* Ways to choose which `few` of all values are the smaller arm's, by twice its U: ways[chosen][u2]. */
struct ways {
    size_t few, many, width;
    double *count;
};

static double *row(const struct ways *w, size_t chosen)
{
    return w->count + chosen * w->width;
}

/* `a` of the group's `size` go to the few, of whom `had` are chosen among the `before` values below. */
static void take(const struct ways *w, size_t had, size_t a, size_t size, size_t before, double combinations)
{
    size_t gain = a * (2 * (before - had) + (size - a));
    const double *from = row(w, had);
    double *to = row(w, had + a);
    for (size_t u = 0; u + gain < w->width; u++)
        to[u + gain] += combinations * from[u];
}

/* In place: rows that a group adds to come before those it adds from. */
static void add_group(const struct ways *w, size_t size, size_t before)
{
    for (size_t to = w->few; to >= 1; to--) {
        double combinations = 1;
        if (before + size > to + w->many) /* more others than there are */
            memset(row(w, to), 0, w->width * sizeof *w->count);
        for (size_t a = 1; a <= size && a <= to; a++) {
            combinations = combinations * (double)(size - a + 1) / (double)a;
            size_t had = to - a;
            if (had <= before && before - had <= w->many && before + size <= to + w->many)
                take(w, had, a, size, before, combinations);
        }
    }
    if (before + size > w->many)
        memset(row(w, 0), 0, w->width * sizeof *w->count);
}

struct rank_sum_exact rank_sum_exact(const struct rank_sum_group *groups, size_t n, double *scratch)
{
    size_t c = 0, t = 0, before = 0;
    for (size_t k = 0; k < n; k++) {
        c += (size_t)groups[k].control;
        t += (size_t)groups[k].treatment;
    }
    bool swapped = c < t;
    struct ways w = { swapped ? c : t, swapped ? t : c, 2 * c * t + 1, scratch };
    memset(scratch, 0, (w.few + 1) * w.width * sizeof *scratch);
    row(&w, 0)[0] = 1;
    for (size_t k = 0; k < n; k++) {
        size_t size = (size_t)groups[k].control + (size_t)groups[k].treatment;
        add_group(&w, size, before);
        before += size;
    }
    size_t u2 = (size_t)twice_u(groups, n), at = swapped ? 2 * c * t - u2 : u2;
    double up_to = 0, from = 0, all = 0;
    for (size_t u = 0; u < w.width; u++) {
        up_to += u <= at ? row(&w, w.few)[u] : 0;
        from += u >= at ? row(&w, w.few)[u] : 0;
        all += row(&w, w.few)[u];
    }
    double greater = (swapped ? up_to : from) / all;
    return (struct rank_sum_exact){ fmin(1, 2 * fmin(up_to, from) / all), greater };
}
