/* classify_ask.h - what a text is, by an object of these fields, for /v1/models/{name}/predict: text, n (classes, 3), min_score (0), explain (n-grams that weighed
 * most for the first class, 0). */
#pragma once
#include "assign/assign.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

struct serving_entry;

/* Appends the answer, as one JSON object. */
bool classify_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                     struct buf *out, struct err *err) MUSTCHECK;
