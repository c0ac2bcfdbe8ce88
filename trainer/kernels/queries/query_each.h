/* query_each.h - the records of queries (query_record.h) that a task reads, one after the other. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/queries/query_record.h"

/* The record's texts and lists are borrowed until fn returns. `bytes`: the record as it is. */
typedef bool (*query_each_fn)(void *arg, const struct query_record *q, struct str bytes, struct err *err);
/* Of all inputs in their order. */
bool query_each(struct task *t, query_each_fn fn, void *arg, struct err *err) MUSTCHECK;
