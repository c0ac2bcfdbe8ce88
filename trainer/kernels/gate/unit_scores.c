#include "trainer/kernels/gate/unit_scores.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/ranking/ranking.h"

const char *const unit_score_names[] = { "ndcg@10", "recall@10",   "precision@10", "map@10",
                                         "mrr@10",  "hit_rate@10", "novelty@10",   NULL };
static_assert(COUNT_OF(unit_score_names) == SCORE_COUNT + 1, "one name each");

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double novelty(const struct unit_list *l, const uint32_t *item_units, uint64_t units)
{
    double sum = 0;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t had = l->items[i] == UNIT_SCORES_OUTSIDE ? 0 : item_units[l->items[i]];
        sum += log2((double)units / (had ? had : 1));
    }
    return l->count ? sum / (double)l->count : 0;
}

/* More than K relevant ones cannot be told from K by the gains of an ideal list, but count for recall and average precision. */
bool unit_scores_of(const struct unit_list *list, const uint32_t *relevant, size_t relevant_count,
                    const uint32_t *item_units, uint64_t units, double out[SCORE_COUNT], struct err *err)
{
    static const struct ranking_rules rules = { .k = UNIT_SCORES_K, .max_grade = 1, .relevant_at = 1, .rbp_p = 0.8 };
    double grades[UNIT_SCORES_K], hits = 0;
    struct ranking r;
    assert(relevant_count > 0);
    for (size_t i = 0; i < list->count; i++) {
        grades[i] = bsearch(&list->items[i], relevant, relevant_count, sizeof *relevant, by_number) ? 1 : 0;
        hits += grades[i];
    }
    AUTO(mem_free) char *memory = mem_alloc(relevant_count * sizeof(double));
    double *judged = (double *)(void *)memory;
    for (size_t i = 0; i < relevant_count; i++)
        judged[i] = 1;
    if (!ranking_score(grades, list->count, judged, relevant_count, &rules, &r, err))
        return false;
    out[SCORE_NDCG] = r.ndcg_lin;
    out[SCORE_RECALL] = r.recall;
    out[SCORE_PRECISION] = r.precision;
    out[SCORE_MAP] = r.ap;
    out[SCORE_MRR] = r.rr;
    out[SCORE_HIT_RATE] = hits > 0;
    out[SCORE_NOVELTY] = novelty(list, item_units, units);
    return true;
}
