/* unit_items_reading.h - the records of all days of a range of buckets, as a task has them: its text is "LO HI DAY DAY …", a day for each input.
 * Records of units that are marked are left out. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/units/unit_item.h"

/* In the order of days. What is in *i is borrowed. */
typedef void (*unit_items_record_fn)(void *arg, int32_t day, const struct unit_item *i);
bool unit_items_read(struct task *t, const struct unit_item_rules *rules, unit_items_record_fn fn, void *arg,
                     struct err *err) MUSTCHECK;
