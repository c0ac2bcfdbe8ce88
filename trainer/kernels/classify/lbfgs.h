/* lbfgs.h - pure: the least of a smooth function, by limited-memory BFGS (J. Nocedal, Math. Comp. 35, 1980), as a machine that asks for the value and the
 * gradient at a place and is told: who knows them may be far away.
 *
 *   lbfgs_init(&l, n, memory, tolerance, max_evaluations); x in l.x
 *   do { f and l.g at l.x } while (lbfgs_tell(&l, f) == LBFGS_EVALUATE); the best place is l.x
 *
 * Steps fulfil the weak Wolfe conditions, found by bisection (A. Lewis, M. Overton, Math. Programming 141, 2013). It ends when the norm of the gradient is
 * below tolerance times what it was at first. Sums run in the order of the coordinates. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { LBFGS_MEMORY_MAX = 20 };
enum lbfgs_state {
    LBFGS_EVALUATE, /* at l.x */
    LBFGS_DONE,     /* as good as was asked for */
    LBFGS_TIRED,    /* max_evaluations are used up */
    LBFGS_STUCK     /* no step makes it better: rounding has the last word */
};

struct lbfgs {
    size_t n;
    unsigned memory, pairs, next; /* how many are kept, how many there are, where the next one goes */
    unsigned iterations, evaluations, max_evaluations, tries; /* tries: of the step under way */
    double tolerance, first_norm, norm;
    double *x, *g;                             /* where it is to be evaluated; the gradient there */
    double *at, *g_at, *direction;             /* where the step began */
    double f_at, slope, step, shorter, longer; /* the step, and bounds: longer 0: none */
    double *s[LBFGS_MEMORY_MAX], *y[LBFGS_MEMORY_MAX], rho[LBFGS_MEMORY_MAX];
};
void lbfgs_init(struct lbfgs *l, size_t n, unsigned memory, double tolerance, unsigned max_evaluations);
void lbfgs_release(struct lbfgs *l);
enum lbfgs_state lbfgs_tell(struct lbfgs *l, double f);
