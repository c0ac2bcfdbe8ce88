/* alarms.h - watches the health of running experiments: an alarm that comes or goes is kept with the experiment, logged, and told to a webhook.
 *
 * The control thread calls alarms_turn about once a second. Every ALARMS_EVERY_US it asks when results were published and signals last
 * written, and judges those experiments for which that says something new. What changed is an ordinary edit (life_alarm), checked against the
 * snapshot's version: of several daemons on one database one makes it, and tells. */
#pragma once
#include "base/clock.h"
#include "experimentd/config/snapshot.h"

struct event_base;
struct pg;
struct alarms;

#define ALARMS_EVERY_US (5 * US_PER_SECOND)

/* webhook: an http:// address, or "" for none; secret: webhook.h. */
struct alarms *alarms_new(struct event_base *base, const char *webhook, const char *secret, struct err *err);
void alarms_free(struct alarms *a);
/* At most one edit: the next one needs the snapshot that has this one. pg is used: look for notifications afterwards. */
void alarms_turn(struct alarms *a, struct pg *pg, const struct snapshot *s);
