/* paired.h - two rankers on the same queries: is the mean difference chance?
 *
 * d_i = b_i - a_i of query i, with weight w_i (1 when there are none). The difference is m = Σ w_i d_i/Σ w_i; queries are the units, drawn from all queries that
 * could have been asked. Four tests, all two-sided, because teams trust different ones:
 *
 *   t             m over its standard error, se² = n/(n - 1) Σ w_i² (d_i - m)²/(Σ w_i)² (without weights: s²/n), t of n - 1; gives the interval too
 *   randomisation a difference might as well have had the other sign (R. A. Fisher 1935; M. Smucker, J. Allan, B. Carterette, CIKM 2007): the share of all 2^n ways whose
 *                 |Σ ± w_i d_i| is at least the observed. All ways up to PAIRED_EXACT_MAX differences that are not 0; else `draws` of them, p = (count + 1)/(draws + 1)
 *   Wilcoxon      of ranks of |d_i| without zeros, ties their mean rank (weights play no part). Exact given the ranks up to SIGNED_RANK_EXACT_MAX, else normal
 *   sign          wins against losses, binomial; ties left out; no weights
 *
 * and a bootstrap interval of m: queries drawn with replacement, percentiles of type 7 of `draws` means. It needs no shape, t's is a little wider with few queries.
 *
 * Draws are counted, not remembered: word j of draw i is a function of (seed, i, j), so the answer is the same in every run and on every machine. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PAIRED_EXACT_MAX = 20, SIGNED_RANK_EXACT_MAX = 50, PAIRED_DRAWS_MAX = 1000000, PAIRED_DRAWS = 10000 };

struct paired_rules {
    double alpha;   /* of the intervals */
    uint64_t draws; /* of the randomisation when not exact, and of the bootstrap; 1 to PAIRED_DRAWS_MAX */
    uint64_t seed;
};

struct paired {
    size_t n, wins, losses, ties; /* wins: b is better */
    double mean_a, mean_b, difference;
    bool varies; /* not all differences are the same; else t says nothing: it and its log_p are 0 */
    double se, df, t;
    double log_p_t, log_p_randomisation, log_p_wilcoxon, log_p_sign;
    double ci_lo, ci_hi;               /* of the difference, by t */
    double bootstrap_lo, bootstrap_hi; /* by the bootstrap */
    double ranks_plus, ranks_minus;    /* Wilcoxon's sums */
    bool exact;                        /* the randomisation is */
};

/* Doubles of scratch that paired_compare wants. */
size_t paired_room(size_t n, const struct paired_rules *rules);
/* weights: NULL or n positive numbers. Refuses fewer than 2 queries, values that are not finite, other rules. When no query differs all p are 1
 * and the intervals 0. */
bool paired_compare(const double *a, const double *b, const double *weights, size_t n, const struct paired_rules *rules,
                    double *scratch, struct paired *out, struct err *err) MUSTCHECK;

/* The interval of one mean over queries (weighted likewise), by t: lo, hi around *out_mean. n >= 2. */
bool paired_mean(const double *values, const double *weights, size_t n, double alpha, double *out_mean, double *out_lo,
                 double *out_hi, struct err *err) MUSTCHECK;
