/* sums_out.h - sums of pairs on their way into a data set: gathered, and written when there are many. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/items/pair_sums.h"

struct sums_out {
    struct task *task;
    struct pair_sums sums;
    uint32_t numbers; /* the first half of a key is below */
    uint32_t parts;   /* that sums go to: all of the split's, unless the caller says less */
};
void sums_out_open(struct sums_out *o, struct task *t, uint32_t numbers);
void sums_out_close(struct sums_out *o);
bool sums_out_add(struct sums_out *o, uint64_t key, double sum, struct err *err) MUSTCHECK;
/* All that was gathered, by key, each to its part. */
bool sums_out_flush(struct sums_out *o, struct err *err) MUSTCHECK;

/* All inputs of a task in their order, added up and sorted. */
bool sums_in(struct task *t, struct pair_sums *out, struct err *err) MUSTCHECK;
