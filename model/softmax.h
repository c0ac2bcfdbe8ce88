/* softmax.h - pure: scores → probabilities, with + - * / alone, so that every host has the same bits (a C library's exp is not the same everywhere). Both
 * functions are within 2e-16 of the truth, relative. */
#pragma once
#include <stddef.h>

double softmax_exp(double x); /* x up to 700; below -700: 0 */
double softmax_log(double x); /* x finite and at least 1e-300 */
/* z becomes exp(z_k) / Σ exp(z_j). Returns ln Σ exp(z_j) of what it was. */
double softmax(double *z, size_t n);
