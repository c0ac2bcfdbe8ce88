#include "stats/interleave/optimized.h"

#include <assert.h>
#include <math.h>

#include "stats/interleave/simplex.h"

#define BIAS_MAX 1e-9 /* what rounding leaves of 0 */

static_assert((int)SIMPLEX_ROWS_MAX >= (int)INTERLEAVE_OPTIMIZED_MAX, "a row for every position");
static_assert((int)SIMPLEX_COLUMNS_MAX == 1 << INTERLEAVE_OPTIMIZED_MAX, "a column for every list");

double interleave_credit_of(enum interleave_credit_kind kind, size_t rank_a, size_t length_a, size_t rank_b,
                            size_t length_b)
{
    double a = (double)(rank_a ? rank_a : length_a + 1), b = (double)(rank_b ? rank_b : length_b + 1);
    if (kind == INTERLEAVE_CREDIT_INVERSE)
        return 1 / a - 1 / b;
    return kind == INTERLEAVE_CREDIT_LINEAR ? b - a : (double)((a < b) - (a > b));
}

/* Credits of the documents that can be shown: the first of each ranking, looked up once. */
struct known {
    size_t n;
    int32_t docs[2 * INTERLEAVE_OPTIMIZED_MAX];
    double credit[2 * INTERLEAVE_OPTIMIZED_MAX];
};

static double credit(struct known *known, const struct interleave_rankings *r, enum interleave_credit_kind kind,
                     int32_t doc)
{
    size_t i = 0;
    while (i < known->n && known->docs[i] != doc)
        i++;
    if (i == known->n) {
        assert(known->n < (size_t)2 * INTERLEAVE_OPTIMIZED_MAX);
        known->docs[known->n++] = doc;
        known->credit[i] = interleave_credit_of(kind, interleave_rank(r, 0, doc), r->lengths[0],
                                                interleave_rank(r, 1, doc), r->lengths[1]);
    }
    return known->credit[i];
}

static bool shown(const int32_t *docs, size_t n, int32_t doc)
{
    for (size_t i = 0; i < n; i++)
        if (docs[i] == doc)
            return true;
    return false;
}

/* The ranking's best document that is not among the first n, or -1. */
static int32_t next_of(const struct interleave_rankings *r, size_t ranking, const int32_t *docs, size_t n)
{
    for (size_t i = 0; i < r->lengths[ranking]; i++)
        if (!shown(docs, n, r->docs[ranking][i]))
            return r->docs[ranking][i];
    return -1;
}

/* The document at the end of this path so far, and whether the other choice is another document. */
static int32_t choose(const struct interleave_rankings *r, const int32_t *docs, size_t n, unsigned wanted,
                      bool *out_fork)
{
    int32_t a = next_of(r, 0, docs, n), b = next_of(r, 1, docs, n);
    *out_fork = a >= 0 && b >= 0 && a != b;
    return *out_fork ? (wanted ? b : a) : (a >= 0 ? a : b);
}

/* Depth first, without recursion: paths in ascending order of their bits read from the front; a bit is set only at a fork. */
static void enumerate(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                      struct interleave_lists *out)
{
    int32_t docs[INTERLEAVE_OPTIMIZED_MAX];
    double credits[INTERLEAVE_OPTIMIZED_MAX];
    bool forks[INTERLEAVE_OPTIMIZED_MAX] = { false };
    struct known known = { 0 };
    unsigned path = 0;
    size_t at = 0;
    out->count = out->positions = 0;
    for (;;) {
        for (; at < length; at++) {
            docs[at] = choose(r, docs, at, path >> at & 1, &forks[at]);
            if (docs[at] < 0)
                break;
            credits[at] = credit(&known, r, kind, docs[at]);
        }
        for (size_t k = 0; k < at; k++)
            out->credit[k][out->count] = credits[k];
        out->positions = at; /* the same on every path: the union is used up or the length is reached */
        out->paths[out->count++] = (uint16_t)path;
        while (at > 0 && (!forks[at - 1] || path >> (at - 1) & 1)) /* back to the last fork whose other side is open */
            path &= ~(1u << --at);
        if (at == 0)
            return;
        path |= 1u << --at;
    }
}

static double entropy(double share)
{
    return share > 0 ? -share * log(share) : 0;
}

static double sensitivity(const struct interleave_lists *l, size_t list)
{
    double total = 0, first = 0, second = 0;
    for (size_t k = 0; k < l->positions; k++) {
        double seen = 1 / (double)(k + 1), delta = l->credit[k][list];
        total += seen;
        first += delta > 0 ? seen : 0;
        second += delta < 0 ? seen : 0;
    }
    return total > 0 ? entropy(first / total) + entropy(second / total) : 0;
}

/* Whether the lists of this many positions can be unbiased; if so, out is the answer. */
static bool solve(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                  struct interleave_lists *out)
{
    double gain[1 << INTERLEAVE_OPTIMIZED_MAX];
    enumerate(r, length, kind, out);
    for (size_t j = 0; j < out->count; j++)
        gain[j] = sensitivity(out, j);
    return simplex_solve(out->credit, out->positions, gain, out->count, out->p) <= BIAS_MAX;
}

void interleave_optimize(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                         struct interleave_lists *out)
{
    assert(r->count == 2 && length <= INTERLEAVE_OPTIMIZED_MAX);
    while (!solve(r, length, kind, out))
        length = out->positions - 1; /* without positions there is no bias */
}

/* The list whose part of the unit interval the coin falls into. */
static size_t draw(const struct interleave_lists *l, const struct interleave_coins *coins)
{
    double coin = ((double)coins->toss(coins->arg, INTERLEAVE_COIN_MAX) + 0.5) / INTERLEAVE_COIN_MAX, sum = 0;
    size_t last = 0;
    for (size_t j = 0; j < l->count; j++) {
        if (l->p[j] <= 0)
            continue;
        last = j;
        sum += l->p[j];
        if (coin < sum)
            break;
    }
    return last;
}

static int owner_of(double delta)
{
    return delta > 0 ? 0 : delta < 0 ? 1 : INTERLEAVE_NEUTRAL;
}

/* What stands behind the optimised positions: both rankings' best that is left, by turns. */
static void fill_up(const struct interleave_rankings *r, size_t length, struct interleave_list *out)
{
    bool taken[INTERLEAVE_DOCS_MAX] = { false };
    size_t next[2] = { 0, 0 };
    for (size_t i = 0; i < out->n; i++)
        taken[out->docs[i]] = true;
    for (size_t turn = 0; out->n < length && (next[0] < r->lengths[0] || next[1] < r->lengths[1]); turn = 1 - turn) {
        while (next[turn] < r->lengths[turn] && taken[r->docs[turn][next[turn]]])
            next[turn]++;
        if (next[turn] == r->lengths[turn])
            continue;
        int32_t doc = r->docs[turn][next[turn]++];
        taken[doc] = true;
        if (out->credit)
            out->credit[out->n] = 0;
        out->docs[out->n] = doc;
        out->owners[out->n++] = INTERLEAVE_NEUTRAL;
    }
}

void interleave_optimized(const struct interleave_rankings *r, size_t length, enum interleave_credit_kind kind,
                          const struct interleave_coins *coins, struct interleave_list *out)
{
    struct interleave_lists l;
    interleave_optimize(r, length < INTERLEAVE_OPTIMIZED_MAX ? length : INTERLEAVE_OPTIMIZED_MAX, kind, &l);
    size_t list = draw(&l, coins);
    bool fork;
    for (out->n = 0; out->n < l.positions; out->n++) {
        size_t k = out->n;
        out->docs[k] = choose(r, out->docs, k, l.paths[list] >> k & 1, &fork);
        out->owners[k] = (int8_t)owner_of(l.credit[k][list]);
        if (out->credit)
            out->credit[k] = fabs(l.credit[k][list]);
    }
    fill_up(r, length, out);
}
