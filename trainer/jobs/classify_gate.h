/* classify_gate.h - the gate of classifiers: candidate and champion asked for the texts that were held out, in a pass of its own.
 *
 * Metrics by text (paired): accuracy, top3_accuracy, log_likelihood. Beside them macro_f1, ece and log_loss with their intervals, and, for whoever looks,
 * "classes" (precision, recall, F1 of each), "confusion" (of the most frequent ones), "reliability" (bins of probability) and "training". */
#pragma once
#include "trainer/jobs/classify_train.h"
#include "trainer/models/gate.h"

/* file: the candidate; champion: its file, n = 0: there is none. */
bool classify_gate(struct classify_train *t, struct str file, struct str champion, int champion_version,
                   struct gate_outcome *out, struct buf *metrics_json, struct err *err) MUSTCHECK;
