#include "stats/ranks/sorted.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool sorted_make(double *values, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return err_set(err, ERR_INVALID, "value %zu is not a finite number", i + 1);
    if (n > 0)
        qsort(values, n, sizeof *values, by_value);
    return true;
}

double sorted_quantile(const double *sorted, size_t n, double level)
{
    double at = (double)(n - 1) * level, below = floor(at);
    size_t i = (size_t)below;
    return i + 1 < n ? sorted[i] + (at - below) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}
