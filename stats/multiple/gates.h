/* gates.h - families with an order: tests that matter more than others, and tests that are only asked when others have been answered.
 *
 * p are natural logarithms as in family.h; an adjusted one at most ln alpha rejects, and the family-wise error of everything together is alpha. Arrays
 * may be the same for input and output where it says so. */
#pragma once
#include <stdint.h>

#include "stats/multiple/family.h"

/* Each test with a weight, its share of alpha. Bonferroni: p Σw/w; Holm: the same with the weights that are left, in the order of p/w
 * (Y. Benjamini, Y. Hochberg, Scand. J. Statist. 24, 1997). A weight of 0 never rejects. Refuses negative weights and none above 0. `ranks` is scratch. */
bool gates_weighted(const double *log_p, const double *weights, size_t n, struct family_rank *ranks, double *out_holm,
                    double *out_bonferroni, struct err *err) MUSTCHECK;
/* In a fixed order, each at the whole alpha, until one is not rejected: the largest p so far. out may be log_p. */
void gates_sequence(const double *log_p, size_t n, double *out);
/* One family after the other (primary, secondary, guardrail), a family only when all of those before were rejected: Holm within, and not below the largest before.
 * `before` is that largest, -INFINITY for the first family; returns it for the next one. ranks as family_rank made them. */
double gates_family(const struct family_rank *ranks, size_t n, double before, double *out);
/* e-values, whatever their dependence and whenever one looked (R. Wang, A. Ramdas, JRSS B 84, 2022): the k largest, k = max{j: e_(j) >= n/(alpha j)}, at false discovery rate
 * alpha. out_rejected[i] is 1 or 0; returns k. `ranks` is scratch; log_e holds no NaN. */
size_t gates_e_bh(const double *log_e, size_t n, double alpha, struct family_rank *ranks, int64_t *out_rejected);
