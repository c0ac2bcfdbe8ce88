/* sessions.h - what the job "sessions" and its kernel say to each other.
 *
 * params: JSON {"archive": its folder or null, "gap_us": 1800000000}; desc of "sessions.day@2": "DAY LO HI" (days since 1970, buckets LO … HI
 * inclusive); it gives rows of the table sessions, of marked units, too: the job leaves those out. */
#pragma once
#include "base/mem.h"

#define SESSIONS_DAY_KERNEL "sessions.day@2"
#define SESSIONS_COLUMN_NAMES                                                                                 \
    "day, bucket, unit, session, started_at, ended_at, signals, queries, clicks, carts, purchases, revenue, " \
    "first_query, last_query"
enum { SESSIONS_COLUMNS = 14 };
extern const struct kernel kernel_sessions_day;

struct sessions_params {
    struct str archive; /* archive: {NULL, 0} none is known */
    int64_t gap_us;
};
bool sessions_params_read(struct str json, struct sessions_params *out, struct arena *arena, struct err *err) MUSTCHECK;
