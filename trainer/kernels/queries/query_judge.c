#include "trainer/kernels/queries/query_judge.h"

#include <math.h>

static double count_in(const struct query_list *later, struct str text)
{
    for (uint32_t i = 0; i < later->count; i++)
        if (str_eq(later->entries[i].text, text))
            return (double)later->entries[i].count;
    return 0;
}

void query_judge_values(const struct str *list, uint32_t count, const struct query_list *later,
                        double out[QUERY_JUDGE_METRICS])
{
    double all = 0, best = 0, hits = 0, reciprocal = 0, gain = 0;
    for (uint32_t i = 0; i < later->count; i++) {
        all += (double)later->entries[i].count;
        best += i < QUERY_JUDGE_K ? (double)later->entries[i].count / log2(i + 2) : 0;
    }
    for (uint32_t i = 0; i < count && i < QUERY_JUDGE_K; i++) {
        double g = count_in(later, list[i]);
        hits += g;
        reciprocal += g / (i + 1);
        gain += g / log2(i + 2);
    }
    out[QUERY_JUDGE_HIT_RATE] = all > 0 ? hits / all : 0;
    out[QUERY_JUDGE_MRR] = all > 0 ? reciprocal / all : 0;
    out[QUERY_JUDGE_NDCG] = best > 0 ? gain / best : 0;
}

/* False: there is no list. */
static bool values_of(const struct lists *lists, struct str query, const struct query_list *later,
                      double out[QUERY_JUDGE_METRICS])
{
    struct str texts[QUERY_JUDGE_K] = { { NULL, 0 } };
    struct lists_row row = { 0, 0 };
    bool there = lists && lists_find(lists, query, &row);
    uint32_t n = 0;
    for (; n < row.count && n < QUERY_JUDGE_K; n++)
        texts[n] = lists_entry(lists, row.first + n);
    query_judge_values(texts, n, later, out);
    return there && row.count;
}

void query_judge_add(struct query_judged *j, enum query_judge_side side, const struct lists *candidate,
                     const struct lists *champion, bool has_champion, const struct query_record *q)
{
    const struct query_list *later = &q->lists[side == QUERY_JUDGE_NEXT ? QUERY_NEXT : QUERY_DOCS];
    double x[QUERY_JUDGE_METRICS], y[QUERY_JUDGE_METRICS];
    if (later->count == 0)
        return;
    j->listed[side] += values_of(candidate, q->text, later, x);
    if (has_champion)
        (void)values_of(champion, q->text, later, y);
    for (int m = 0; m < QUERY_JUDGE_METRICS; m++)
        moments2_add(&j->m[side][m], x[m], has_champion ? y[m] : x[m]);
}

void query_judge_merge(struct query_judged *parts, uint32_t count, struct query_judged *out)
{
    struct moments2 *list = mem_alloc((count + 1) * sizeof *list);
    *out = (struct query_judged){ .listed = { 0 } };
    for (int s = 0; s < QUERY_JUDGE_SIDES; s++) {
        for (int m = 0; m < QUERY_JUDGE_METRICS; m++) {
            for (uint32_t i = 0; i < count; i++)
                list[i] = parts[i].m[s][m];
            if (count)
                out->m[s][m] = moments2_tree(list, count);
        }
        for (uint32_t i = 0; i < count; i++)
            out->listed[s] += parts[i].listed[s];
    }
    mem_free(list);
}
