/* clusters_ask.h - what a model of kind "clusters" is asked (model/clusters.h), as an input of predict.
 *
 *   {"doc"}                      → {"doc", "cluster", "labels", "distance", "outlier", "also"?}     where a document of the catalogue was put
 *   {"text"}                     → {"cluster", "labels", "distance", "outlier", "next"?}            where a text that was never seen belongs
 *   {"cluster", "n"?, "offset"?} → {"cluster", "labels", "documents", "docs": [{"doc", "distance"}]}    what is in a group, nearest to its centre first
 *   {"clusters": true}           → {"clusters": [{"cluster", "labels", "documents", "share", "cohesion", "outlier"}]}    the groups that there are
 *
 * What is not known, or has nothing in common with any centre, has cluster null and a note. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"

bool clusters_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                     struct buf *out, struct err *err) MUSTCHECK;
