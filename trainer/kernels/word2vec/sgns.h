/* sgns.h - pure: a step of skip-gram with negative sampling (Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed representations of words and phrases and their
 * compositionality").
 *
 * A word w beside a word c in a text is to be told from words that were drawn: with u the vector of c (the half that is kept) and v those of the other half, the loss is
 *   -ln σ(u·v_w) - Σ ln σ(-u·v_n) over drawn n
 * and a step goes down its gradient, with g = (1 for w, 0 for n) - σ(u·v):   v += rate g u   u += rate Σ g v (the v of before).
 *
 * Rows have `stride` numbers, a multiple of SGNS_LANES, zeros behind their dims. Sums are of eight lanes, so every processor gets the same bits. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SGNS_LANES = 8, SGNS_TARGETS_MAX = 65 };

static inline size_t sgns_stride(uint32_t dims)
{
    return ((size_t)dims + SGNS_LANES - 1) / SGNS_LANES * SGNS_LANES;
}

/* σ(x) and -ln σ(x) by straight lines between places that are so close that neither is off by 1e-6, from -SGNS_REACH to SGNS_REACH. */
enum { SGNS_REACH = 12, SGNS_STEPS = 128 /* of 1 */, SGNS_TABLE = 2 * SGNS_REACH * SGNS_STEPS + 2 };
struct sgns_tables {
    float sigmoid[SGNS_TABLE], loss[SGNS_TABLE];
};
void sgns_tables_init(struct sgns_tables *t);
float sgns_sigmoid(const struct sgns_tables *t, float x);
float sgns_loss(const struct sgns_tables *t, float x); /* -ln σ(x) */

/* targets[0] is the row of w, the others those of what was drawn; a row may be there twice. scratch: stride numbers. Returns the loss before the step. */
float sgns_step(const struct sgns_tables *t, size_t stride, float *u, float *const *targets, uint32_t count, float rate,
                float *scratch);
float sgns_product(const float *a, const float *b, size_t stride);
/* -ln σ(x), in full */
double sgns_exact_loss(double x);
