/* unit_day.h - pure: the events of some units on one day in, one record per unit out. No database, no clock, no order of input.
 *
 * What a record holds (all that experiments sum over a day), of each fact of the program:
 *   the sums of the whole day, and for each experiment that the unit was exposed to on this day: the variant and instant of the day's
 *   first exposure, whether a second variant was seen, and the sums of what happened from that instant on;
 *   of facts that are `listed`, each value with its instant.
 * The pass over units (metrics_units.c) takes the second on the day of a unit's first exposure, the first on every later day; so a day's
 * records depend on that day alone and can be kept.
 *
 * A query is a "request" on this day; requests with one query id are one query, at its first instant. "response" gives its number of
 * results (a request may carry it too; the last one known counts). Its clicks and purchases are those with its id within
 * METRIC_QUERY_WINDOW_US (also behind midnight); a click counts as a click on its own day. Clicks without a time of their own (the same
 * instant as the query) give no time to the first click. A session counts at its beginning (session.h).
 *
 * A record has at most UNIT_DAY_ITEMS values: of a unit that has more, a robot, the day's later ones count in sums alone. Memory: the
 * events, and a scratch of a few times the events of one unit. */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/event.h"

enum { UNIT_DAY_ITEMS = 100000 };

struct day_item {
    int64_t at_us;
    double value;
    uint32_t fact;
};

struct day_exposure {
    uint32_t experiment;
    struct str variant, dims; /* dims as in struct day_event */
    int64_t at_us;
    bool several;  /* another variant was seen this day */
    double *after; /* a sum for each fact */
};

struct unit_day {
    struct str unit;
    int64_t last_us;                /* of its exposures and signals; 0 none */
    double *all;                    /* a sum for each fact */
    struct day_exposure *exposures; /* by experiment, ascending */
    size_t exposures_count;
    struct day_item *items; /* in the order of time, then of fact, then of value */
    size_t items_count;
};

struct unit_day_rules {
    const struct program *program;
    int64_t from_us,
        to_us; /* the day. Events outside serve sessions, and as clicks and next signals of the day's queries */
};

/* fn is called once per unit with events on this day, in the order of unit names (bytes); the record lives until
 * it returns. */
typedef bool (*unit_day_fn)(void *arg, const struct unit_day *u, struct err *err);
bool unit_days(const struct day_event *events, size_t count, const struct unit_day_rules *rules, unit_day_fn fn,
               void *arg, struct err *err) MUSTCHECK;

/* The record's bytes, and back. */
void unit_day_write(struct buf *b, const struct unit_day *u, const struct program *p);
/* Takes one record off *in; false when what is there is none. Lists go to the arena, texts are borrowed. */
bool unit_day_read(struct str *in, const struct program *p, struct unit_day *out, struct arena *arena) MUSTCHECK;
