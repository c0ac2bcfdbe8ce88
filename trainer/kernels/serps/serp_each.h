/* serp_each.h - the queries (serp_record.h) that a task reads, one after the other. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/serps/serp_record.h"

/* The query is borrowed until fn returns. */
typedef bool (*serp_each_fn)(void *arg, const struct serp_query *q, struct err *err);
/* Of all inputs in their order. */
bool serp_each(struct task *t, serp_each_fn fn, void *arg, struct err *err) MUSTCHECK;
