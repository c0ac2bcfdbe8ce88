/* schedule.h - what happens to experiments by the clock: scheduled starts and stops, steps of a ramp, stops by a guardrail, planned looks.
 *
 * The control thread calls schedule_turn once a second and after each new snapshot. A turn looks only at the snapshot; it asks the database
 * for moments every GUARDRAIL_EVERY_US, and only when an experiment runs that is guarded or has planned looks. What is due is an ordinary edit (life.h), checked
 * against the snapshot's version: of several daemons on one database one wins, the others find nothing left to do. So there is no
 * leader, and what fell due while no daemon ran is done by the first that starts.
 *
 * An edit that fails is logged once with its reason, told by the experiment ("held_back"), and tried again after 1, 2, 4 … 60 seconds. */
#pragma once
#include <stdatomic.h>

#include "base/clock.h"
#include "experimentd/config/snapshot.h"

#define GUARDRAIL_EVERY_US (10 * US_PER_SECOND)

enum schedule_kind {
    SCHEDULE_NOTHING,
    SCHEDULE_START,
    SCHEDULE_STOP,
    SCHEDULE_RAMP,      /* to the next step */
    SCHEDULE_GUARDRAIL, /* stop: a guardrail metric is worse */
    SCHEDULE_HOLD,      /* the experiment tells why what is due was not done */
    SCHEDULE_LOOK,      /* one of the planned looks (group_sequential) */
    SCHEDULE_KIND_COUNT
};
extern const char *const schedule_kind_names[SCHEDULE_KIND_COUNT];

struct schedule_due {
    enum schedule_kind kind; /* NOTHING, START, STOP or RAMP */
    int64_t at_us;           /* since when */
};

struct schedule_counters {
    _Atomic uint64_t edits[SCHEDULE_KIND_COUNT], failed[SCHEDULE_KIND_COUNT];
};

/* What the clock asks for at this instant. Pure. */
struct schedule_due schedule_due(const struct snapshot_experiment *e, int64_t now_us);
/* Its guardrails are looked at: before a step of its ramp, and while it runs. Pure. */
bool schedule_is_guarded(const struct snapshot_experiment *e);

/* Planned looks may fall due: while it runs, and for a week after a stop the last one. Pure. */
bool schedule_is_watched(const struct snapshot_experiment *e, int64_t now_us);

struct schedule;
struct schedule *schedule_new(void);
void schedule_free(struct schedule *t);
/* Control thread. At most one edit: the next one needs the snapshot that has this one. True when pg was used. */
bool schedule_turn(struct schedule *t, struct pg *pg, const struct snapshot *s);
const struct schedule_counters *schedule_counters(const struct schedule *t); /* any thread */
