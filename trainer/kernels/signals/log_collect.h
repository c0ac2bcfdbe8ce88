/* log_collect.h - kernels that bring queries to the coordinator: those with searches enough, and of these the most searched ones that fit.
 *
 * params {"min_searches", "bytes"}; collected is a u64, how many queries were left out so that it has no more than so many bytes, and the records of the
 * others, sorted by text. */
#pragma once
#include "trainer/engine/task.h"

struct log_collect;
/* Reads the task's input, and adds what it finds there. */
typedef bool (*log_collect_fn)(struct task *t, struct log_collect *c, struct err *err);
bool log_collect_run(struct task *t, log_collect_fn read, struct err *err) MUSTCHECK;
bool log_collect_wants(const struct log_collect *c, uint64_t searches);
void log_collect_add(struct log_collect *c, struct str text, uint64_t searches, struct str records);
