#include "trainer/kernels/rank/lambda.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { SIGMOID_STEPS = 1 << 16, INSERTED = 256 /* documents: a query with more is sorted as if nothing was known */ };
#define SIGMOID_RANGE 32.0f /* behind it nothing is left of p that a float would show */

const char *const rank_gain_names[RANK_GAIN_COUNT] = { [RANK_EXPONENTIAL] = "exponential", [RANK_LINEAR] = "linear" };

struct place {
    float score;
    uint32_t row; /* of the query */
};

struct lambda {
    const struct rank_data *d;
    struct lambda_rules rules;
    float *gains;    /* of rows */
    double *ideal;   /* DCG of queries, of all ranks: what pairs are divided by */
    double *ideal_k; /* of the first k */
    double *discounts;
    float *sigmoid;       /* 1 / (1 + exp(x)), x from -SIGMOID_RANGE */
    struct place *places; /* of a query, by rank */
    uint32_t *
        order; /* of all queries: rows by rank, as they were when last looked at: in the next round little has changed */
    double *gain, *evidence, *gradient, *hessian; /* of a query, by rank */
};

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void find_ideal(struct lambda *l, uint32_t q, float *sorted)
{
    const uint32_t first = rank_first(l->d, q), n = l->d->ends[q] - first;
    memcpy(sorted, l->gains + first, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, falling);
    for (uint32_t r = 0; r < n; r++) {
        double part = (double)sorted[r] * l->discounts[r];
        l->ideal[q] += part;
        l->ideal_k[q] += r < l->rules.k ? part : 0;
    }
}

static uint32_t longest(const struct rank_data *d)
{
    uint32_t n = 0;
    for (uint32_t q = 0; q < d->queries; q++)
        n = d->ends[q] - rank_first(d, q) > n ? d->ends[q] - rank_first(d, q) : n;
    return n;
}

static void find_tables(struct lambda *l, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++)
        l->discounts[r] = 1 / log2(2.0 + r);
    for (uint32_t i = 0; i < SIGMOID_STEPS; i++)
        l->sigmoid[i] = (float)(1 / (1 + exp(2.0 * (double)SIGMOID_RANGE * (i + 0.5) / SIGMOID_STEPS -
                                             (double)SIGMOID_RANGE)));
    for (uint64_t i = 0; i < l->d->rows; i++)
        l->gains[i] = l->rules.gain == RANK_LINEAR ? l->d->labels[i] : (float)(exp2((double)l->d->labels[i]) - 1);
}

struct lambda *lambda_new(const struct rank_data *d, const struct lambda_rules *rules)
{
    struct lambda *l = mem_zalloc(sizeof *l);
    const uint32_t n = longest(d);
    l->d = d;
    l->rules = *rules;
    l->gains = mem_alloc((d->rows + 1) * sizeof *l->gains);
    l->ideal = mem_zalloc((d->queries + 1) * sizeof *l->ideal);
    l->ideal_k = mem_zalloc((d->queries + 1) * sizeof *l->ideal_k);
    l->discounts = mem_alloc((n + 1) * sizeof *l->discounts);
    l->sigmoid = mem_alloc(SIGMOID_STEPS * sizeof *l->sigmoid);
    l->places = mem_alloc((n + 1) * sizeof *l->places);
    l->order = mem_alloc((d->rows + 1) * sizeof *l->order);
    l->gain = mem_alloc((n + 1) * sizeof *l->gain);
    l->evidence = mem_alloc((n + 1) * sizeof *l->evidence);
    l->gradient = mem_alloc((n + 1) * sizeof *l->gradient);
    l->hessian = mem_alloc((n + 1) * sizeof *l->hessian);
    find_tables(l, n);
    float *sorted = mem_alloc((n + 1) * sizeof *sorted);
    for (uint32_t q = 0; q < d->queries; q++) {
        find_ideal(l, q, sorted);
        for (uint32_t i = rank_first(d, q); i < d->ends[q]; i++)
            l->order[i] = i - rank_first(d, q);
    }
    mem_free(sorted);
    return l;
}

void lambda_free(struct lambda *l)
{
    if (!l)
        return;
    mem_free(l->gains);
    mem_free(l->ideal);
    mem_free(l->ideal_k);
    mem_free(l->discounts);
    mem_free(l->sigmoid);
    mem_free(l->places);
    mem_free(l->order);
    mem_free(l->gain);
    mem_free(l->evidence);
    mem_free(l->gradient);
    mem_free(l->hessian);
    mem_free(l);
}

static int by_score(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->row < y->row ? -1 : 1;
}

static bool is_behind(struct place a, struct place b)
{
    return a.score < b.score || (a.score == b.score && a.row > b.row);
}

static void insert_all(struct place *p, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct place one = p[i];
        uint32_t at = i;
        for (; at > 0 && is_behind(p[at - 1], one); at--)
            p[at] = p[at - 1];
        p[at] = one;
    }
}

static uint32_t sort(struct lambda *l, uint32_t q, const float *scores)
{
    const uint32_t first = rank_first(l->d, q), n = l->d->ends[q] - first;
    for (uint32_t i = 0; i < n; i++)
        l->places[i] = (struct place){ scores[first + l->order[first + i]], l->order[first + i] };
    if (n <= INSERTED)
        insert_all(l->places, n);
    else
        qsort(l->places, n, sizeof *l->places, by_score);
    for (uint32_t i = 0; i < n; i++)
        l->order[first + i] = l->places[i].row;
    return n;
}

/* ---- gradients ---- */

static float sigmoid(const struct lambda *l, float x)
{
    if (x <= -SIGMOID_RANGE)
        return 1;
    if (x >= SIGMOID_RANGE)
        return 0;
    uint32_t i = (uint32_t)((x + SIGMOID_RANGE) * (SIGMOID_STEPS / (2 * SIGMOID_RANGE)));
    return l->sigmoid[i < SIGMOID_STEPS ? i : SIGMOID_STEPS - 1];
}

/* Rank r with all behind it. Returns the sum of p delta. */
static double pairs_of(struct lambda *l, double scale, bool spread, uint32_t r, uint32_t n)
{
    const double gain = l->gain[r], sure = l->evidence[r], discount = l->discounts[r] * scale;
    const float score = l->places[r].score;
    double sum = 0, gradient = 0, hessian = 0;
    for (uint32_t s = r + 1; s < n; s++) {
        const double by = gain - l->gain[s];
        if (by == 0)
            continue;
        const float apart = score - l->places[s].score; /* of what is ranked above, at least 0 */
        const double p = (double)sigmoid(l, by > 0 ? apart : -apart);
        double delta = fabs(by) * (discount - l->discounts[s] * scale);
        if (l->d->evidence)
            delta *= 2 * sure * l->evidence[s] / (sure + l->evidence[s]);
        if (spread)
            delta /= 0.01 + (double)apart;
        const double force = p * delta, curve = force * (1 - p), down = by > 0 ? force : -force;
        gradient -= down;
        hessian += curve;
        l->gradient[s] += down;
        l->hessian[s] += curve;
        sum += force;
    }
    l->gradient[r] += gradient;
    l->hessian[r] += hessian;
    return sum;
}

static double all_pairs(struct lambda *l, double scale, uint32_t n)
{
    const uint32_t top = n < l->rules.truncation ? n : l->rules.truncation;
    const bool spread = l->places[0].score != l->places[n - 1].score;
    double sum = 0;
    for (uint32_t r = 0; r < top; r++)
        sum += pairs_of(l, scale, spread, r, n);
    return 2 * sum;
}

static void query(struct lambda *l, uint32_t q, const float *scores, float *out_gradient, float *out_hessian)
{
    const uint32_t first = rank_first(l->d, q), n = sort(l, q, scores);
    for (uint32_t i = 0; i < n; i++) {
        l->gain[i] = (double)l->gains[first + l->places[i].row];
        l->evidence[i] = l->d->evidence ? (double)l->d->evidence[first + l->places[i].row] : 1;
        l->gradient[i] = l->hessian[i] = 0;
    }
    double sum = l->ideal[q] > 0 ? all_pairs(l, 1 / l->ideal[q], n) : 0;
    double factor = (double)l->d->weights[q] * (sum > 0 ? log2(1 + sum) / sum : 0);
    for (uint32_t i = 0; i < n; i++) {
        out_gradient[first + l->places[i].row] = (float)(l->gradient[i] * factor);
        out_hessian[first + l->places[i].row] = (float)(l->hessian[i] * factor);
    }
}

void lambda_gradients(struct lambda *l, const float *scores, float *out_gradient, float *out_hessian)
{
    for (uint32_t q = 0; q < l->d->queries; q++)
        query(l, q, scores, out_gradient, out_hessian);
}

/* ---- nDCG ---- */

double lambda_ndcg_query(struct lambda *l, uint32_t q, const float *scores)
{
    const uint32_t first = rank_first(l->d, q), n = sort(l, q, scores);
    double dcg = 0;
    for (uint32_t r = 0; r < n && r < l->rules.k; r++)
        dcg += (double)l->gains[first + l->places[r].row] * l->discounts[r];
    return l->ideal_k[q] > 0 ? dcg / l->ideal_k[q] : 0;
}

double lambda_ndcg(struct lambda *l, const float *scores)
{
    double sum = 0, weight = 0;
    for (uint32_t q = 0; q < l->d->queries; q++) {
        sum += (double)l->d->weights[q] * lambda_ndcg_query(l, q, scores);
        weight += (double)l->d->weights[q];
    }
    return sum / weight;
}
