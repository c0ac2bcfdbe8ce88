#include "trainer/kernels/rank/trees.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/ranker_xgboost.h"
#include "trainer/kernels/rank/xgboost_api.h"

struct training {
    const struct xgboost_api *api;
    const struct rank_data *d;
    const struct rank_params *p;
    struct trees_watch *watch;
    DMatrixHandle rows, judged;
    BoosterHandle booster;
    struct lambda *lambda, *judge;
    float *gradient, *hessian;
    double scale; /* of gradients */
    double best;
    uint32_t best_round;
};

static bool said(const struct training *t, int failed, struct err *err)
{
    return failed == 0 || err_set(err, ERR_INVALID, "XGBoost: %.200s", t->api->BGetLastError());
}

/* ---- opening ---- */

static bool matrix(const struct training *t, const struct rank_data *d, DMatrixHandle *out, struct err *err)
{
    return said(t, t->api->DMatrixCreateFromMat(d->values, d->rows, d->features, NAN, out), err);
}

static bool set(const struct training *t, const char *name, const char *value, struct err *err)
{
    return said(t, t->api->BoosterSetParam(t->booster, name, value), err);
}

static bool set_number(const struct training *t, const char *name, double value, struct err *err)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.17g", value);
    return set(t, name, text, err);
}

static bool set_monotone(const struct training *t, struct arena *arena, struct err *err)
{
    const struct rank_params *p = t->p;
    char *text = arena_alloc(arena, (size_t)p->features * 3 + 3);
    size_t n = 0;
    bool any = false;
    for (uint32_t i = 0; i < p->features; i++) {
        any = any || p->monotone[i] != 0;
        n += (size_t)snprintf(text + n, 4, "%c%d", i ? ',' : '(', p->monotone[i]);
    }
    (void)snprintf(text + n, 2, ")");
    return !any || set(t, "monotone_constraints", text, err);
}

static bool set_all(const struct training *t, struct arena *arena, struct err *err)
{
    const struct rank_params *p = t->p;
    return set(t, "booster", "gbtree", err) && set(t, "tree_method", "hist", err) &&
           set(t, "objective", "reg:squarederror", err) && set(t, "base_score", "0", err) &&
           set(t, "verbosity", "0", err) && set_number(t, "nthread", p->threads, err) &&
           set_number(t, "seed", (double)(p->seed & INT32_MAX), err) && set_number(t, "max_depth", p->depth, err) &&
           set(t, "grow_policy", p->leaves ? "lossguide" : "depthwise", err) &&
           set_number(t, "max_leaves", p->leaves, err) && set_number(t, "eta", p->learning_rate, err) &&
           set_number(t, "min_child_weight", p->min_child_weight, err) && set_number(t, "lambda", p->l2, err) &&
           set_number(t, "subsample", p->subsample, err) && set_number(t, "colsample_bytree", p->colsample, err) &&
           set_monotone(t, arena, err);
}

static bool open(struct training *t, struct arena *arena, struct err *err)
{
    const struct rank_data *judged = t->watch->judge;
    t->api = xgboost_api(err);
    if (!t->api || !matrix(t, t->d, &t->rows, err) || (judged && !matrix(t, judged, &t->judged, err)))
        return false;
    const DMatrixHandle both[] = { t->rows, t->judged };
    if (!said(t, t->api->BoosterCreate(both, judged ? 2 : 1, &t->booster), err) || !set_all(t, arena, err))
        return false;
    t->lambda = lambda_new(t->d, &t->p->lambda);
    t->judge = judged ? lambda_new(judged, &t->p->lambda) : NULL;
    t->gradient = mem_alloc(t->d->rows * sizeof *t->gradient);
    t->hessian = mem_alloc(t->d->rows * sizeof *t->hessian);
    return true;
}

static void close_all(struct training *t)
{
    if (t->booster)
        (void)t->api->BoosterFree(t->booster);
    if (t->rows)
        (void)t->api->DMatrixFree(t->rows);
    if (t->judged)
        (void)t->api->DMatrixFree(t->judged);
    lambda_free(t->lambda);
    lambda_free(t->judge);
    mem_free(t->gradient);
    mem_free(t->hessian);
}

/* ---- rounds ---- */

static bool predict(const struct training *t, DMatrixHandle rows, uint64_t count, const float **out, struct err *err)
{
    bst_ulong n;
    if (!said(t, t->api->BoosterPredict(t->booster, rows, 1, 0, 0, &n, out), err))
        return false;
    return n == count || err_set(err, ERR_SYSTEM, "XGBoost gave %llu scores, not %llu", (unsigned long long)n,
                                 (unsigned long long)count);
}

static void find_scale(struct training *t)
{
    double sum = 0, rows = 0;
    for (uint64_t i = 0; i < t->d->rows; i++) {
        sum += (double)t->hessian[i];
        rows += t->hessian[i] > 0;
    }
    t->scale = sum > 0 ? rows / sum : 1;
}

static bool grow(struct training *t, struct err *err)
{
    const float *scores;
    if (!predict(t, t->rows, t->d->rows, &scores, err))
        return false;
    lambda_gradients(t->lambda, scores, t->gradient, t->hessian);
    if (t->scale == 0)
        find_scale(t);
    for (uint64_t i = 0; i < t->d->rows; i++) {
        t->gradient[i] = (float)((double)t->gradient[i] * t->scale);
        t->hessian[i] = (float)((double)t->hessian[i] * t->scale);
    }
    return said(t, t->api->BoosterBoostOneIter(t->booster, t->rows, t->gradient, t->hessian, t->d->rows), err);
}

/* *out_enough: nothing was better for so long. */
static bool judge(struct training *t, uint32_t round, bool *out_enough, struct err *err)
{
    const float *scores;
    *out_enough = false;
    if (!t->watch->judge)
        return true;
    if (!predict(t, t->judged, t->watch->judge->rows, &scores, err))
        return false;
    double now = t->watch->curve[round] = lambda_ndcg(t->judge, scores);
    if (round == 0 || now > t->best) {
        t->best = now;
        t->best_round = round;
    }
    *out_enough = t->p->early_stopping && round - t->best_round >= t->p->early_stopping;
    return true;
}

static bool rounds(struct training *t, struct err *err)
{
    bool enough = false;
    for (uint32_t round = 0; round < t->p->trees && !enough; round++) {
        if (!grow(t, err) || !judge(t, round, &enough, err))
            return false;
        t->watch->rounds = round + 1;
        if (t->watch->tick && !t->watch->tick(t->watch->arg, err))
            return false;
    }
    return true;
}

static bool take(const struct training *t, struct arena *arena, struct ranker_forest *out, struct err *err)
{
    bst_ulong n;
    const char *json;
    return said(t, t->api->BoosterSaveModelToBuffer(t->booster, "{\"format\": \"json\"}", &n, &json), err) &&
           ranker_xgboost_read((struct str){ json, n }, t->p->names, t->p->features, arena, out, err);
}

bool trees_train(const struct rank_data *d, const struct rank_params *p, struct trees_watch *watch, struct arena *arena,
                 struct ranker_forest *out, struct err *err)
{
    struct training t = { .d = d, .p = p, .watch = watch };
    watch->rounds = 0;
    bool ok = open(&t, arena, err) && rounds(&t, err) && take(&t, arena, out, err);
    close_all(&t);
    if (ok)
        trees_midpoints(out, d);
    return ok;
}

/* ---- thresholds ---- */

/* A threshold of a feature, and the training values next to it. */
struct edge {
    float at, below, above;
};
struct edges {
    struct edge *list;
    uint32_t count;
};

static int by_threshold(const void *a, const void *b)
{
    float x = ((const struct edge *)a)->at, y = ((const struct edge *)b)->at;
    return x < y ? -1 : x > y;
}

static bool is_split(const struct ranker_tree_node *n)
{
    return n->left != 0;
}

/* Of all features, each behind the other; sorted, each once. */
static struct edges *edges_find(const struct ranker_forest *f, uint32_t features)
{
    struct edges *of = mem_zalloc((features + 1) * sizeof *of);
    for (int filling = 0; filling < 2; filling++) {
        for (uint32_t t = 0; t < f->trees_count; t++)
            for (uint32_t i = 0; i < f->trees[t].count; i++) {
                const struct ranker_tree_node *n = &f->trees[t].nodes[i];
                if (!is_split(n))
                    continue;
                if (filling)
                    of[n->feature].list[of[n->feature].count] = (struct edge){ n->threshold, -INFINITY, INFINITY };
                of[n->feature].count++;
            }
        for (uint32_t k = 0; k < features && !filling; k++) {
            of[k].list = mem_alloc((of[k].count + 1) * sizeof *of[k].list);
            of[k].count = 0;
        }
    }
    for (uint32_t k = 0; k < features; k++) {
        uint32_t kept = 0;
        if (of[k].count)
            qsort(of[k].list, of[k].count, sizeof *of[k].list, by_threshold);
        for (uint32_t i = 0; i < of[k].count; i++)
            if (kept == 0 || of[k].list[kept - 1].at != of[k].list[i].at)
                of[k].list[kept++] = of[k].list[i];
        of[k].count = kept;
    }
    return of;
}

/* How many thresholds are at most v. */
static uint32_t passed(const struct edges *e, float v)
{
    uint32_t low = 0, high = e->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (e->list[middle].at <= v)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A value lies above the threshold before it, and below the one behind it. */
static void see(struct edges *e, float v)
{
    uint32_t i = passed(e, v);
    if (i > 0 && v < e->list[i - 1].above)
        e->list[i - 1].above = v;
    if (i < e->count && v > e->list[i].below)
        e->list[i].below = v;
}

/* Between thresholds without a value between them: what is next to one is next to the other. */
static void spread(struct edges *e)
{
    for (uint32_t i = 1; i < e->count; i++)
        if (e->list[i].below == -INFINITY)
            e->list[i].below = e->list[i - 1].below;
    for (uint32_t i = e->count; i > 1; i--)
        if (e->list[i - 2].above == INFINITY)
            e->list[i - 2].above = e->list[i - 1].above;
}

static float middle_of(const struct edge *e)
{
    if (!isfinite(e->below) || !isfinite(e->above))
        return e->at;
    float m = (float)(((double)e->below + (double)e->above) / 2);
    return m > e->below && m < e->above ? m : e->at;
}

void trees_midpoints(struct ranker_forest *f, const struct rank_data *d)
{
    struct edges *of = edges_find(f, d->features);
    for (uint64_t i = 0; i < d->rows; i++)
        for (uint32_t k = 0; k < d->features; k++)
            if (of[k].count && !isnan(d->values[i * d->features + k]))
                see(&of[k], d->values[i * d->features + k]);
    for (uint32_t k = 0; k < d->features; k++)
        spread(&of[k]);
    for (uint32_t t = 0; t < f->trees_count; t++)
        for (uint32_t i = 0; i < f->trees[t].count; i++) {
            struct ranker_tree_node *n = &f->trees[t].nodes[i];
            if (is_split(n))
                n->threshold = middle_of(&of[n->feature].list[passed(&of[n->feature], n->threshold) - 1]);
        }
    for (uint32_t k = 0; k < d->features; k++)
        mem_free(of[k].list);
    mem_free(of);
}
