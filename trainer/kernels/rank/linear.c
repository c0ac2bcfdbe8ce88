#include "trainer/kernels/rank/linear.h"

#include <math.h>

#define ENOUGH 1e-7 /* of the gradient, at its largest */
#define FIRST_STEEPNESS 1.0

struct fit {
    const struct rank_data *d;
    const struct rank_params *p;
    const float *means, *scales;
    float *x;      /* standardised */
    double *gains; /* of rows */
    double *s, *ds;
    double weight; /* of queries that can be learned from */
};

/* ---- standardising ---- */

static void standardise(const struct rank_data *d, float *means, float *scales)
{
    for (uint32_t k = 0; k < d->features; k++) {
        struct moments m = { .n = 0 };
        for (uint64_t i = 0; i < d->rows; i++)
            if (!isnan(d->values[i * d->features + k]))
                moments_add(&m, (double)d->values[i * d->features + k]);
        float scale = m.n > 1 ? (float)sqrt(moments_variance(&m)) : 0;
        means[k] = m.n > 0 ? (float)m.mean : 0;
        scales[k] = scale > 0 && isfinite(scale) ? scale : 1;
    }
}

static float standard(const float *means, const float *scales, uint32_t k, float v)
{
    return isnan(v) ? 0 : (v - means[k]) / scales[k];
}

/* ---- the loss ---- */

static double pairs(struct fit *f, uint32_t first, uint32_t n)
{
    const double *g = f->gains + first, *s = f->s + first;
    const float *sure = f->d->evidence ? f->d->evidence + first : NULL;
    double loss = 0, sum = 0, *ds = f->ds + first;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            if (!(g[i] > g[j]))
                continue;
            double by = g[i] - g[j], apart = s[i] - s[j];
            if (sure)
                by *= 2 * (double)sure[i] * (double)sure[j] / ((double)sure[i] + (double)sure[j]);
            double p = apart > 0 ? exp(-apart) / (1 + exp(-apart)) : 1 / (1 + exp(apart));
            loss += by * (apart > 0 ? log1p(exp(-apart)) : log1p(exp(apart)) - apart);
            ds[i] -= by * p;
            ds[j] += by * p;
            sum += by;
        }
    for (uint32_t i = 0; i < n; i++)
        ds[i] /= sum;
    return loss / sum;
}

static double list(struct fit *f, uint32_t first, uint32_t n)
{
    const double *g = f->gains + first, *s = f->s + first;
    double top = s[0], sum = 0, gains = 0, loss = 0;
    for (uint32_t i = 0; i < n; i++) {
        top = s[i] > top ? s[i] : top;
        gains += g[i];
    }
    for (uint32_t i = 0; i < n; i++)
        sum += exp(s[i] - top);
    for (uint32_t i = 0; i < n; i++) {
        double t = g[i] / gains;
        loss -= t * (s[i] - top - log(sum));
        f->ds[first + i] = exp(s[i] - top) / sum - t;
    }
    return loss;
}

static bool differs(const struct fit *f, uint32_t first, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (f->gains[first + i] != f->gains[first])
            return true;
    return false;
}

static double of_queries(struct fit *f)
{
    double loss = 0;
    for (uint32_t q = 0; q < f->d->queries; q++) {
        const uint32_t first = rank_first(f->d, q), n = f->d->ends[q] - first;
        memset(f->ds + first, 0, n * sizeof *f->ds);
        if (!differs(f, first, n))
            continue;
        const double by = (double)f->d->weights[q] / f->weight;
        loss += by * (f->p->objective == RANK_PAIRWISE ? pairs(f, first, n) : list(f, first, n));
        for (uint32_t i = 0; i < n; i++)
            f->ds[first + i] *= by;
    }
    return loss;
}

/* The loss at w; its gradient too unless out is NULL. */
static double loss_at(struct fit *f, const double *w, double *out)
{
    const uint32_t n = f->d->features;
    for (uint64_t i = 0; i < f->d->rows; i++) {
        f->s[i] = 0;
        for (uint32_t k = 0; k < n; k++)
            f->s[i] += w[k] * (double)f->x[i * n + k];
    }
    double loss = of_queries(f);
    for (uint32_t k = 0; k < n; k++) {
        loss += f->p->l2 / 2 * w[k] * w[k];
        if (out)
            out[k] = f->p->l2 * w[k];
    }
    for (uint64_t i = 0; out && i < f->d->rows; i++)
        for (uint32_t k = 0; k < n && f->ds[i] != 0; k++)
            out[k] += f->ds[i] * (double)f->x[i * n + k];
    return loss;
}

/* ---- descending ---- */

struct descent {
    double *w, *before, *y, *gradient; /* y: w, and some way on in the direction that it took */
    double steepness, momentum, loss;
};

static double bounded(const struct fit *f, uint32_t k, double w)
{
    if ((f->p->monotone[k] > 0 && w < 0) || (f->p->monotone[k] < 0 && w > 0))
        return 0;
    return w;
}

/* One step from y; halves it until the parabola that was assumed lies above the loss. Returns how far from the minimum: the largest change times steepness. */
static double step(struct fit *f, struct descent *d)
{
    const uint32_t n = f->d->features;
    const double at = loss_at(f, d->y, d->gradient);
    double largest = 0;
    memcpy(d->before, d->w, n * sizeof *d->w);
    for (;; d->steepness *= 2) {
        double above = at;
        largest = 0;
        for (uint32_t k = 0; k < n; k++) {
            d->w[k] = bounded(f, k, d->y[k] - d->gradient[k] / d->steepness);
            const double by = d->w[k] - d->y[k];
            above += d->gradient[k] * by + d->steepness / 2 * by * by;
            largest = fabs(by) > largest ? fabs(by) : largest;
        }
        d->loss = loss_at(f, d->w, NULL);
        if (d->loss <= above + 1e-14 * fabs(above) || !(d->steepness < 1e12))
            return largest * d->steepness;
    }
}

static void go_on(struct fit *f, struct descent *d)
{
    const uint32_t n = f->d->features;
    const double next = (1 + sqrt(1 + 4 * d->momentum * d->momentum)) / 2;
    double uphill = 0, by = (d->momentum - 1) / next;
    for (uint32_t k = 0; k < n; k++)
        uphill += (d->y[k] - d->w[k]) * (d->w[k] - d->before[k]);
    d->momentum = uphill > 0 ? 1 : next;
    for (uint32_t k = 0; k < n; k++)
        d->y[k] = uphill > 0 ? d->w[k] : d->w[k] + by * (d->w[k] - d->before[k]);
    d->steepness *= 0.9;
}

/* ---- training ---- */

static void open(struct fit *f, struct arena *arena)
{
    const struct rank_data *d = f->d;
    f->x = arena_alloc(arena, (d->rows * d->features + 1) * sizeof *f->x);
    f->gains = arena_alloc(arena, (d->rows + 1) * sizeof *f->gains);
    f->s = arena_alloc(arena, (d->rows + 1) * sizeof *f->s);
    f->ds = arena_alloc(arena, (d->rows + 1) * sizeof *f->ds);
    for (uint64_t i = 0; i < d->rows; i++) {
        const double label = (double)d->labels[i];
        f->gains[i] = f->p->lambda.gain == RANK_LINEAR ? label : exp2(label) - 1;
        for (uint32_t k = 0; k < d->features; k++)
            f->x[i * d->features + k] = standard(f->means, f->scales, k, d->values[i * d->features + k]);
    }
    for (uint32_t q = 0; q < d->queries; q++)
        if (differs(f, rank_first(d, q), d->ends[q] - rank_first(d, q)))
            f->weight += (double)d->weights[q];
}

bool linear_train(const struct rank_data *d, const struct rank_params *p, bool (*tick)(void *arg, struct err *err),
                  void *arg, struct arena *arena, struct linear *out, struct err *err)
{
    const uint32_t n = d->features;
    *out = (struct linear){ .weights = arena_zalloc(arena, n * sizeof(float)),
                            .means = arena_zalloc(arena, n * sizeof(float)),
                            .scales = arena_zalloc(arena, n * sizeof(float)) };
    struct fit f = { .d = d, .p = p, .means = out->means, .scales = out->scales };
    struct descent at = { .w = arena_zalloc(arena, n * sizeof(double)),
                          .before = arena_zalloc(arena, n * sizeof(double)),
                          .y = arena_zalloc(arena, n * sizeof(double)),
                          .gradient = arena_zalloc(arena, n * sizeof(double)),
                          .steepness = FIRST_STEEPNESS,
                          .momentum = 1 };
    standardise(d, out->means, out->scales);
    open(&f, arena);
    while (f.weight > 0 && out->iterations < p->iterations) {
        out->iterations++;
        if (step(&f, &at) < ENOUGH)
            break;
        go_on(&f, &at);
        if (tick && !tick(arg, err))
            return false;
    }
    for (uint32_t k = 0; k < n; k++)
        out->weights[k] = (float)at.w[k];
    out->loss = at.loss;
    return isfinite(at.loss) || err_set(err, ERR_INVALID, "the loss of the linear model is not finite");
}

void linear_score(const struct linear *l, const struct rank_data *d, float *out_scores)
{
    for (uint64_t i = 0; i < d->rows; i++) {
        float sum = 0;
        for (uint32_t k = 0; k < d->features; k++)
            sum += l->weights[k] * standard(l->means, l->scales, k, d->values[i * d->features + k]);
        out_scores[i] = sum;
    }
}
