/* rank_score.h - pure: a ranker (model/ranker.h) on training data whose features it may have under other numbers. */
#pragma once
#include "model/ranker.h"
#include "trainer/kernels/rank/rank_data.h"

struct rank_scorer {
    const struct ranker *r;
    int *columns; /* of each of the ranker's features the one of the data, or -1: missing */
    float *row;
};
/* `names`: of the data's features. In the arena. */
void rank_scorer_open(struct rank_scorer *s, const struct ranker *r, const struct str *names, uint32_t features,
                      struct arena *arena);
/* Scores of the rows of query q. */
void rank_scorer_query(struct rank_scorer *s, const struct rank_data *d, uint32_t q, float *out_scores);
/* "FROM UNTIL": numbers below `count`, until is not included. */
bool rank_range_read(struct str desc, uint32_t count, uint32_t *out_from, uint32_t *out_until,
                     struct err *err) MUSTCHECK;
