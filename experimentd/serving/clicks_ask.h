/* clicks_ask.h - what a model of kind "clicks" is asked (model/clicks.h), as an input of predict: what would happen to this list?
 *
 *   {"query", "docs": ["B07", "B01"]} → {"model": "ubm", "docs": [{"doc", "position", "clicked", "looked", "relevance", "known"}]}
 *
 * clicked, looked: the probability that the document at this position is clicked, that it is looked at, before anything was clicked. A document that the model has
 * not seen for the query has what is assumed of all, and known is false. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"

bool clicks_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                   struct buf *out, struct err *err) MUSTCHECK;
