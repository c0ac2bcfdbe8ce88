/* serp_log.h - what trainer/jobs/serp_log.c and its kernels say to each other.
 *
 * params of "serps.day@1": JSON {"archive": its folder or null, "clicks": ["click"]}; desc: "DAY LO HI" (day_split.h); its data set: records of serp_day.h,
 * in parts by query.
 * "serps.merge@1": params {"positions": 10, "holdout_share": 0, "held_from_us": 0}; desc "PART SPLITS DAY DAY …", SPLITS inputs for each day; its data set: records of
 * serp_record.h, sorted by text; it collects a struct serp_totals.
 * "serps.collect@1": params {"min_sessions", "bytes"}; one input of the merge; it collects a u64, how many queries were left out so that it has no more than
 * so many bytes, and the records of the others, sorted by text. */
#pragma once
#include "trainer/kernels/serps/serp_day.h"
#include "trainer/kernels/serps/serp_merge.h"

#define SERP_DAY_KERNEL "serps.day@1"
#define SERP_MERGE_KERNEL "serps.merge@1"
#define SERP_COLLECT_KERNEL "serps.collect@1"
extern const struct kernel kernel_serps_day, kernel_serps_merge, kernel_serps_collect;

enum { SERP_TYPES_MAX = 16 };
struct serp_day_params {
    struct str archive; /* {NULL, 0}: none is known */
    struct str clicks[SERP_TYPES_MAX];
    uint32_t clicks_count;
};
bool serp_day_params_read(struct str json, struct serp_day_params *out, struct arena *arena, struct err *err) MUSTCHECK;
/* Without the archive: all that a day's records depend on. */
bool serp_day_params_write(const struct serp_day_params *p, bool with_archive, struct arena *arena, struct str *out,
                           struct err *err) MUSTCHECK;
