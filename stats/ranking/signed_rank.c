#include "stats/ranking/signed_rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/ranking/paired.h"
#include "stats/special/special.h"

static int by_size(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return x < y ? -1 : x > y;
}

/* Twice the sums of ranks, whole numbers with ties too; the room for them all. */
enum { SUMS = SIGNED_RANK_EXACT_MAX * (SIGNED_RANK_EXACT_MAX + 1) + 1 };

struct sums {
    size_t doubled[SIGNED_RANK_EXACT_MAX]; /* twice each rank, of the first few */
    double plus, minus, squares;
};

/* Ranks of sorted differences, none of them 0. */
static void add_ranks(const double *d, size_t n, struct sums *s)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && fabs(d[end]) <= fabs(d[i]); end++)
            ;
        double rank = (double)(i + 1 + end) / 2;
        for (size_t j = i; j < end; j++) {
            *(d[j] > 0 ? &s->plus : &s->minus) += rank;
            s->squares += rank * rank;
            if (j < SIGNED_RANK_EXACT_MAX)
                s->doubled[j] = i + 1 + end;
        }
    }
}

/* P(sum of the ranks with a random sign <= smaller), from the number of ways to each sum. */
static double exact_log_p(const struct sums *s, size_t n)
{
    double ways[SUMS] = { 1 }, tail = 0, total = ldexp(1, (int)n);
    size_t reach = 0, limit = (size_t)(2 * fmin(s->plus, s->minus));
    for (size_t i = 0; i < n; i++) {
        reach += s->doubled[i];
        for (size_t at = reach; at >= s->doubled[i] && at > 0; at--)
            ways[at] += ways[at - s->doubled[i]];
    }
    for (size_t at = 0; at <= limit; at++)
        tail += ways[at];
    return log(fmin(1, 2 * tail / total));
}

void signed_rank_test(double *d, size_t n, struct signed_rank *out)
{
    struct sums s = { .plus = 0 };
    size_t zeros = 0;
    if (n)
        qsort(d, n, sizeof *d, by_size);
    while (zeros < n && fabs(d[zeros]) <= 0)
        zeros++;
    n -= zeros;
    add_ranks(d + zeros, n, &s);
    *out = (struct signed_rank){ s.plus, s.minus, 0 };
    if (n == 0)
        return;
    if (n <= SIGNED_RANK_EXACT_MAX)
        out->log_p = exact_log_p(&s, n);
    else
        out->log_p = fmin(0, M_LN2 + special_log_normal_q(fabs(s.plus - s.minus) / 2 / sqrt(s.squares / 4)));
}
