/* "rank.permute@1": rank.h. Values of a feature change places among all rows by a permutation of counted random numbers; its mean over REPEATS counts. */
#include <math.h>

#include "trainer/engine/task.h"
#include "trainer/kernels/rank/rank.h"
#include "trainer/kernels/rank/rank_score.h"

enum { REPEATS = 3 };

struct permuting {
    struct task *task;
    struct rank_data d;
    struct rank_params params;
    struct ranker *r;
    struct rank_scorer scorer;
    struct lambda *judge;
    float *values, *scores; /* a copy, of which one column at a time is changed */
    uint32_t *order;
};

static double ndcg(struct permuting *p)
{
    struct rank_data changed = p->d;
    changed.values = p->values;
    for (uint32_t q = 0; q < p->d.queries; q++)
        rank_scorer_query(&p->scorer, &changed, q, p->scores + rank_first(&p->d, q));
    return lambda_ndcg(p->judge, p->scores);
}

/* Fisher and Yates. */
static void shuffle(struct permuting *p, uint32_t feature, uint32_t repeat)
{
    for (uint64_t i = 0; i < p->d.rows; i++)
        p->order[i] = (uint32_t)i;
    for (uint64_t i = p->d.rows; i > 1; i--) {
        uint64_t k = task_rand(p->task, (uint64_t)feature * REPEATS + repeat, i) % i;
        uint32_t swap = p->order[i - 1];
        p->order[i - 1] = p->order[k];
        p->order[k] = swap;
    }
}

static double fall(struct permuting *p, uint32_t feature, double before)
{
    const uint32_t n = p->d.features;
    double sum = 0;
    for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
        shuffle(p, feature, repeat);
        for (uint64_t i = 0; i < p->d.rows; i++)
            p->values[i * n + feature] = p->d.values[(uint64_t)p->order[i] * n + feature];
        sum += before - ndcg(p);
    }
    for (uint64_t i = 0; i < p->d.rows; i++)
        p->values[i * n + feature] = p->d.values[i * n + feature];
    return sum / REPEATS;
}

static bool open(struct permuting *p, struct err *err)
{
    struct arena *arena = task_arena(p->task);
    struct artifact a;
    p->r = arena_zalloc(arena, sizeof *p->r);
    if (!rank_params_read(task_params(p->task), arena, &p->params, err) ||
        !rank_data_read(task_blob(p->task, 0), &p->d, err) || !artifact_read(task_blob(p->task, 1), &a, err) ||
        !ranker_open(&a, arena, p->r, err))
        return false;
    rank_scorer_open(&p->scorer, p->r, p->params.names, p->params.features, arena);
    p->values = arena_alloc(arena, (p->d.rows * p->d.features + 1) * sizeof *p->values);
    p->scores = arena_alloc(arena, (p->d.rows + 1) * sizeof *p->scores);
    p->order = arena_alloc(arena, (p->d.rows + 1) * sizeof *p->order);
    memcpy(p->values, p->d.values, p->d.rows * p->d.features * sizeof *p->values);
    p->judge = lambda_new(&p->d, &p->params.lambda);
    return true;
}

static bool permute(struct permuting *p, uint32_t from, uint32_t until, struct err *err)
{
    const double before = ndcg(p);
    for (uint32_t feature = from; feature < until; feature++) {
        double by = fall(p, feature, before);
        if (!task_collect(p->task, (struct str){ (const char *)&by, sizeof by }, err) ||
            !task_tick(p->task, p->d.rows, err))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct permuting p = { .task = t };
    uint32_t from, until;
    bool ok = open(&p, err) && rank_range_read(task_desc(t), p.d.features, &from, &until, err) &&
              permute(&p, from, until, err);
    lambda_free(p.judge);
    return ok;
}

const struct kernel kernel_rank_permute = { RANK_PERMUTE_KERNEL, run };
