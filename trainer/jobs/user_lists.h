/* user_lists.h - from what goes with each item to what each unit would like: sections "items_for_user" (Σ weight of what it had × score, without what it
 * had) and "seen" (what it had, with its weights). */
#pragma once
#include "trainer/jobs/recommender.h"
#include "trainer/kernels/items/item_lists.h"

/* ends: items + 1 numbers; entries: those of each item. Pass "users" over the rows. Parameter of the run: user_top; 0: adds nothing. */
bool user_lists_add(struct recommender_job *j, const uint64_t *ends, const struct item_score *entries,
                    struct err *err) MUSTCHECK;
