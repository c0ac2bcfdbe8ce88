/* query_log.h - what trainer/jobs/query_log.c and its kernels say to each other.
 *
 * params of "query_log.day@1": JSON {"archive": its folder or null, "clicks": ["click"], "gap_us": 1800000000}; desc: "DAY LO HI" (day_split.h); its
 * data set: records of query_day.h, in parts by query.
 * "query_log.merge@1": no params; desc "PART SPLITS DAY DAY …", SPLITS inputs for each day; its data set: records of query_record.h, sorted by text;
 * it collects a struct query_totals.
 * "query_log.collect@1": params {"min_searches", "bytes"}; one input of the merge; it collects a u64, how many queries were left out so that it has no
 * more than so many bytes, and the records of the others, sorted by text. */
#pragma once
#include "trainer/kernels/queries/query_day.h"
#include "trainer/kernels/queries/query_merge.h"

#define QUERY_LOG_DAY_KERNEL "query_log.day@1"
#define QUERY_LOG_MERGE_KERNEL "query_log.merge@1"
#define QUERY_LOG_COLLECT_KERNEL "query_log.collect@1"
extern const struct kernel kernel_query_log_day, kernel_query_log_merge, kernel_query_log_collect;

enum { QUERY_LOG_TYPES_MAX = 16 };
struct query_log_params {
    struct str archive; /* {NULL, 0}: none is known */
    struct str clicks[QUERY_LOG_TYPES_MAX];
    uint32_t clicks_count;
    int64_t gap_us;
};
bool query_log_params_read(struct str json, struct query_log_params *out, struct arena *arena,
                           struct err *err) MUSTCHECK;
/* Without the archive: all that a day's records depend on. */
bool query_log_params_write(const struct query_log_params *p, bool with_archive, struct arena *arena, struct str *out,
                            struct err *err) MUSTCHECK;
