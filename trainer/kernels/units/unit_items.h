/* unit_items.h - what the jobs "preferences" and "history" and their kernels say to each other.
 *
 * "unit_items.day@1": signals of one day and range of buckets → records (unit_item.h). Its params: JSON {"archive": folder or null,
 * "item": "doc" or "query", "weights": "click=1,cart=10", "half_life_us": n}; desc "DAY LO HI". Weights are told, but only their types are seen.
 * "unit_items.range@1": the records of all days of a range → rows of the output table. Its params have besides: "as_of_us", "order":
 * "weight" or "time", "minimum", "top"; desc "LO HI DAY DAY …". Marked units are left out here, so that records of days need not know of marks.
 *
 * Rows of user_item_prefs: UNIT_ITEMS_PREFS_COLUMNS; of user_query_history: UNIT_ITEMS_HISTORY_COLUMNS. */
#pragma once
#include "trainer/kernels/units/unit_item.h"

#define UNIT_ITEMS_DAY_KERNEL "unit_items.day@1"
#define UNIT_ITEMS_RANGE_KERNEL "unit_items.range@1"
#define UNIT_ITEMS_PREFS_COLUMNS "bucket, unit, doc, rank, weight, signals, last_at, counts"
#define UNIT_ITEMS_HISTORY_COLUMNS "bucket, unit, query, rank, weight, signals, last_at, counts, queries, clicks, docs"

extern const struct kernel kernel_unit_items_day, kernel_unit_items_range;

struct unit_items_params {
    struct str archive; /* {NULL, 0}: none is known */
    bool queries;       /* items are queries, not documents */
    struct str weights_text;
    struct signal_weights weights;
    int64_t half_life_us, as_of_us;
    struct unit_item_limits limits;
};

/* In the arena. */
bool unit_items_params_read(struct str json, struct unit_items_params *out, struct arena *arena,
                            struct err *err) MUSTCHECK;
bool unit_items_params_write(const struct unit_items_params *p, struct arena *arena, struct str *out,
                             struct err *err) MUSTCHECK;
/* All that a day's records depend on: the types in their order, the half-life, what items are. */
struct str unit_items_program(const struct unit_items_params *p, struct arena *arena);
/* The rules point to the params. */
struct unit_item_rules unit_items_rules(const struct unit_items_params *p);
