/* task_blocks.h - what a task reads, block after block, with its heartbeat; and where records go to. */
#pragma once
#include "trainer/engine/task.h"

/* *out_rows: how many records were in the block. */
typedef bool (*task_block_fn)(void *arg, struct str block, uint64_t *out_rows, struct err *err);
bool task_blocks_of(struct task *t, size_t input, task_block_fn fn, void *arg, struct err *err) MUSTCHECK;
/* Of all inputs in their order. */
bool task_blocks(struct task *t, task_block_fn fn, void *arg, struct err *err) MUSTCHECK;

/* Of a split "PART RANGES DAY DAY …", which has RANGES inputs for each day. */
typedef bool (*task_day_fn)(void *arg, int32_t day, struct str block, uint64_t *out_rows, struct err *err);
bool task_blocks_by_day(struct task *t, task_day_fn fn, void *arg, struct err *err) MUSTCHECK;

/* task_emit, for what gives its records to a function. */
bool task_emit_record(void *task, uint32_t part, struct str record, struct err *err) MUSTCHECK;
