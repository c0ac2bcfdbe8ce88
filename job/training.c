#include "job/training.h"

const char *const job_gate_rules[] = { "better", "superior", "not_worse", "none", NULL };
const char *const job_recommender_metrics[] = { "ndcg@10",     "recall@10", "precision@10", "map@10", "mrr@10",
                                                "hit_rate@10", NULL };
