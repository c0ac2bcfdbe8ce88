#include "trainer/kernels/items/similar.h"

#include <math.h>

const char *const similar_names[SIMILAR_COUNT] = { "cosine", "llr" };

/* One cell of 2 Σ n ln(n / expected). */
static double cell(double n, double row, double column, double all)
{
    return n > 0 ? 2 * n * log(n * all / (row * column)) : 0;
}

static double llr(uint64_t units, uint64_t a, uint64_t b, uint64_t both)
{
    double n = (double)units, na = (double)a, nb = (double)b, nab = (double)both;
    if (nab * n <= na * nb)
        return 0;
    double g = cell(nab, na, nb, n) + cell(na - nab, na, n - nb, n) + cell(nb - nab, n - na, nb, n) +
               cell(n - na - nb + nab, n - na, n - nb, n);
    return g > 0 ? g : 0;
}

double similar_score(const struct similar_rules *r, const struct similar_item *a, const struct similar_item *b,
                     uint64_t both, double dot)
{
    double n = (double)both, score;
    if (r->by == SIMILAR_LLR)
        score = llr(r->units, a->units, b->units, both);
    else
        score = a->squares > 0 && b->squares > 0 ? dot / (sqrt(a->squares) * sqrt(b->squares)) : 0;
    return score * (n / (n + r->shrink));
}
