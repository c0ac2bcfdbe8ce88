/* agreement.h - do two judges agree? Weighted kappa of grades, and Kendall's tau-b of orders. Pure.
 *
 *   kappa = 1 - Σ w_ij O_ij / Σ w_ij E_ij,  w_ij = (i - j)² / (k - 1)²,  E from the margins
 *     J. Cohen, Psychological Bulletin 70 (1968): 1 they agree in everything, 0 no more than by chance
 *   tau_b = (C - D) / sqrt((C + D + T_x) (C + D + T_y))
 *     M. G. Kendall, Biometrika 33 (1945); T_x: pairs that only x has as equal. Pairs are counted within each query and added up, so that only
 *     orders that anybody sees count */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* counts[i * grades + j]: how often one said i and the other j. False: nothing was judged by both, or both always say the same one grade. */
bool agreement_kappa(const uint64_t *counts, size_t grades, double *out);

struct order_agreement {
    uint64_t concordant, discordant, tied_x, tied_y; /* tied: only there */
};
/* Adds the pairs of one query. n²/2 steps. */
void agreement_add(struct order_agreement *a, const double *x, const double *y, size_t n);
/* False: one of them has everything as equal. */
bool agreement_tau(const struct order_agreement *a, double *out);
