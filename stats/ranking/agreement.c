#include "stats/ranking/agreement.h"

#include <math.h>

bool agreement_kappa(const uint64_t *counts, size_t grades, double *out)
{
    double seen = 0, expected = 0, n = 0;
    for (size_t i = 0; i < grades * grades; i++)
        n += (double)counts[i];
    for (size_t i = 0; i < grades; i++)
        for (size_t j = 0; j < grades; j++) {
            double d = (double)i - (double)j, row = 0, column = 0;
            for (size_t k = 0; k < grades; k++) {
                row += (double)counts[i * grades + k];
                column += (double)counts[k * grades + j];
            }
            seen += d * d * (double)counts[i * grades + j];
            expected += n > 0 ? d * d * row * column / n : 0; /* (k - 1)² cancels out */
        }
    if (expected <= 0)
        return false;
    *out = 1 - seen / expected;
    return true;
}

void agreement_add(struct order_agreement *a, const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            bool same_x = x[i] == x[j], same_y = y[i] == y[j];
            if (same_x || same_y) {
                a->tied_x += same_x && !same_y;
                a->tied_y += same_y && !same_x;
            } else if ((x[i] > x[j]) == (y[i] > y[j])) {
                a->concordant++;
            } else {
                a->discordant++;
            }
        }
}

bool agreement_tau(const struct order_agreement *a, double *out)
{
    double c = (double)a->concordant, d = (double)a->discordant;
    double below = sqrt((c + d + (double)a->tied_x) * (c + d + (double)a->tied_y));
    if (below <= 0)
        return false;
    *out = (c - d) / below;
    return true;
}
