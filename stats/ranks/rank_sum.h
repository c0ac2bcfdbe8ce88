/* rank_sum.h - is a value of the treatment likelier above or below one of the control? Mann and Whitney's U, the share of pairs in which
 * the treatment's is larger (AUC), Brunner and Munzel's test of it, the shift between the arms.
 *
 * Everything from groups: a value, and how many of each arm have it. Counts of groups add, so that arms of any size merge. It is a test of
 * ranks, not of means: with unequal spreads U's normal approximation is not valid for AUC = 1/2, Brunner and Munzel's is
 * (Biometrical Journal 42, 2000).
 *
 *     U_t = #(t > c) + #(t = c)/2,   Var U = n_c n_t Σ_k T_{k-1} t_k T_k / (4 N (N - 1))
 *
 * with t_k the size of group k and T_k of the first k: 3 Σ T_{k-1} t_k T_k = N³ - Σ t_k³ (M. Hollander, D. Wolfe), all terms of
 * one sign, where tie sums of 1e12 events would be differences of 1e38. Values in, values out, no state. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct rank_sum_group {
    double value;
    int64_t control, treatment;
};

struct rank_sum {
    int64_t n_c, n_t;
    double u_c, u_t, auc;
    bool varies;                         /* not all values are the same; else the next four are 0 */
    double z, log_p;                     /* two-sided, natural logarithm; no continuity correction */
    double z_corrected, log_p_corrected; /* (|U - mean| - 1/2)/sd, from 0 */
    bool has_bm;                         /* two of each arm or more, and the arms overlap */
    double bm, bm_df, bm_log_p;          /* Brunner-Munzel, positive when the treatment is larger */
    double auc_se;                       /* of which bm is (auc - 1/2) in units of */
};

/* Groups of two sorted arms; room for n_c + n_t of them. */
size_t rank_sum_groups(const double *sorted_c, size_t n_c, const double *sorted_t, size_t n_t,
                       struct rank_sum_group *out);
/* Groups in ascending order of finite values. Refuses an arm without values, negative counts, more than 2^53 values, other orders. */
bool rank_sum_test(const struct rank_sum_group *groups, size_t n, struct rank_sum *out, struct err *err) MUSTCHECK;
/* Hodges and Lehmann's shift: the median of all differences t - c, exact for any counts. The groups passed rank_sum_test. */
double rank_sum_shift(const struct rank_sum_group *groups, size_t n);

/* The exact distribution of U given the groups (ties too): two-sided p = min(1, 2 of the smaller tail), and P(U >= u_t). Needs
 * rank_sum_exact_room doubles of scratch; that is 0 where the arms are too large (50 against 50 is not). */
struct rank_sum_exact {
    double p, p_greater;
};
size_t rank_sum_exact_room(int64_t n_c, int64_t n_t);
struct rank_sum_exact rank_sum_exact(const struct rank_sum_group *groups, size_t n, double *scratch);
