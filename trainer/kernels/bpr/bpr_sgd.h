/* bpr_sgd.h - pure: a step of BPR (Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009, "BPR: Bayesian personalized ranking from implicit feedback").
 *
 * A unit u had item i and not j, so x = score(u, i) - score(u, j) is to be above 0; score(u, i) = u·i + bias of i. The loss of the pair is -ln σ(x), and a
 * step goes down its gradient: with e = σ(-x)
 *   u += rate (e (i - j) - reg u)    i += rate (e u - reg i)    j += rate (-e u - reg j)    and the biases likewise */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct bpr_rules {
    uint32_t rank;
    float learning_rate, regularization;
};
/* Rows of rank + 1 numbers. Returns x before the step. */
float bpr_step(const struct bpr_rules *r, float *u, float *i, float *j);
/* -ln σ(x) */
double bpr_loss(float x);
