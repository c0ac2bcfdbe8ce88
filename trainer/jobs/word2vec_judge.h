/* word2vec_judge.h - the gate of vectors: candidate and champion tell words beside each other from drawn ones, in sentences that were left out of training.
 *
 * Metric "skill": 1 - loss / ln 2 for each word that is to be told, by pairs of words within the window that both models know; 0 knows nothing, 1 is sure and right. One
 * observation is a sentence. Of the whole: heldout_loss (of a pair), loss (of training), words. */
#pragma once
#include "trainer/jobs/word2vec_train.h"
#include "trainer/models/gate.h"

bool w2v_judge(const struct w2v_train *t, struct gate_outcome *out, struct buf *metrics_json,
               struct err *err) MUSTCHECK;
