/* unit_day.h - pure: the events of some units on one day in, one record per unit out. No database, no clock, no order of input.
 *
 * What a record holds (all that experiments sum over a day):
 *   the sums of the whole day, and for each experiment that the unit was exposed to on this day: the variant and instant of the day's
 *   first exposure, whether a second variant was seen, and the sums of what happened from that instant on.
 * The pass over units (metrics_units.c) takes the second on the day of a unit's first exposure, the first on every later day; so a day's
 * records depend on that day alone and can be kept.
 *
 * A query is a "request" on this day; requests with one query id are one query, at its first instant. "response" gives its number of
 * results (a request may carry it too; the last one known counts). Its clicks are those with its id within 30 minutes (also behind
 * midnight); a click counts as a click on its own day. Clicks without a time of their own (the same instant as the query) give no time
 * to the first click. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"

#define QUERY_WINDOW_US INT64_C(1800000000)

enum event_kind { EVENT_EXPOSURE, EVENT_REQUEST, EVENT_RESPONSE, EVENT_CLICK };

struct day_event {
    enum event_kind kind;
    int64_t at_us;
    struct str unit;
    struct str query_id; /* of an exposure: the variant */
    uint32_t experiment; /* of an exposure: its number */
    int32_t position;    /* 0: unknown */
    double value;        /* number of results; NAN unknown */
};

struct day_sums {
    double clicks, queries, reciprocal_ranks, known_queries, zero_queries, timed_queries, seconds;
};

struct day_exposure {
    uint32_t experiment;
    struct str variant;
    int64_t at_us;
    bool several; /* another variant was seen this day */
    struct day_sums after;
};

struct unit_day {
    struct str unit;
    int64_t last_us; /* of its events that count */
    struct day_sums all;
    struct day_exposure *exposures; /* by experiment, ascending */
    size_t exposures_count;
};

/* events is sorted in place. fn is called once per unit, in the order of unit names (bytes); memory of the arena. Events at or behind
 * day_end_us only serve as clicks of the day's queries. */
typedef bool (*unit_day_fn)(void *arg, const struct unit_day *u, struct err *err);
bool unit_days(struct day_event *events, size_t count, int64_t day_end_us, struct arena *arena, unit_day_fn fn,
               void *arg, struct err *err) MUSTCHECK;

/* The record's bytes, and back. */
void unit_day_write(struct buf *b, const struct unit_day *u);
/* Takes one record off *in; false when what is there is none. exposures go to the arena. */
bool unit_day_read(struct str *in, struct unit_day *out, struct arena *arena) MUSTCHECK;

void day_sums_add(struct day_sums *into, const struct day_sums *other);
