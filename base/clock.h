/* clock.h - time as int64_t microseconds: wall time since 1970-01-01 UTC, monotonic time for durations, RFC 3339 text. */
#pragma once
#include <stdint.h>

#include "base/str.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)
#define CLOCK_TEXT_MAX 40

int64_t clock_now_us(void);
int64_t clock_mono_us(void);
/* Tests: wall time stands still at this instant from now on; 0 lets it run again. */
void clock_freeze(int64_t us);
/* "2026-11-24T12:00:00.000000Z" (fraction left out when it is 0) into text, which it returns. */
const char *clock_format(int64_t us, char text[CLOCK_TEXT_MAX]);
/* RFC 3339, and what is met in the wild: a space for T, no zone (= UTC), ±hhmm without colon, fractions of 1 to 9 digits,
 * a date alone. */
bool clock_parse(struct str s, int64_t *out_us, struct err *err) MUSTCHECK;
/* A number of the wire: at least 1e14 is microseconds, at least 1e11 milliseconds, else seconds. */
bool clock_from_number(double v, int64_t *out_us, struct err *err) MUSTCHECK;
/* Days since 1970-01-01 of an instant (floor), and the day of a civil date. */
int32_t clock_day(int64_t us);
int32_t clock_day_of(int year, unsigned month, unsigned day);
void clock_date(int32_t day, int *out_year, unsigned *out_month, unsigned *out_day);
/* "2026-11-24" */
const char *clock_format_day(int32_t day, char text[CLOCK_TEXT_MAX]);
