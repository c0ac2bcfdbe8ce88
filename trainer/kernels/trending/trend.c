#include "trainer/kernels/trending/trend.h"

#include <math.h>
#include <stdlib.h>

#include "stats/multiple/family.h"
#include "stats/rates/rates.h"

const char *const trend_figure_names[TREND_FIGURES] = { "combine_score",     "average_weekly_vol",
                                                        "vol_diff",          "hit_vol_ratio",
                                                        "vol_diff_ratio",    "ref_wt_vol_diff_ratio",
                                                        "vol_diff_wt_ratio", "log_diff_wt_ratio" };

bool trend_figures(const struct trend_counts *c, double k, double out[TREND_FIGURES])
{
    double before = (double)c->ref_hits, now = (double)c->trgt_hits, average = before / k, diff = now - average;
    if (!(before > 0) || !(diff > 0))
        return false;
    out[TREND_AVERAGE_WEEKLY_VOL] = average;
    out[TREND_VOL_DIFF] = diff;
    out[TREND_HIT_VOL_RATIO] = now / average;
    out[TREND_VOL_DIFF_RATIO] = diff / average;
    out[TREND_COMBINE_SCORE] = now / average * diff;
    out[TREND_REF_WT_VOL_DIFF_RATIO] = before * (diff / average);
    out[TREND_VOL_DIFF_WT_VOL_DIFF_RATIO] = diff * (diff / average);
    out[TREND_LOG_DIFF_WT_RATIO] = now / average + log(diff);
    return true;
}

/* ---- many things ---- */

struct finding {
    const struct trend_counts *counts;
    const struct trend_rules *rules;
    uint32_t n, tested_count;
    uint32_t *tested, *ranks[2]; /* of each thing: by hits before, and lately */
    struct rates_counts *rates;  /* of the tested ones */
    double share, shape;
};

static bool read_share(struct finding *f)
{
    double before = 0, now = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        before += (double)f->counts[i].ref_unit_days;
        now += (double)f->counts[i].trgt_unit_days;
    }
    f->share = now / (now + before);
    return before > 0 && now > 0;
}

static void choose_tested(struct finding *f)
{
    f->tested = mem_alloc(((size_t)f->n + 1) * sizeof *f->tested);
    f->rates = mem_alloc(((size_t)f->n + 1) * sizeof *f->rates);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct trend_counts *c = &f->counts[i];
        if (c->ref_unit_days + c->trgt_unit_days < f->rules->min_unit_days)
            continue;
        f->rates[f->tested_count] = (struct rates_counts){ (int64_t)c->trgt_unit_days, (int64_t)c->ref_unit_days };
        f->tested[f->tested_count++] = i;
    }
    f->shape = f->rules->shape > 0 ? f->rules->shape : rates_shape(f->rates, f->tested_count, f->share);
}

struct ranked {
    uint64_t hits;
    uint32_t thing;
};

static int by_hits(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->hits != y->hits ? (x->hits < y->hits) - (x->hits > y->hits)
                              : (x->thing > y->thing) - (x->thing < y->thing);
}

static void rank_by_hits(struct finding *f)
{
    struct ranked *order = mem_alloc(((size_t)f->n + 1) * sizeof *order);
    for (int w = 0; w < 2; w++) {
        f->ranks[w] = mem_alloc(((size_t)f->n + 1) * sizeof *f->ranks[w]);
        for (uint32_t i = 0; i < f->n; i++)
            order[i] = (struct ranked){ w ? f->counts[i].trgt_hits : f->counts[i].ref_hits, i };
        if (f->n)
            qsort(order, f->n, sizeof *order, by_hits);
        for (uint32_t i = 0; i < f->n; i++)
            f->ranks[w][order[i].thing] = i + 1;
    }
    mem_free(order);
}

/* Falling is rising with the windows exchanged. */
static double log_p_of(const struct finding *f, uint32_t i, bool rose)
{
    struct rates_counts c = f->rates[i];
    return rose ? rates_log_p(c, f->share) : rates_log_p((struct rates_counts){ c.reference, c.target }, 1 - f->share);
}

static struct trend trend_of(const struct finding *f, uint32_t i, bool rose, double log_p, double log_q)
{
    struct rates_shrunk s = rates_shrink(f->rates[i], f->share, f->shape, f->rules->level);
    return (struct trend){ .thing = f->tested[i],
                           .rose = rose,
                           .score = rose ? s.low : 1 / s.high,
                           .ratio = s.ratio,
                           .log_p = log_p,
                           .log_q = log_q,
                           .ref_rank = f->ranks[0][f->tested[i]],
                           .trgt_rank = f->ranks[1][f->tested[i]] };
}

/* What is chosen must also be so when it is shrunk: its interval lies on its side of 1. */
static size_t find_kind(const struct finding *f, bool rose, struct trend *out)
{
    const size_t n = f->tested_count;
    double *p = mem_alloc((n + 1) * sizeof *p), *q = mem_alloc((n + 1) * sizeof *q);
    struct family_rank *ranks = mem_alloc((n + 1) * sizeof *ranks);
    size_t found = 0;
    for (uint32_t i = 0; i < n; i++)
        p[i] = log_p_of(f, i, rose);
    family_rank(p, n, ranks);
    family_p(FAMILY_BH, ranks, n, q);
    for (uint32_t i = 0; i < n; i++) {
        if (q[i] > log(f->rules->max_q))
            continue;
        out[found] = trend_of(f, i, rose, p[i], q[i]);
        found += out[found].score > 1;
    }
    mem_free(p);
    mem_free(q);
    mem_free(ranks);
    return found;
}

static int by_score(const void *a, const void *b)
{
    const struct trend *x = a, *y = b;
    if (x->rose != y->rose)
        return x->rose ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->thing > y->thing) - (x->thing < y->thing);
}

size_t trends_find(const struct trend_counts *counts, uint32_t n, const struct trend_rules *rules, struct trend *out,
                   double *out_shape)
{
    struct finding f = { .counts = counts, .rules = rules, .n = n };
    size_t found = 0;
    *out_shape = 0;
    if (!read_share(&f))
        return 0;
    choose_tested(&f);
    rank_by_hits(&f);
    found = find_kind(&f, true, out);
    found += find_kind(&f, false, out + found);
    if (found)
        qsort(out, found, sizeof *out, by_score);
    *out_shape = f.shape;
    mem_free(f.tested);
    mem_free(f.rates);
    mem_free(f.ranks[0]);
    mem_free(f.ranks[1]);
    return found;
}
