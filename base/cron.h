/* cron.h - cron expressions: read, and the next instant after another.
 *
 *   0 2 * * *               at 02:00                     minute hour day-of-month month day-of-week
 *   30 0 2 * * MON-FRI      at 02:00:30 on working days  six fields: seconds first
 *   @hourly @daily (@midnight) @weekly @monthly @yearly (@annually)
 *
 * A field is a list of numbers, ranges and steps: "1,5", "8-18", "0-59/15", "5/10" (from 5 on), "*", "?" (the same). Months are JAN-DEC, days SUN-SAT
 * or 0-7 (0 and 7 are Sunday, as in crontab(5), not as in Quartz). "L" is the last day of the month; "5L" its last Friday. When both days are
 * restricted (do not begin with * or ?), one of them has to match, as in crontab(5).
 *
 * Times are the wall clock's of a zone. One that never comes when clocks are set forward runs at the instant at which they are; one that comes twice
 * when they are set back runs once, the first time. Several that fall on one instant are one run. */
#pragma once
#include <stdint.h>

#include "base/zone.h"

enum { CRON_TEXT_MAX = 200 };

struct cron {
    uint64_t seconds, minutes; /* bit n: at n */
    uint32_t hours, days, months;
    uint8_t weekdays, last_weekdays; /* last_weekdays: only in the last seven days of the month */
    bool last_day;
    bool any_day, any_weekday; /* the field begins with * or ? */
};

/* ERR_INVALID names the field and what is wrong with it. Something that never comes (30 February) is refused, too. */
bool cron_parse(struct str text, struct cron *out, struct err *err) MUSTCHECK;
/* Seconds since 1970: the first instant behind `after`, or INT64_MAX when none comes in the next CRON_YEARS years. */
enum { CRON_YEARS = 12 };
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after);
