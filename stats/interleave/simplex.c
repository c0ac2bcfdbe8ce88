#include "stats/interleave/simplex.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#define EPSILON 1e-9
enum {
    ALL_MAX = SIMPLEX_COLUMNS_MAX + 2 * SIMPLEX_ROWS_MAX, /* a slack of either sign for each row */
    DANTZIG_STEPS = 500,
    STEPS_MAX = 100000 /* Bland's rule ends long before; rounding must not turn a request into a loop */
};

struct tableau {
    size_t rows, columns, width; /* rows: those of `a` and, the last, that of Σ p = 1 */
    double cell[SIMPLEX_ROWS_MAX + 1][ALL_MAX], value[SIMPLEX_ROWS_MAX + 1];
    double cost[ALL_MAX]; /* reduced: below 0 where entering lowers the cost */
    bool barred[ALL_MAX];
    size_t basis[SIMPLEX_ROWS_MAX + 1];
};

static void subtract_row(double *from, const double *row, double factor, size_t n)
{
    for (size_t j = 0; factor != 0 && j < n; j++)
        from[j] -= factor * row[j];
}

static void pivot(struct tableau *t, size_t row, size_t column)
{
    double scale = t->cell[row][column];
    for (size_t j = 0; j < t->width; j++)
        t->cell[row][j] /= scale;
    t->value[row] /= scale;
    for (size_t i = 0; i < t->rows; i++) {
        double factor = t->cell[i][column];
        if (i == row || factor == 0)
            continue;
        subtract_row(t->cell[i], t->cell[row], factor, t->width);
        t->cell[i][column] = 0;
        t->value[i] = fmax(0, t->value[i] - factor * t->value[row]);
    }
    subtract_row(t->cost, t->cell[row], t->cost[column], t->width);
    t->cost[column] = 0;
    t->basis[row] = column;
}

/* The column to enter: the steepest, or by Bland the first that descends. width: none, the end. */
static size_t entering(const struct tableau *t, bool bland)
{
    size_t best = t->width;
    double least = -EPSILON;
    for (size_t j = 0; j < t->width; j++) {
        if (t->barred[j] || t->cost[j] >= least)
            continue;
        best = j;
        if (bland)
            break;
        least = t->cost[j];
    }
    return best;
}

/* The row that reaches 0 first; of several the one whose variable is first. rows: none (never: Σ p = 1 bounds all but slacks). */
static size_t leaving(const struct tableau *t, size_t column)
{
    size_t best = t->rows;
    double least = INFINITY;
    for (size_t i = 0; i < t->rows; i++) {
        if (t->cell[i][column] <= EPSILON)
            continue;
        double ratio = t->value[i] / t->cell[i][column];
        if (ratio < least || (ratio == least && t->basis[i] < t->basis[best])) {
            least = ratio;
            best = i;
        }
    }
    return best;
}

static void descend(struct tableau *t)
{
    for (int step = 0; step < STEPS_MAX; step++) {
        size_t column = entering(t, step >= DANTZIG_STEPS), row;
        if (column == t->width || (row = leaving(t, column)) == t->rows)
            return;
        pivot(t, row, column);
    }
}

/* Reduced costs of the present basis from the costs themselves. */
static void price(struct tableau *t)
{
    double own[SIMPLEX_ROWS_MAX + 1];
    for (size_t i = 0; i < t->rows; i++)
        own[i] = t->cost[t->basis[i]];
    for (size_t i = 0; i < t->rows; i++)
        subtract_row(t->cost, t->cell[i], own[i], t->width);
}

/* Column 0 alone meets Σ p = 1; what it leaves of each row is taken up by the slack of the right sign. */
static void start(struct tableau *t, double (*a)[SIMPLEX_COLUMNS_MAX], size_t rows, size_t columns)
{
    *t = (struct tableau){ .rows = rows + 1, .columns = columns, .width = columns + 2 * rows };
    for (size_t j = 0; j < columns; j++)
        t->cell[rows][j] = 1;
    t->value[rows] = 1;
    for (size_t i = 0; i < rows; i++) {
        double sign = a[i][0] > 0 ? -1 : 1; /* of the row, so that its value, which is |a[i][0]|, is not negative */
        for (size_t j = 0; j < columns; j++)
            t->cell[i][j] = sign * (a[i][j] - a[i][0]);
        t->value[i] = fabs(a[i][0]);
        t->cell[i][columns + 2 * i] = 1;
        t->cell[i][columns + 2 * i + 1] = -1;
        t->cost[columns + 2 * i] = t->cost[columns + 2 * i + 1] = 1;
        t->basis[i] = columns + 2 * i;
    }
}

double simplex_solve(double (*a)[SIMPLEX_COLUMNS_MAX], size_t rows, const double *gain, size_t columns, double *out_p)
{
    struct tableau t;
    double left = 0;
    assert(rows <= SIMPLEX_ROWS_MAX && columns >= 1 && columns <= SIMPLEX_COLUMNS_MAX);
    start(&t, a, rows, columns);
    price(&t);
    descend(&t);
    for (size_t i = 0; i < t.rows; i++)
        left += t.basis[i] >= columns ? t.value[i] : 0;
    for (size_t j = 0; j < t.width; j++) { /* what would cost again may not come back */
        t.barred[j] = t.cost[j] > EPSILON;
        t.cost[j] = j < columns ? -gain[j] : 0;
    }
    price(&t);
    descend(&t);
    for (size_t j = 0; j < columns; j++)
        out_p[j] = 0;
    for (size_t i = 0; i < t.rows; i++)
        if (t.basis[i] < columns)
            out_p[t.basis[i]] = t.value[i];
    return left;
}
