/* looks.h - the looks that a test with planned looks has taken: its critical value now, a p-value that is right at every look, and what a stop says.
 *
 * A plan says how much of alpha may have been spent at each share of the information (bounds.h); looks come when they come, at other shares than were
 * planned, and there may be more or fewer. The test rejects at the first look whose |Z| reaches its bound. Its *sequential p* is the least alpha
 * at which it would have rejected by now (Q. Liu, K. Anderson, JASA 103, 2008): it never grows, is at most alpha exactly when the test has
 * rejected, and several of them may be read together by Holm's or any other method (W. Maurer, F. Bretz, Statistics in
 * Biopharmaceutical Research 5, 2013). The interval estimate ± bound · se is the repeated one (C. Jennison, B. Turnbull, JRSS B 51, 1989): right at
 * every look, stopped or not. Two-sided. Values in, values out. */
#pragma once
#include "stats/sequential/bounds.h"
#include "stats/sequential/stopped.h"

struct looks_plan {
    bool haybittle_peto; /* one high bound at all looks but the last: of alpha/50, 0.001 of 0.05 */
    struct spending spending;
};
/* Taken so far, in order: shares of the planned information and Z of each. */
struct looks {
    const double *t, *z;
    size_t n;
};

/* The bounds of the looks so far at level alpha, n of them. */
bool looks_bounds(const struct looks_plan *p, const double *t, size_t n, double alpha, double *out,
                  struct err *err) MUSTCHECK;
/* ln of the sequential p, up to 1; not below LOOKS_LOG_P_MIN, which stands for all smaller ones. */
#define LOOKS_LOG_P_MIN (-69.0)
bool looks_log_p(const struct looks_plan *p, const struct looks *l, double *out, struct err *err) MUSTCHECK;
/* The look (from 1) that rejected at level alpha; 0: none has. */
bool looks_stop(const struct looks_plan *p, const struct looks *l, double alpha, size_t *out,
                struct err *err) MUSTCHECK;
/* Stage-wise p, estimate and interval of a test that ended at look `at`, from 1: drifts, as stopped.h has them. */
bool looks_stopped(const struct looks_plan *p, const struct looks *l, size_t at, double alpha, struct stopped *out,
                   struct err *err) MUSTCHECK;
