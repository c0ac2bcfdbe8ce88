#include "stats/adjust/solve.h"

#include <math.h>

/* l_ij of the scaled matrix: what the columns before j leave of its entry. */
static double left_over(const struct solve *f, double entry, size_t i, size_t j)
{
    for (size_t k = 0; k < j; k++)
        entry -= f->l[i][k] * f->l[j][k];
    return entry;
}

bool solve_factor(size_t n, double s[SOLVE_MAX][SOLVE_MAX], const bool *varies, struct solve *out,
                  size_t *out_dependent)
{
    struct solve f = { .n = n };
    for (size_t i = 0; i < n; i++) {
        f.used[i] = varies[i];
        f.scale[i] = varies[i] ? sqrt(s[i][i]) : 1;
        for (size_t j = 0; j < i; j++)
            if (f.used[i] && f.used[j])
                f.l[i][j] = left_over(&f, s[i][j] / f.scale[i] / f.scale[j], i, j) / f.l[j][j];
        double rest = left_over(&f, 1, i, i);
        if (!(rest > SOLVE_DEPENDENT)) {
            *out_dependent = i;
            return false;
        }
        f.l[i][i] = sqrt(rest);
    }
    *out = f;
    return true;
}

void solve_apply(const struct solve *f, const double *b, double *x)
{
    double y[SOLVE_MAX];
    for (size_t i = 0; i < f->n; i++) {
        y[i] = f->used[i] ? b[i] / f->scale[i] : 0;
        for (size_t k = 0; k < i; k++)
            y[i] -= f->l[i][k] * y[k];
        y[i] /= f->l[i][i];
    }
    for (size_t i = f->n; i-- > 0;) {
        for (size_t k = i + 1; k < f->n; k++)
            y[i] -= f->l[k][i] * y[k];
        y[i] /= f->l[i][i];
    }
    for (size_t i = 0; i < f->n; i++)
        x[i] = y[i] / f->scale[i];
}
