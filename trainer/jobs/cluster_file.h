/* cluster_file.h - groups of documents → the sections of an artifact of kind "clusters" (model/clusters.h): what the jobs "clusters" and "cluster-labels" end with.
 *
 * A label is a term that is in more of the group's documents than chance has it, by Dunning's log-likelihood ratio of documents with and without, in and
 * outside of the group; a term labels one group only, the one that it tells most of. The run's parameters: label_terms, frequent_terms. */
#pragma once
#include "trainer/jobs/doc_vectors.h"
#include "trainer/jobs/model_file.h"
#include "trainer/kernels/clusters/kmeans.h"

struct cluster_member {
    uint32_t group, document;
    float distance; /* 1 - cosine to the centre; 1: it has none */
};

struct cluster_groups {
    uint32_t count, centres; /* those with a centre come first */
    uint32_t outliers;       /* of the centres, the last ones */
    const struct str *names;
    struct cluster_member *members; /* sorted here */
    size_t members_count;
    const bool *hidden; /* NULL, or of groups that are in no list, though they have a centre */
};

/* terms: documents over terms, as doc_vectors_make leaves them without rows. rows: NULL, or the vectors of terms that centres are over. Makes a pass. */
bool cluster_file_add(struct model_file *file, struct doc_vectors *v, const struct kdocs *terms,
                      struct cluster_groups *groups, const struct kcentres *centres, const float *rows,
                      struct err *err) MUSTCHECK;
