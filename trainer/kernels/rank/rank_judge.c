/* "rank.judge@1": rank.h. By model/ranker.h, which serves, and stats/ranking, which everyone is judged by. */
#include <math.h>
#include <stdlib.h>

#include "stats/ranking/ranking.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/rank/rank.h"
#include "trainer/kernels/rank/rank_score.h"

enum { CUTS = 3, TICK_QUERIES = 256 };
#define RELEVANT_AT 1e-9 /* any label above 0 */

const char *const rank_metric_names[RANK_METRICS] = {
    [RANK_NDCG_1] = "ndcg@1",          [RANK_NDCG_5] = "ndcg@5",          [RANK_NDCG_10] = "ndcg@10",
    [RANK_BURGES_1] = "ndcg_burges@1", [RANK_BURGES_5] = "ndcg_burges@5", [RANK_BURGES_10] = "ndcg_burges@10",
    [RANK_MRR_10] = "mrr@10",          [RANK_MAP_10] = "map@10",          [RANK_PRECISION_10] = "precision@10"
};

struct placed {
    float score;
    uint32_t row;
};

struct judging {
    struct task *task;
    struct rank_data d;
    struct rank_params params;
    struct rank_scorer sides[2];
    bool champion;
    double max_grade, *grades, *judged;
    float *scores;
    struct placed *places;
};

static int by_score(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->row < y->row ? -1 : 1;
}

static void rank(struct judging *j, uint32_t q, struct rank_scorer *side)
{
    const uint32_t first = rank_first(&j->d, q), n = j->d.ends[q] - first;
    rank_scorer_query(side, &j->d, q, j->scores);
    for (uint32_t i = 0; i < n; i++)
        j->places[i] = (struct placed){ j->scores[i], i };
    qsort(j->places, n, sizeof *j->places, by_score);
    for (uint32_t i = 0; i < n; i++) {
        j->grades[i] = (double)j->d.labels[first + j->places[i].row];
        j->judged[i] = (double)j->d.labels[first + i];
    }
}

static bool measure(struct judging *j, uint32_t q, struct rank_scorer *side, double out[RANK_METRICS], struct err *err)
{
    static const size_t cuts[CUTS] = { 1, 5, 10 };
    const uint32_t n = j->d.ends[q] - rank_first(&j->d, q);
    struct ranking at[CUTS];
    rank(j, q, side);
    for (int c = 0; c < CUTS; c++) {
        const struct ranking_rules rules = {
            .k = cuts[c], .max_grade = j->max_grade, .relevant_at = RELEVANT_AT, .rbp_p = 0.8
        };
        if (!ranking_score(j->grades, n, j->judged, n, &rules, &at[c], err))
            return false;
        out[RANK_NDCG_1 + c] = at[c].ndcg_lin;
        out[RANK_BURGES_1 + c] = at[c].ndcg_exp;
    }
    out[RANK_MRR_10] = at[CUTS - 1].rr;
    out[RANK_MAP_10] = at[CUTS - 1].ap;
    out[RANK_PRECISION_10] = at[CUTS - 1].precision;
    return true;
}

static bool judge(struct judging *j, uint32_t from, uint32_t until, struct rank_judged *out, struct err *err)
{
    double candidate[RANK_METRICS], champion[RANK_METRICS];
    for (uint32_t q = from; q < until; q++) {
        if (!measure(j, q, &j->sides[0], candidate, err))
            return false;
        memcpy(champion, candidate, sizeof champion);
        if (j->champion && !measure(j, q, &j->sides[1], champion, err))
            return false;
        for (int m = 0; m < RANK_METRICS; m++)
            moments2_add(&out->m[m], candidate[m], champion[m]);
        if (q % TICK_QUERIES == 0 && !task_tick(j->task, 0, err))
            return false;
    }
    return true;
}

static bool open_side(struct judging *j, size_t blob, struct err *err)
{
    struct arena *arena = task_arena(j->task);
    struct artifact a;
    struct ranker *r = arena_zalloc(arena, sizeof *r);
    if (!artifact_read(task_blob(j->task, blob), &a, err) || !ranker_open(&a, arena, r, err))
        return false;
    rank_scorer_open(&j->sides[blob - 1], r, j->params.names, j->params.features, arena);
    return true;
}

static void make_room(struct judging *j)
{
    struct arena *arena = task_arena(j->task);
    uint32_t most = 1;
    for (uint32_t q = 0; q < j->d.queries; q++)
        most = j->d.ends[q] - rank_first(&j->d, q) > most ? j->d.ends[q] - rank_first(&j->d, q) : most;
    j->max_grade = 1;
    for (uint64_t i = 0; i < j->d.rows; i++)
        j->max_grade = fmax(j->max_grade, (double)j->d.labels[i]);
    j->grades = arena_alloc(arena, most * sizeof *j->grades);
    j->judged = arena_alloc(arena, most * sizeof *j->judged);
    j->scores = arena_alloc(arena, most * sizeof *j->scores);
    j->places = arena_alloc(arena, most * sizeof *j->places);
}

static bool run(struct task *t, struct err *err)
{
    struct judging j = { .task = t };
    struct rank_judged *out = arena_zalloc(task_arena(t), sizeof *out);
    uint32_t from, until;
    if (!rank_params_read(task_params(t), task_arena(t), &j.params, err) ||
        !rank_data_read(task_blob(t, 0), &j.d, err) ||
        !rank_range_read(task_desc(t), j.d.queries, &from, &until, err) || !open_side(&j, 1, err))
        return false;
    j.champion = task_blob(t, 2).n > 0;
    if (j.champion && !open_side(&j, 2, err))
        return false;
    make_room(&j);
    return judge(&j, from, until, out, err) && task_collect(t, (struct str){ (const char *)out, sizeof *out }, err);
}

const struct kernel kernel_rank_judge = { RANK_JUDGE_KERNEL, run };
