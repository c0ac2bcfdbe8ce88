/* trend.h - pure: what came more often lately: figures of one thing, and which of many rose or fell beyond chance.
 *
 * Two kinds of counts: hits are signals; unit-days count a unit once a day, because what one unit does is not independent. Classic figures are of hits, with
 * k = reference days / target days:
 *
 *     average_weekly_vol A = ref_hits/k      vol_diff D = trgt_hits - A       hit_vol_ratio R = trgt_hits/A     vol_diff_ratio V = D/A
 *     combine_score R·D     ref_wt_vol_diff_ratio ref_hits·V     vol_diff_wt_vol_diff_ratio D·V     log_diff_wt_ratio R + ln D
 *
 * They are ratios of what may be three to one. Beside them: test, shrunk ratio and its interval of unit-days (stats/rates/), p adjusted over all things with
 * enough of them (Benjamini-Hochberg; the sum of both windows does not tell which way it went, so choosing by it is fair). The score is the
 * interval's bound that is nearer to 1: so much it rose at least. */
#pragma once
#include "base/mem.h"

struct trend_counts {
    uint64_t ref_hits, trgt_hits, ref_unit_days, trgt_unit_days;
};

enum trend_figure {
    TREND_COMBINE_SCORE,
    TREND_AVERAGE_WEEKLY_VOL,
    TREND_VOL_DIFF,
    TREND_HIT_VOL_RATIO,
    TREND_VOL_DIFF_RATIO,
    TREND_REF_WT_VOL_DIFF_RATIO,
    TREND_VOL_DIFF_WT_VOL_DIFF_RATIO,
    TREND_LOG_DIFF_WT_RATIO,
    TREND_FIGURES
};
extern const char
    *const trend_figure_names[TREND_FIGURES]; /* fit a column of lists: "vol_diff_wt_ratio" for the last but one */
/* k: reference days / target days. False: they are not defined, because there were no hits before, or not more of them lately. */
bool trend_figures(const struct trend_counts *c, double k, double out[TREND_FIGURES]);

struct trend_rules {
    uint64_t min_unit_days; /* of both windows together; a thing with fewer is not tested */
    double shape;           /* of the prior; 0: from all things */
    double level, max_q;
};
struct trend {
    uint32_t thing;
    bool rose;
    double score, ratio, log_p, log_q;
    uint32_t ref_rank, trgt_rank; /* by hits, from 1; of equal ones the smaller number first */
};
/* Of things 0 … n - 1: those that changed beyond chance, rising ones first, each kind by score; how many, at most n. out has room for n.
 * *out_shape: of the prior. 0 when one of the windows is empty. */
size_t trends_find(const struct trend_counts *counts, uint32_t n, const struct trend_rules *rules, struct trend *out,
                   double *out_shape);
