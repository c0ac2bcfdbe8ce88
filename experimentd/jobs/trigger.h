/* trigger.h - what starts a job: by the clock (cron, interval), or the end of another job's run.
 *
 *   {"type": "cron", "value": "0 2 * * *", "enabled": true}
 *   {"type": "interval", "every": 15, "unit": "minute", "start": "2026-12-01T00:00:00Z", "end": null}
 *   {"type": "job", "job": "seal", "on": ["success", "failed"]}
 *
 * An interval's instants are start, start + every, …; without a start they are whole multiples since 1970 (every 15 minutes: :00, :15, …), and a day has
 * 24 hours. Pure but for reading the zone's file. */
#pragma once
#include "base/cron.h"
#include "base/json.h"
#include "base/jsonw.h"

enum trigger_kind { TRIGGER_CRON, TRIGGER_INTERVAL, TRIGGER_JOB, TRIGGER_KIND_COUNT };
/* What a run's end is to jobs after it: failed is also lost or out of time. */
enum trigger_on { TRIGGER_ON_SUCCESS, TRIGGER_ON_FAILED, TRIGGER_ON_CANCELLED, TRIGGER_ON_COUNT };

struct trigger {
    enum trigger_kind kind;
    bool enabled;
    struct str value; /* cron: as it was written */
    struct cron cron;
    int64_t every;
    size_t unit;                     /* of trigger.c's table */
    int64_t every_s, start_s, end_s; /* 0: none */
    struct str job;
    unsigned on; /* bits 1 << enum trigger_on */
};

/* ERR_INVALID with the field; texts lie in the arena. `what` names the trigger ("triggers[1]"). */
bool trigger_read(json_t *object, const char *what, struct arena *arena, struct trigger *out,
                  struct err *err) MUSTCHECK;
void trigger_write(struct jsonw *w, const struct trigger *t);
/* Seconds since 1970 of the next instant behind `after`; INT64_MAX: none, or it is no trigger by the clock. */
int64_t trigger_next(const struct trigger *t, const struct zone *z, int64_t after);
/* Whether a run that ended in this state starts it. */
bool trigger_fires(const struct trigger *t, struct str job, struct str state);
