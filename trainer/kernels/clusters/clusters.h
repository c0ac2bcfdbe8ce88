/* clusters.h - what the jobs over groups of documents and their kernels say to each other.
 *
 * "clusters.assign@1": documents FROM … TO - 1 → their nearest centres; text of a split "AT BYTES FROM TO"; blob 0 documents, blob 1 centres (kmeans.h), those that
 * are asked for BYTES from AT on. Collects
 * a struct knear of each.
 * "clusters.bisect@1": a cluster → two; text "STREAM FROM TO", params {"seed", "starts", "max_iterations"}; blob 0 documents, blob 1 numbers of documents (u32), of which FROM … TO - 1
 * are the cluster's. Collects a byte of each, 0 or 1, or nothing when they are all alike.
 * "clusters.judge@1": a range of the table of items (content_read.h) → how well the documents that were left out of training lie; params {"holdout", "champion"}; blob 0 the
 * artifact of the candidate, blob 1 that of the champion. Collects a struct clusters_judged. */
#pragma once
#include "base/hash.h"
#include "stats/moments.h"
#include "trainer/engine/task.h"

#define CLUSTERS_ASSIGN_KERNEL "clusters.assign@1"
#define CLUSTERS_BISECT_KERNEL "clusters.bisect@1"
#define CLUSTERS_JUDGE_KERNEL "clusters.judge@1"
extern const struct kernel kernel_clusters_assign, kernel_clusters_bisect, kernel_clusters_judge;

enum clusters_metric { CLUSTERS_SILHOUETTE, CLUSTERS_COHESION, CLUSTERS_METRIC_COUNT };
/* x the candidate's, y the champion's of the same document; 0 of one that it knows no word of. */
struct clusters_judged {
    struct moments2 m[CLUSTERS_METRIC_COUNT];
    uint64_t documents, found; /* left out of training; of these, those that the candidate places */
};
/* Whether a document is left out of training, to judge by: by its id alone, so in each version the same. */
static inline bool clusters_held_out(struct str doc, double share)
{
    return (double)(hash64(doc) >> 11) / 9007199254740992.0 < share;
}
