/* cluster_words.h - vectors of words that were trained before (job "word2vec"), for the terms of the catalogue. */
#pragma once
#include "trainer/jobs/doc_vectors.h"

/* Of the champion of the model that parameter "vectors" names: of each term in v->words its vector, zeros when the model does not know it; in the arena. Without the
 * parameter *out_rows is NULL. Makes a pass. */
bool cluster_words_load(struct doc_vectors *v, const float **out_rows, uint32_t *out_dims, struct err *err) MUSTCHECK;
