/* cluster_judge.h - the gate of clusters: candidate and champion are asked, by the code that serves them, where the documents lie that were left out of training.
 *
 * Metrics, means over these documents: silhouette, cohesion (model/clusters.h). Of the whole: cluster_share, outlier_share, each with its bound, and clusters. */
#pragma once
#include "trainer/jobs/doc_vectors.h"
#include "trainer/models/gate.h"

struct cluster_whole {
    double cluster_share, outlier_share; /* of documents: in the largest cluster; in groups of outliers */
    uint32_t clusters;
};
bool cluster_judge(struct doc_vectors *v, struct str candidate, const struct cluster_whole *whole,
                   struct gate_outcome *out, struct buf *metrics_json, struct err *err) MUSTCHECK;
