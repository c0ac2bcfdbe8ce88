/* vectors_ask.h - what a model of kind "vectors" is asked (model/vectors.h), as an input of predict.
 *
 *   {"word"} | {"text"} | {"plus": [words], "minus": [words]} | {"doc"}, "of"?: "words" | "documents", "n"? → {"nearest": [{"word" | "doc", "cosine"}], "known", "unknown"}
 *
 * A text stands for the sum of its words, plus and minus for an analogy (king - man + woman). `known`: how many of the words have a vector, `unknown`: how many
 * have none. Words that were asked for are not among the answers. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"

bool vectors_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                    struct buf *out, struct err *err) MUSTCHECK;
