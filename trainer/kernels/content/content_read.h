/* content_read.h - documents of the table of items, and their texts: what kernels over the catalogue begin with.
 *
 * A split is a range of ids: {"from": id, "to": id or null}, `to` left out. What counts of a document: params "fields" ("title=3,text=1"), "language",
 * "stop_words", "ngrams" (text_terms.h). */
#pragma once
#include <jansson.h>

#include "model/text_terms.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/signal_weights.h"

struct content_params {
    struct signal_weights fields;
    struct stop_words stop;
    unsigned ngrams;
};
/* Of params that have nothing else; in the task's arena. */
bool content_params_read(struct task *t, struct content_params *out, struct err *err) MUSTCHECK;

/* The documents of the split in the order of their bytes, as the run's snapshot has them. `fields` is the document, valid during the call. */
typedef bool (*content_row_fn)(void *arg, struct str doc, const json_t *fields, struct err *err);
bool content_rows(struct task *t, content_row_fn fn, void *arg, struct err *err) MUSTCHECK;
/* Each text of the fields that weigh something: a field may be a list of texts. Valid during the call. */
typedef void (*content_text_fn)(void *arg, struct str text, double weight);
void content_texts(const json_t *document, const struct signal_weights *fields, content_text_fn fn, void *arg);
