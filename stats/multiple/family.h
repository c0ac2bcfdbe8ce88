/* adjust.h - many tests at once: p-values that say what a family of them says, and the levels of intervals that go with them.
 *
 * A family is n tests that are read together. An adjusted p at most alpha rejects at level alpha, whatever alpha is. Two promises: the
 * *family-wise error*, that with probability 1 - alpha nothing is rejected wrongly (Bonferroni, Holm: whatever the dependence; Šidák: independent or
 * positively dependent tests; Hochberg, Hommel likewise); the *false discovery rate*, the expected share of wrong ones among the rejected (Benjamini-Hochberg under positive dependence, -Yekutieli under any). Holm for
 * the metrics that decide, Benjamini-Hochberg for exploring segments.
 *
 * All p are natural logarithms, 0 at most, so that a p of 1e-1000 stays a number. The caller gives the memory: ranks, once for all methods. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum family_method {
    FAMILY_BONFERRONI,
    FAMILY_SIDAK,
    FAMILY_HOLM,
    FAMILY_HOLM_SIDAK,
    FAMILY_HOCHBERG,
    FAMILY_HOMMEL, /* n² steps */
    FAMILY_BH,
    FAMILY_BY,
    FAMILY_COUNT
};
extern const char *const family_names[FAMILY_COUNT];

/* A test at its place in ascending order of p; equal ones as they were given. */
struct family_rank {
    double log_p;
    size_t at;
};

/* Refuses what is no logarithm of a probability. */
bool family_check(const double *log_p, size_t n, struct err *err) MUSTCHECK;
/* For what has passed that, n may be 0. */
void family_rank(const double *log_p, size_t n, struct family_rank *out);
/* out[i] is the adjusted p of test i as it was given. */
void family_p(enum family_method method, const struct family_rank *ranks, size_t n, double *out);

/* The alpha of each single interval when `rejected` of n tests were rejected at level alpha. Family-wise methods: all n intervals cover with
 * probability 1 - alpha (Bonferroni's, Šidák's). Holm, Hochberg and Hommel have no two-sided intervals of their own; Bonferroni's may hold 0
 * where they reject, so say less and nothing wrong. False discovery: of the intervals of rejected tests a share of alpha misses, on average
 * (Y. Benjamini, D. Yekutieli, JASA 100, 2005); they exclude 0 exactly where the test is rejected. */
double family_interval_alpha(enum family_method method, double alpha, size_t n, size_t rejected);
