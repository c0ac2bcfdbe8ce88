/* cluster_bisect.h - groups by splitting: what bisecting k-means gives k-means to begin with (cluster_train.h). */
#pragma once
#include "trainer/jobs/cluster_train.h"

/* Called whenever there are `k` groups, from 1 on: cluster of each document, below k. */
typedef void (*cluster_bisect_fn)(void *arg, uint32_t k, const uint32_t *cluster);
/* Until there are plan->k_max, or nothing can be split. */
bool cluster_bisect(struct run_context *run, struct arena *arena, const struct kdocs *docs, int docs_blob,
                    const struct cluster_plan *plan, cluster_bisect_fn fn, void *arg, struct err *err) MUSTCHECK;
