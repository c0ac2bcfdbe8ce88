/* w2v_text.h - sentences on their way into a data set, and the words in them: what kernels that read texts share. */
#pragma once
#include "base/buf.h"
#include "model/text_terms.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/pair_table.h"

struct w2v_text {
    struct task *task;
    struct pair_table *words; /* word, "" → how often (u64) */
    struct buf sentence;      /* hashes of its words */
    uint64_t times;           /* that each word of it counts */
};
void w2v_text_open(struct w2v_text *t, struct task *task);
void w2v_text_close(struct w2v_text *t);
void w2v_text_word(void *text, struct str word); /* a text_term_fn */
/* Ends the sentence, which stands there `times` times. of: what it is of, so that all that are of the same are left out of training together. */
bool w2v_text_end(struct w2v_text *t, uint64_t of, uint32_t times, struct err *err) MUSTCHECK;
/* Behind the last one: the words. */
bool w2v_text_flush(struct w2v_text *t, struct err *err) MUSTCHECK;
