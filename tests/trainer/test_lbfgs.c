/* The optimiser: known minima, a tolerance that is kept, an end that is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/classify/lbfgs.h"

static double rosenbrock(const double *x, size_t n, double *g)
{
    double f = 0;
    for (size_t i = 0; i < n; i++)
        g[i] = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        f += 100 * a * a + b * b;
        g[i] += -400 * a * x[i] - 2 * b;
        g[i + 1] += 200 * a;
    }
    return f;
}

static double quadratic(const double *x, size_t n, double *g)
{
    double f = 0;
    for (size_t i = 0; i < n; i++) {
        const double weight = pow(10, (double)(i % 5));
        f += weight * (x[i] - (double)i) * (x[i] - (double)i) / 2;
        g[i] = weight * (x[i] - (double)i);
    }
    return f;
}

typedef double (*function)(const double *, size_t, double *);

static enum lbfgs_state run(struct lbfgs *l, function f)
{
    enum lbfgs_state state;
    do {
        state = lbfgs_tell(l, f(l->x, l->n, l->g));
    } while (state == LBFGS_EVALUATE);
    return state;
}

Test(lbfgs, finds_the_least)
{
    struct lbfgs l;
    lbfgs_init(&l, 10, 10, 1e-10, 2000);
    cr_assert(eq(int, run(&l, rosenbrock), LBFGS_DONE));
    for (size_t i = 0; i < l.n; i++)
        cr_assert(epsilon_eq(dbl, l.x[i], 1, 1e-7));
    lbfgs_release(&l);
    lbfgs_init(&l, 20, 3, 1e-12, 2000);
    cr_assert(eq(int, run(&l, quadratic), LBFGS_DONE));
    for (size_t i = 0; i < l.n; i++)
        cr_assert(epsilon_eq(dbl, l.x[i], (double)i, 1e-6));
    cr_assert(le(dbl, l.norm, 1e-12 * l.first_norm));
    lbfgs_release(&l);
}

Test(lbfgs, says_when_it_is_tired_and_keeps_the_best)
{
    struct lbfgs l;
    double g[10], first[10] = { 0 };
    lbfgs_init(&l, 10, 5, 1e-10, 8);
    cr_assert(eq(int, run(&l, rosenbrock), LBFGS_TIRED));
    cr_assert(eq(u32, l.evaluations, 8));
    cr_assert(lt(dbl, rosenbrock(l.x, 10, g), rosenbrock(first, 10, g)));
    lbfgs_release(&l);
}

static double nowhere(const double *x, size_t n, double *g)
{
    (void)n;
    g[0] = 1;
    return x[0] < 0 ? (double)NAN : x[0];
}

Test(lbfgs, ends_where_no_step_helps)
{
    struct lbfgs l;
    lbfgs_init(&l, 1, 5, 1e-10, 1000);
    cr_assert(eq(int, run(&l, nowhere), LBFGS_STUCK));
    cr_assert(eq(dbl, l.x[0], 0));
    lbfgs_release(&l);
}
