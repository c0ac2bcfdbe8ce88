/* training_pairs.h - what the job "training-data" and its kernel say to each other.
 *
 * "training.pairs@1": records of queries (kernels/queries/query_record.h) → text query, text category, f64 clicks, of each query with a label. Blob 0: lists (model/lists.h) that
 * give for a document its categories. Params {"min_units", "min_pair_count", "proportion"}. Collects first struct training_counts. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/queries/query_record.h"

#define TRAINING_PAIRS_KERNEL "training.pairs@1"
extern const struct kernel kernel_training_pairs;

struct training_counts {
    uint64_t queries, units_few, uncategorised, clicks_few, undecided, labelled; /* queries = the sum of the others */
};

/* Pure: the category of a query. A click on a document of several categories is one of each. */
struct lists;
struct training_rules {
    uint64_t min_units, min_pair_count;
    double proportion;
};
enum training_result { PAIR_UNITS_FEW, PAIR_UNCATEGORISED, PAIR_CLICKS_FEW, PAIR_UNDECIDED, PAIR_LABELLED };
struct training_pair {
    struct str category;
    uint64_t clicks;
};
enum training_result training_pair_of(const struct training_rules *r, const struct lists *categories,
                                      const struct query_record *q, struct training_pair *out);
