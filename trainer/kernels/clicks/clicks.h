/* clicks.h - what the job "clicks" and its two kernels say to each other.
 *
 * params of "clicks.day@1": JSON {"archive": its folder or null, "types": ["cart", "click"], "filters": name of a field of params, or null}; desc:
 * "DAY LO HI" (day_split.h); its data set: records of click_events.h, in parts by query.
 * params of "clicks.weights@1": {"types": […], "weights": [10, 1], "as_of": day, "half_life_days", "position_power", "min_signals", "top"}; desc:
 * "PART RANGES DAY DAY …", RANGES inputs for each day; it publishes rows of query_doc_weights.
 * "boosts.weights@1": the same params and splits; it collects records of boosts.h, by (filters, query). */
#pragma once
#include "trainer/kernels/clicks/click_weights.h"

enum { CLICKS_COLUMNS = 8 };
#define CLICKS_COLUMN_NAMES "filters, query, rank, doc, weight, signals, counts, last_at"
extern const struct kernel kernel_clicks_day, kernel_clicks_weights, kernel_boosts_weights;

struct clicks_day_params {
    struct str archive, filters; /* {NULL, 0}: none */
    struct str types[CLICK_TYPES_MAX];
    size_t types_count;
};
bool clicks_day_params_read(struct str json, struct clicks_day_params *out, struct arena *arena,
                            struct err *err) MUSTCHECK;
bool clicks_rules_read(struct str json, struct click_rules *out, struct arena *arena, struct err *err) MUSTCHECK;

struct task;
/* The events of all days of a split "PART RANGES DAY DAY …", without units that are marked. The rules are borrowed. NULL: it failed. */
struct click_weights *clicks_sum(struct task *t, const struct click_rules *rules, struct err *err);
