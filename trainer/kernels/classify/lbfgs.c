#include "trainer/kernels/classify/lbfgs.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define DECREASE 1e-4 /* of what the slope promises */
#define FLATTEN 0.9   /* of the slope, at most so much is left */
enum { TRIES_MAX = 60 };

void lbfgs_init(struct lbfgs *l, size_t n, unsigned memory, double tolerance, unsigned max_evaluations)
{
    assert(memory >= 1 && memory <= LBFGS_MEMORY_MAX);
    *l = (struct lbfgs){ .n = n, .memory = memory, .tolerance = tolerance, .max_evaluations = max_evaluations };
    l->x = mem_zalloc(n * sizeof *l->x);
    l->g = mem_zalloc(n * sizeof *l->g);
    l->at = mem_zalloc(n * sizeof *l->at);
    l->g_at = mem_zalloc(n * sizeof *l->g_at);
    l->direction = mem_zalloc(n * sizeof *l->direction);
}

void lbfgs_release(struct lbfgs *l)
{
    mem_free(l->x);
    mem_free(l->g);
    mem_free(l->at);
    mem_free(l->g_at);
    mem_free(l->direction);
    for (unsigned i = 0; i < LBFGS_MEMORY_MAX; i++) {
        mem_free(l->s[i]);
        mem_free(l->y[i]);
    }
    *l = (struct lbfgs){ .n = 0 };
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add(double *to, double by, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += by * v[i];
}

/* What the last step taught. One without curvature, which only rounding makes, takes the place of the oldest: all are forgotten. */
static void remember(struct lbfgs *l)
{
    if (!l->s[l->next]) {
        l->s[l->next] = mem_alloc(l->n * sizeof(double));
        l->y[l->next] = mem_alloc(l->n * sizeof(double));
    }
    double *s = l->s[l->next], *y = l->y[l->next];
    for (size_t i = 0; i < l->n; i++) {
        s[i] = l->x[i] - l->at[i];
        y[i] = l->g[i] - l->g_at[i];
    }
    const double sy = dot(s, y, l->n);
    if (!(sy > 0)) {
        l->pairs = l->next = 0;
        return;
    }
    l->rho[l->next] = 1 / sy;
    l->next = (l->next + 1) % l->memory;
    l->pairs += l->pairs < l->memory;
}

/* direction = -H g, by the two loops */
static void choose_direction(struct lbfgs *l)
{
    double alpha[LBFGS_MEMORY_MAX], *d = l->direction;
    for (size_t i = 0; i < l->n; i++)
        d[i] = -l->g[i];
    for (unsigned k = 0; k < l->pairs; k++) {
        const unsigned i = (l->next + l->memory - 1 - k) % l->memory;
        alpha[i] = l->rho[i] * dot(l->s[i], d, l->n);
        add(d, -alpha[i], l->y[i], l->n);
    }
    if (l->pairs) {
        const unsigned last = (l->next + l->memory - 1) % l->memory;
        const double scale = 1 / (l->rho[last] * dot(l->y[last], l->y[last], l->n));
        for (size_t i = 0; i < l->n; i++)
            d[i] *= scale;
    }
    for (unsigned k = l->pairs; k-- > 0;) {
        const unsigned i = (l->next + l->memory - 1 - k) % l->memory;
        add(d, alpha[i] - l->rho[i] * dot(l->y[i], d, l->n), l->s[i], l->n);
    }
}

static enum lbfgs_state move(struct lbfgs *l)
{
    for (size_t i = 0; i < l->n; i++)
        l->x[i] = l->at[i] + l->step * l->direction[i];
    return LBFGS_EVALUATE;
}

static enum lbfgs_state go_on(struct lbfgs *l, double f)
{
    l->norm = sqrt(dot(l->g, l->g, l->n));
    if (l->evaluations == 1)
        l->first_norm = l->norm;
    if (l->norm <= l->tolerance * l->first_norm)
        return LBFGS_DONE;
    choose_direction(l);
    l->slope = dot(l->direction, l->g, l->n);
    if (!(l->slope < 0))
        return LBFGS_STUCK;
    memcpy(l->at, l->x, l->n * sizeof *l->x);
    memcpy(l->g_at, l->g, l->n * sizeof *l->g);
    l->f_at = f;
    l->step = l->pairs ? 1 : 1 / l->norm;
    l->shorter = l->longer = 0;
    l->tries = 0;
    l->iterations++;
    return move(l);
}

static enum lbfgs_state back(struct lbfgs *l, enum lbfgs_state why)
{
    memcpy(l->x, l->at, l->n * sizeof *l->x);
    return why;
}

enum lbfgs_state lbfgs_tell(struct lbfgs *l, double f)
{
    l->evaluations++;
    if (l->evaluations == 1)
        return go_on(l, f);
    const bool low = f <= l->f_at + DECREASE * l->step * l->slope; /* not of NAN */
    if (low && dot(l->direction, l->g, l->n) >= FLATTEN * l->slope) {
        remember(l);
        return l->evaluations >= l->max_evaluations ? LBFGS_TIRED : go_on(l, f);
    }
    if (low)
        l->shorter = l->step;
    else
        l->longer = l->step;
    l->step = l->longer > 0 ? (l->shorter + l->longer) / 2 : 2 * l->step;
    if (++l->tries == TRIES_MAX)
        return back(l, LBFGS_STUCK);
    return l->evaluations >= l->max_evaluations ? back(l, LBFGS_TIRED) : move(l);
}
