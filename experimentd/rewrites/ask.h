/* ask.h - rewriting a query by an object of the fields that /v1/rewrite takes, for /v1/models/{name}/predict. */
#pragma once
#include "assign/assign.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

struct serving_entry;

/* Appends the answer, as one JSON object. */
bool rewrite_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                    struct buf *out, struct err *err) MUSTCHECK;
